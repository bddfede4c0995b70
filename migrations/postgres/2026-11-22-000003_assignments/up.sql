CREATE TABLE assignments (
  id                       UUID PRIMARY KEY,
  org_id                   UUID NOT NULL REFERENCES organizations (id),
  user_id                  BIGINT NOT NULL,
  bot_id                   UUID NOT NULL REFERENCES bots (id),
  assignment_type          TEXT NOT NULL,
  assignment_reason        TEXT NOT NULL,
  external_system          TEXT,
  external_id              TEXT,
  external_context         JSONB NOT NULL,
  assignment_priority      INTEGER NOT NULL,
  state                    TEXT NOT NULL CHECK (state IN ('QUEUED', 'DELIVERING', 'OFFERED', 'HELD', 'BLOCKED', 'DELIVERED', 'SETTLED', 'REVERSED', 'FAILED', 'CANCELLED', 'EXPIRED')),
  ending                   TEXT CHECK (ending IN ('CANCELLED', 'EXPIRED')),
  blocked_reason           TEXT,
  status_message           TEXT NOT NULL,
  total_items_count        INTEGER NOT NULL,
  total_estimated_value    BIGINT,
  total_currency           TEXT,
  delivery_attempts        INTEGER NOT NULL,
  delivery_trade_offer_id  TEXT,
  delivery_error_message   TEXT,
  assigned_at              TIMESTAMPTZ NOT NULL,
  processing_started_at    TIMESTAMPTZ,
  last_delivery_attempt_at TIMESTAMPTZ,
  next_attempt_at          TIMESTAMPTZ NOT NULL,
  delivered_at             TIMESTAMPTZ,
  settles_at               TIMESTAMPTZ,
  failed_at                TIMESTAMPTZ,
  cancelled_at             TIMESTAMPTZ,
  expires_at               TIMESTAMPTZ NOT NULL,
  version                  BIGINT NOT NULL,
  created_at               TIMESTAMPTZ NOT NULL,
  updated_at               TIMESTAMPTZ NOT NULL,
  FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, steam_id)
);
CREATE UNIQUE INDEX assignments_external ON assignments (org_id, external_system, external_id)
  WHERE external_id IS NOT NULL;
CREATE INDEX assignments_of_org ON assignments (org_id, created_at, id);
CREATE INDEX assignments_of_user ON assignments (org_id, user_id, created_at);
CREATE INDEX assignments_queued ON assignments (bot_id, assignment_priority, created_at)
  WHERE state = 'QUEUED';
CREATE INDEX assignments_to_expire ON assignments (expires_at)
  WHERE state IN ('QUEUED', 'DELIVERING', 'OFFERED', 'BLOCKED') AND ending IS NULL;
CREATE INDEX assignments_to_settle ON assignments (settles_at) WHERE state = 'DELIVERED';

CREATE TABLE assignment_items (
  assignment_id            UUID NOT NULL REFERENCES assignments (id),
  item_id                  UUID NOT NULL REFERENCES items (id),
  org_id                   UUID NOT NULL REFERENCES organizations (id),
  item_name_at_assignment  TEXT NOT NULL,
  item_value_at_assignment BIGINT,
  item_currency            TEXT,
  delivery_status          TEXT NOT NULL CHECK (delivery_status IN ('pending', 'delivered', 'returned')),
  delivered_at             TIMESTAMPTZ,
  delivered_asset_id       BIGINT,
  created_at               TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (assignment_id, item_id)
);

CREATE TABLE delivery_attempts (
  id             UUID PRIMARY KEY,
  org_id         UUID NOT NULL REFERENCES organizations (id),
  assignment_id  UUID NOT NULL REFERENCES assignments (id),
  bot_id         UUID NOT NULL REFERENCES bots (id),
  user_id        BIGINT NOT NULL,
  number         INTEGER NOT NULL,
  phase          TEXT NOT NULL CHECK (phase IN ('PLANNED', 'STARTED', 'SENT', 'OFFERED', 'HELD', 'DELIVERED', 'ENDED')),
  marker         TEXT NOT NULL UNIQUE,
  trade_offer_id TEXT,
  trade_id       TEXT,
  failure        TEXT,
  error_message  TEXT,
  cancel_wanted  BOOLEAN NOT NULL,
  started_at     TIMESTAMPTZ,
  ended_at       TIMESTAMPTZ,
  created_at     TIMESTAMPTZ NOT NULL,
  updated_at     TIMESTAMPTZ NOT NULL
);
-- An assignment is tried by one attempt at a time.
CREATE UNIQUE INDEX delivery_attempts_open ON delivery_attempts (assignment_id)
  WHERE ended_at IS NULL;
CREATE INDEX delivery_attempts_of_bot ON delivery_attempts (bot_id, created_at)
  WHERE ended_at IS NULL;
