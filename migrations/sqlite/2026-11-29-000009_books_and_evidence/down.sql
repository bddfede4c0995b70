CREATE TABLE old_discrepancies (
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
INSERT INTO old_discrepancies (id, org_id, bot_id, sync_id, kind, item_id, app_id, asset_id, item_name, details, trade_id, trade_offer_id, user_id, offer_open, resolution, note, created_at, resolved_at)
  SELECT id, org_id, bot_id, sync_id, kind, item_id, app_id, asset_id, item_name, details, trade_id, trade_offer_id, user_id, offer_open, resolution, note, created_at, resolved_at
  FROM discrepancies WHERE kind NOT IN ('REPORT_REFUSED', 'CLAIMED_TWICE');
DROP TABLE discrepancies;
ALTER TABLE old_discrepancies RENAME TO discrepancies;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution IS NULL AND trade_offer_id IS NULL;
CREATE INDEX discrepancies_unresolved ON discrepancies (bot_id, created_at)
  WHERE resolution IS NULL;
CREATE UNIQUE INDEX discrepancies_offer ON discrepancies (bot_id, trade_offer_id)
  WHERE trade_offer_id IS NOT NULL;
CREATE INDEX discrepancies_of_org ON discrepancies (org_id, created_at, id);
CREATE INDEX discrepancies_ignored ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution = 'IGNORE';
CREATE INDEX discrepancies_offer_open ON discrepancies (bot_id) WHERE offer_open = 1;

DROP TABLE reversed_trades;

-- Of an asset that two bots' books have, the older record stays.
UPDATE items SET state = 'WITHDRAWN'
  WHERE state NOT IN ('DELIVERED', 'WITHDRAWN') AND EXISTS (
    SELECT 1 FROM items AS other
    WHERE other.steam_app_id = items.steam_app_id AND other.steam_asset_id = items.steam_asset_id
      AND other.state NOT IN ('DELIVERED', 'WITHDRAWN') AND other.id < items.id);
DROP INDEX items_asset;
CREATE UNIQUE INDEX items_asset ON items (steam_app_id, steam_asset_id)
  WHERE steam_asset_id IS NOT NULL AND state NOT IN ('DELIVERED', 'WITHDRAWN');
