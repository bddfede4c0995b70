DELETE FROM discrepancies WHERE kind IN ('REPORT_REFUSED', 'CLAIMED_TWICE');
DROP INDEX discrepancies_open;
ALTER TABLE discrepancies DROP COLUMN assignment_id;
ALTER TABLE discrepancies DROP COLUMN subject;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution IS NULL AND trade_offer_id IS NULL;
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_kind_check;
ALTER TABLE discrepancies ADD CONSTRAINT discrepancies_kind_check
  CHECK (kind IN ('UNKNOWN_ASSET', 'MISSING_ASSET', 'ASSIGNED_MISSING', 'UNKNOWN_TRADE', 'UNKNOWN_OFFER'));

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
