CREATE TABLE reservations (
  id         UUID PRIMARY KEY,
  org_id     UUID NOT NULL REFERENCES organizations (id),
  state      TEXT NOT NULL CHECK (state IN ('HELD', 'USED', 'RELEASED', 'EXPIRED')),
  api_key_id TEXT NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  ended_at   TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX reservations_to_expire ON reservations (expires_at) WHERE state = 'HELD';

CREATE TABLE items (
  id                      UUID PRIMARY KEY,
  org_id                  UUID NOT NULL REFERENCES organizations (id),
  bot_id                  UUID NOT NULL REFERENCES bots (id),
  state                   TEXT NOT NULL CHECK (state IN ('PENDING', 'AVAILABLE', 'RESERVED', 'ASSIGNED', 'IN_OFFER', 'IN_ESCROW', 'DELIVERED', 'MISSING', 'WITHDRAWN', 'QUARANTINED')),
  steam_app_id            INTEGER NOT NULL,
  steam_context_id        BIGINT NOT NULL,
  steam_asset_id          BIGINT,
  steam_class_id          BIGINT NOT NULL,
  steam_instance_id       BIGINT NOT NULL,
  amount                  BIGINT NOT NULL,
  market_hash_name        TEXT NOT NULL,
  item_name               TEXT NOT NULL,
  item_type               TEXT NOT NULL,
  item_rarity             TEXT NOT NULL,
  market_value            BIGINT,
  market_currency         TEXT,
  steam_metadata          JSONB NOT NULL,
  labels                  JSONB NOT NULL,
  custom_metadata         JSONB NOT NULL,
  tradable_at             TIMESTAMPTZ,
  received_at             TIMESTAMPTZ NOT NULL,
  received_from_user_id   BIGINT,
  received_via            TEXT NOT NULL,
  received_trade_offer_id TEXT,
  received_asset_id       BIGINT,
  assigned_to_user_id     BIGINT,
  assigned_at             TIMESTAMPTZ,
  delivered_at            TIMESTAMPTZ,
  delivery_trade_offer_id TEXT,
  reservation_id          UUID REFERENCES reservations (id),
  assignment_id           UUID,
  missing_since           TIMESTAMPTZ,
  version                 BIGINT NOT NULL,
  created_at              TIMESTAMPTZ NOT NULL,
  updated_at              TIMESTAMPTZ NOT NULL
);
-- A Steam asset is in the platform's hands at most once.
CREATE UNIQUE INDEX items_asset ON items (steam_app_id, steam_asset_id)
  WHERE steam_asset_id IS NOT NULL AND state NOT IN ('DELIVERED', 'WITHDRAWN');
-- A donated asset is recorded at most once.
CREATE UNIQUE INDEX items_donated ON items (bot_id, received_trade_offer_id, steam_app_id, received_asset_id)
  WHERE received_trade_offer_id IS NOT NULL;
CREATE INDEX items_of_org ON items (org_id, created_at, id);
CREATE INDEX items_by_name ON items (org_id, item_name, id);
CREATE INDEX items_in_state ON items (org_id, state, created_at, id);
CREATE INDEX items_of_bot ON items (bot_id, state);
CREATE INDEX items_reserved ON items (reservation_id) WHERE reservation_id IS NOT NULL;
CREATE INDEX items_assigned ON items (assignment_id) WHERE assignment_id IS NOT NULL;
