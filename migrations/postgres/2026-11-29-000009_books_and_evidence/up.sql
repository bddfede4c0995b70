-- A Steam asset is in one bot's books at most once: what another bot lists decides nothing there.
DROP INDEX items_asset;
CREATE UNIQUE INDEX items_asset ON items (bot_id, steam_app_id, steam_asset_id)
  WHERE steam_asset_id IS NOT NULL AND state NOT IN ('DELIVERED', 'WITHDRAWN');

-- Reversals of trades that the books do not know yet.
CREATE TABLE reversed_trades (
  bot_id     UUID NOT NULL REFERENCES bots (id),
  trade_id   TEXT NOT NULL,
  trade      JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (bot_id, trade_id)
);
CREATE INDEX reversed_trades_age ON reversed_trades (created_at);

ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_kind_check;
ALTER TABLE discrepancies ADD CONSTRAINT discrepancies_kind_check
  CHECK (kind IN ('UNKNOWN_ASSET', 'MISSING_ASSET', 'ASSIGNED_MISSING', 'UNKNOWN_TRADE', 'UNKNOWN_OFFER', 'REPORT_REFUSED', 'CLAIMED_TWICE'));
-- What it is about when that is not the asset alone.
ALTER TABLE discrepancies ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE discrepancies ADD COLUMN assignment_id UUID REFERENCES assignments (id);
DROP INDEX discrepancies_open;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id, subject)
  WHERE resolution IS NULL AND trade_offer_id IS NULL;
