ALTER TABLE organizations ADD COLUMN donation_rules TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(donation_rules));
ALTER TABLE organizations ADD COLUMN friend_invites INTEGER NOT NULL DEFAULT 1;
ALTER TABLE organizations ADD COLUMN offer_ttl_seconds INTEGER NOT NULL DEFAULT 259200;
ALTER TABLE organizations ADD COLUMN cancel_unknown_offers INTEGER NOT NULL DEFAULT 1;

ALTER TABLE bots ADD COLUMN steam_token_expires_at INTEGER;
ALTER TABLE bots ADD COLUMN steam_token_warned INTEGER NOT NULL DEFAULT 0;
-- When its last trade was reported: an inventory that was read before does not show it.
ALTER TABLE bots ADD COLUMN traded_at INTEGER;

ALTER TABLE inventory_sync_log ADD COLUMN sync_trigger TEXT NOT NULL DEFAULT 'schedule' CHECK (sync_trigger IN ('session', 'schedule', 'trade', 'failure', 'request'));
ALTER TABLE inventory_sync_log ADD COLUMN accuracy_ppm INTEGER NOT NULL DEFAULT 0;

-- SQLite cannot change a CHECK: the table is made anew.
CREATE TABLE new_donations (
  id                  BLOB PRIMARY KEY,
  org_id              BLOB NOT NULL REFERENCES organizations (id),
  bot_id              BLOB NOT NULL REFERENCES bots (id),
  trade_offer_id      TEXT NOT NULL,
  donor_id            INTEGER NOT NULL,
  state               TEXT NOT NULL CHECK (state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED', 'RECEIVED', 'DECLINED', 'ENDED', 'REVERSED')),
  decline_reason      TEXT,
  reason              TEXT NOT NULL,
  message             TEXT NOT NULL,
  assets              TEXT NOT NULL CHECK (json_valid(assets)),
  items_count         INTEGER NOT NULL DEFAULT 0,
  estimated_usd_cents INTEGER NOT NULL DEFAULT 0,
  trade_id            TEXT,
  settles_at          INTEGER,
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL,
  UNIQUE (bot_id, trade_offer_id)
) STRICT;
INSERT INTO new_donations (id, org_id, bot_id, trade_offer_id, donor_id, state, reason, message, assets, items_count, trade_id, created_at, updated_at)
  SELECT id, org_id, bot_id, trade_offer_id, donor_id, state, reason, message, assets, json_array_length(assets), trade_id, created_at, updated_at FROM donations;
DROP TABLE donations;
ALTER TABLE new_donations RENAME TO donations;
CREATE INDEX donations_of_bot ON donations (bot_id, state, created_at);
CREATE INDEX donations_of_org ON donations (org_id, created_at, id);
CREATE INDEX donations_of_donor ON donations (org_id, donor_id, created_at, id);
CREATE INDEX donations_of_trade ON donations (bot_id, trade_id) WHERE trade_id IS NOT NULL;

CREATE TABLE new_discrepancies (
  id             BLOB PRIMARY KEY,
  org_id         BLOB NOT NULL REFERENCES organizations (id),
  bot_id         BLOB NOT NULL REFERENCES bots (id),
  sync_id        BLOB REFERENCES inventory_sync_log (id),
  kind           TEXT NOT NULL CHECK (kind IN ('UNKNOWN_ASSET', 'MISSING_ASSET', 'ASSIGNED_MISSING', 'UNKNOWN_TRADE', 'UNKNOWN_OFFER')),
  item_id        BLOB REFERENCES items (id),
  app_id         INTEGER NOT NULL,
  asset_id       INTEGER NOT NULL,
  item_name      TEXT NOT NULL,
  details        TEXT NOT NULL CHECK (json_valid(details)),
  trade_id       TEXT,
  trade_offer_id TEXT,
  user_id        INTEGER,
  offer_open     INTEGER NOT NULL DEFAULT 0,
  resolution     TEXT CHECK (resolution IN ('ADOPT', 'WRITE_OFF', 'IGNORE', 'VANISHED', 'CANCEL_OFFER')),
  note           TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  resolved_at    INTEGER
) STRICT;
INSERT INTO new_discrepancies (id, org_id, bot_id, sync_id, kind, item_id, app_id, asset_id, item_name, details, resolution, note, created_at, resolved_at)
  SELECT id, org_id, bot_id, sync_id, kind, item_id, app_id, asset_id, item_name, details, resolution, note, created_at, resolved_at FROM discrepancies;
DROP TABLE discrepancies;
ALTER TABLE new_discrepancies RENAME TO discrepancies;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution IS NULL AND trade_offer_id IS NULL;
CREATE INDEX discrepancies_unresolved ON discrepancies (bot_id, created_at)
  WHERE resolution IS NULL;
-- An offer is reported once, whatever was decided about it.
CREATE UNIQUE INDEX discrepancies_offer ON discrepancies (bot_id, trade_offer_id)
  WHERE trade_offer_id IS NOT NULL;
CREATE INDEX discrepancies_of_org ON discrepancies (org_id, created_at, id);
CREATE INDEX discrepancies_ignored ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution = 'IGNORE';
CREATE INDEX discrepancies_offer_open ON discrepancies (bot_id) WHERE offer_open = 1;

-- What the trade history tells of assets that the books cannot explain yet.
CREATE TABLE traded_assets (
  bot_id     BLOB NOT NULL REFERENCES bots (id),
  app_id     INTEGER NOT NULL,
  asset_id   INTEGER NOT NULL,
  given      INTEGER NOT NULL,
  trade_id   TEXT NOT NULL,
  partner_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (bot_id, app_id, asset_id, given)
) STRICT;
CREATE INDEX traded_assets_age ON traded_assets (created_at);

-- By its asset an item is found whatever its state.
CREATE INDEX items_of_asset ON items (steam_app_id, steam_asset_id);
