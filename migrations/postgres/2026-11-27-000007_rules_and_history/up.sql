ALTER TABLE organizations ADD COLUMN donation_rules JSONB NOT NULL DEFAULT '{}';
ALTER TABLE organizations ADD COLUMN friend_invites BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE organizations ADD COLUMN offer_ttl_seconds INTEGER NOT NULL DEFAULT 259200;
ALTER TABLE organizations ADD COLUMN cancel_unknown_offers BOOLEAN NOT NULL DEFAULT TRUE;

ALTER TABLE bots ADD COLUMN steam_token_expires_at TIMESTAMPTZ;
ALTER TABLE bots ADD COLUMN steam_token_warned BOOLEAN NOT NULL DEFAULT FALSE;
-- When its last trade was reported: an inventory that was read before does not show it.
ALTER TABLE bots ADD COLUMN traded_at TIMESTAMPTZ;

ALTER TABLE inventory_sync_log ADD COLUMN sync_trigger TEXT NOT NULL DEFAULT 'schedule' CHECK (sync_trigger IN ('session', 'schedule', 'trade', 'failure', 'request'));
ALTER TABLE inventory_sync_log ADD COLUMN accuracy_ppm INTEGER NOT NULL DEFAULT 0;

ALTER TABLE donations DROP CONSTRAINT donations_state_check;
ALTER TABLE donations ADD CONSTRAINT donations_state_check
  CHECK (state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED', 'RECEIVED', 'DECLINED', 'ENDED', 'REVERSED'));
ALTER TABLE donations ADD COLUMN decline_reason TEXT;
ALTER TABLE donations ADD COLUMN items_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE donations ADD COLUMN estimated_usd_cents BIGINT NOT NULL DEFAULT 0;
ALTER TABLE donations ADD COLUMN settles_at TIMESTAMPTZ;
UPDATE donations SET items_count = jsonb_array_length(assets);
DROP INDEX donations_open;
CREATE INDEX donations_of_bot ON donations (bot_id, state, created_at);
CREATE INDEX donations_of_org ON donations (org_id, created_at, id);
CREATE INDEX donations_of_donor ON donations (org_id, donor_id, created_at, id);
CREATE INDEX donations_of_trade ON donations (bot_id, trade_id) WHERE trade_id IS NOT NULL;

ALTER TABLE discrepancies ALTER COLUMN sync_id DROP NOT NULL;
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_kind_check;
ALTER TABLE discrepancies ADD CONSTRAINT discrepancies_kind_check
  CHECK (kind IN ('UNKNOWN_ASSET', 'MISSING_ASSET', 'ASSIGNED_MISSING', 'UNKNOWN_TRADE', 'UNKNOWN_OFFER'));
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_resolution_check;
ALTER TABLE discrepancies ADD CONSTRAINT discrepancies_resolution_check
  CHECK (resolution IN ('ADOPT', 'WRITE_OFF', 'IGNORE', 'VANISHED', 'CANCEL_OFFER'));
ALTER TABLE discrepancies ADD COLUMN trade_id TEXT;
ALTER TABLE discrepancies ADD COLUMN trade_offer_id TEXT;
ALTER TABLE discrepancies ADD COLUMN user_id BIGINT;
ALTER TABLE discrepancies ADD COLUMN offer_open BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX discrepancies_open;
CREATE UNIQUE INDEX discrepancies_open ON discrepancies (bot_id, app_id, asset_id)
  WHERE resolution IS NULL AND trade_offer_id IS NULL;
CREATE INDEX discrepancies_unresolved ON discrepancies (bot_id, created_at)
  WHERE resolution IS NULL;
-- An offer is reported once, whatever was decided about it.
CREATE UNIQUE INDEX discrepancies_offer ON discrepancies (bot_id, trade_offer_id)
  WHERE trade_offer_id IS NOT NULL;
CREATE INDEX discrepancies_offer_open ON discrepancies (bot_id) WHERE offer_open;

-- What the trade history tells of assets that the books cannot explain yet.
CREATE TABLE traded_assets (
  bot_id     UUID NOT NULL REFERENCES bots (id),
  app_id     INTEGER NOT NULL,
  asset_id   BIGINT NOT NULL,
  given      BOOLEAN NOT NULL,
  trade_id   TEXT NOT NULL,
  partner_id BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (bot_id, app_id, asset_id, given)
);
CREATE INDEX traded_assets_age ON traded_assets (created_at);

-- By its asset an item is found whatever its state.
CREATE INDEX items_of_asset ON items (steam_app_id, steam_asset_id);
