ALTER TABLE assignments
  ADD COLUMN tries              INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN runner_up_user_ids JSONB NOT NULL DEFAULT '[]',
  ADD COLUMN predecessor_id     UUID,
  ADD COLUMN successor_id       UUID,
  ADD COLUMN heir               JSONB,
  ADD COLUMN reversed_at        TIMESTAMPTZ;
UPDATE assignments SET tries = delivery_attempts;
-- Who waits longest goes first: what was withdrawn and queued again stands at the end.
DROP INDEX assignments_queued;
CREATE INDEX assignments_queued ON assignments (bot_id, assignment_priority DESC, next_attempt_at)
  WHERE state = 'QUEUED';
CREATE INDEX assignments_blocked ON assignments (bot_id, user_id) WHERE state = 'BLOCKED';

ALTER TABLE users ADD COLUMN trade_token_set_at TIMESTAMPTZ;

ALTER TABLE delivery_attempts ADD COLUMN withdraw_at TIMESTAMPTZ;
-- Offers that wait already, by the default of an organisation: 3 days.
UPDATE delivery_attempts SET withdraw_at = updated_at + INTERVAL '3 days' WHERE phase = 'OFFERED';
CREATE INDEX delivery_attempts_to_withdraw ON delivery_attempts (withdraw_at)
  WHERE phase = 'OFFERED';
CREATE INDEX delivery_attempts_of_trade ON delivery_attempts (bot_id, trade_id)
  WHERE trade_id IS NOT NULL;

ALTER TABLE assignment_items
  ADD COLUMN given_asset_id BIGINT,
  DROP CONSTRAINT assignment_items_delivery_status_check,
  ADD CONSTRAINT assignment_items_delivery_status_check
    CHECK (delivery_status IN ('pending', 'delivered', 'returned', 'reversed'));
