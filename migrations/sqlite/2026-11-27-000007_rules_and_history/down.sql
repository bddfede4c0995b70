DROP INDEX items_of_asset;
DROP TABLE traded_assets;

CREATE TABLE old_discrepancies (
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
INSERT INTO old_discrepancies
  SELECT id, org_id, bot_id, sync_id, kind, item_id, app_id, asset_id, item_name, details, resolution, note, created_at, resolved_at
  FROM discrepancies WHERE sync_id IS NOT NULL AND kind NOT IN ('UNKNOWN_TRADE', 'UNKNOWN_OFFER');
DROP TABLE discrepancies;
ALTER TABLE old_discrepancies RENAME TO discrepancies;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution IS NULL;
CREATE INDEX discrepancies_of_org ON discrepancies (org_id, created_at, id);
CREATE INDEX discrepancies_ignored ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution = 'IGNORE';

CREATE TABLE old_donations (
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
INSERT INTO old_donations
  SELECT id, org_id, bot_id, trade_offer_id, donor_id, replace(state, 'REVERSED', 'ENDED'), reason, message, assets, trade_id, created_at, updated_at
  FROM donations;
DROP TABLE donations;
ALTER TABLE old_donations RENAME TO donations;
CREATE INDEX donations_open ON donations (bot_id, created_at)
  WHERE state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED');

ALTER TABLE inventory_sync_log DROP COLUMN accuracy_ppm;
ALTER TABLE inventory_sync_log DROP COLUMN sync_trigger;
ALTER TABLE bots DROP COLUMN traded_at;
ALTER TABLE bots DROP COLUMN steam_token_warned;
ALTER TABLE bots DROP COLUMN steam_token_expires_at;
ALTER TABLE organizations DROP COLUMN cancel_unknown_offers;
ALTER TABLE organizations DROP COLUMN offer_ttl_seconds;
ALTER TABLE organizations DROP COLUMN friend_invites;
ALTER TABLE organizations DROP COLUMN donation_rules;
