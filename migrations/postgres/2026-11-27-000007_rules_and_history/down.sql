DROP INDEX items_of_asset;
DROP TABLE traded_assets;

DELETE FROM discrepancies WHERE sync_id IS NULL OR kind IN ('UNKNOWN_TRADE', 'UNKNOWN_OFFER');
DROP INDEX discrepancies_offer_open;
DROP INDEX discrepancies_offer;
DROP INDEX discrepancies_unresolved;
DROP INDEX discrepancies_open;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution IS NULL;
ALTER TABLE discrepancies DROP COLUMN offer_open;
ALTER TABLE discrepancies DROP COLUMN user_id;
ALTER TABLE discrepancies DROP COLUMN trade_offer_id;
ALTER TABLE discrepancies DROP COLUMN trade_id;
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_resolution_check;
ALTER TABLE discrepancies ADD CONSTRAINT discrepancies_resolution_check
  CHECK (resolution IN ('ADOPT', 'WRITE_OFF', 'IGNORE', 'VANISHED'));
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_kind_check;
ALTER TABLE discrepancies ADD CONSTRAINT discrepancies_kind_check
  CHECK (kind IN ('UNKNOWN_ASSET', 'MISSING_ASSET', 'ASSIGNED_MISSING'));
ALTER TABLE discrepancies ALTER COLUMN sync_id SET NOT NULL;

DROP INDEX donations_of_trade;
DROP INDEX donations_of_donor;
DROP INDEX donations_of_org;
DROP INDEX donations_of_bot;
CREATE INDEX donations_open ON donations (bot_id, created_at)
  WHERE state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED');
UPDATE donations SET state = 'ENDED' WHERE state = 'REVERSED';
ALTER TABLE donations DROP COLUMN settles_at;
ALTER TABLE donations DROP COLUMN estimated_usd_cents;
ALTER TABLE donations DROP COLUMN items_count;
ALTER TABLE donations DROP COLUMN decline_reason;
ALTER TABLE donations DROP CONSTRAINT donations_state_check;
ALTER TABLE donations ADD CONSTRAINT donations_state_check
  CHECK (state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED', 'RECEIVED', 'DECLINED', 'ENDED'));

ALTER TABLE inventory_sync_log DROP COLUMN accuracy_ppm;
ALTER TABLE inventory_sync_log DROP COLUMN sync_trigger;
ALTER TABLE bots DROP COLUMN traded_at;
ALTER TABLE bots DROP COLUMN steam_token_warned;
ALTER TABLE bots DROP COLUMN steam_token_expires_at;
ALTER TABLE organizations DROP COLUMN cancel_unknown_offers;
ALTER TABLE organizations DROP COLUMN offer_ttl_seconds;
ALTER TABLE organizations DROP COLUMN friend_invites;
ALTER TABLE organizations DROP COLUMN donation_rules;
