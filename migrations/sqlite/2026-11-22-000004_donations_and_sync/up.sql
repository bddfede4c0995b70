CREATE TABLE donations (
  id             BLOB PRIMARY KEY,
  org_id         BLOB NOT NULL REFERENCES organizations (id),
  bot_id         BLOB NOT NULL REFERENCES bots (id),
  trade_offer_id TEXT NOT NULL,
  donor_id       INTEGER NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED', 'RECEIVED', 'DECLINED', 'ENDED')),
  reason         TEXT NOT NULL,
  message        TEXT NOT NULL,
  assets         TEXT NOT NULL CHECK (json_valid(assets)),
  trade_id       TEXT,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  UNIQUE (bot_id, trade_offer_id)
) STRICT;
CREATE INDEX donations_open ON donations (bot_id, created_at)
  WHERE state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED');

CREATE TABLE inventory_sync_log (
  id                       BLOB PRIMARY KEY,
  org_id                   BLOB NOT NULL REFERENCES organizations (id),
  bot_id                   BLOB NOT NULL REFERENCES bots (id),
  sync_status              TEXT NOT NULL CHECK (sync_status IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED')),
  sync_started_at          INTEGER,
  sync_completed_at        INTEGER,
  steam_inventory_count    INTEGER NOT NULL,
  database_available_count INTEGER NOT NULL,
  database_assigned_count  INTEGER NOT NULL,
  database_delivered_count INTEGER NOT NULL,
  database_total_count     INTEGER NOT NULL,
  items_added_count        INTEGER NOT NULL,
  items_removed_count      INTEGER NOT NULL,
  items_updated_count      INTEGER NOT NULL,
  discrepancies_found      INTEGER NOT NULL,
  error_message            TEXT,
  error_details            TEXT NOT NULL CHECK (json_valid(error_details)),
  sync_duration_ms         INTEGER NOT NULL,
  created_at               INTEGER NOT NULL
) STRICT;
-- A bot reads its inventory once at a time.
CREATE UNIQUE INDEX inventory_sync_log_open ON inventory_sync_log (bot_id)
  WHERE sync_status IN ('PENDING', 'RUNNING');
CREATE INDEX inventory_sync_log_of_org ON inventory_sync_log (org_id, created_at, id);
CREATE INDEX inventory_sync_log_of_bot ON inventory_sync_log (bot_id, created_at, id);

CREATE TABLE discrepancies (
  id          BLOB PRIMARY KEY,
  org_id      BLOB NOT NULL REFERENCES organizations (id),
  bot_id      BLOB NOT NULL REFERENCES bots (id),
  sync_id     BLOB NOT NULL REFERENCES inventory_sync_log (id),
  kind        TEXT NOT NULL CHECK (kind IN ('UNKNOWN_ASSET', 'MISSING_ASSET', 'ASSIGNED_MISSING')),
  item_id     BLOB REFERENCES items (id),
  app_id      INTEGER NOT NULL,
  asset_id    INTEGER NOT NULL,
  item_name   TEXT NOT NULL,
  details     TEXT NOT NULL CHECK (json_valid(details)),
  resolution  TEXT CHECK (resolution IN ('ADOPT', 'WRITE_OFF', 'IGNORE', 'VANISHED')),
  note        TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  resolved_at INTEGER
) STRICT;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution IS NULL;
CREATE INDEX discrepancies_of_org ON discrepancies (org_id, created_at, id);
CREATE INDEX discrepancies_ignored ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution = 'IGNORE';
