UPDATE assignment_items SET delivery_status = 'returned' WHERE delivery_status = 'reversed';
ALTER TABLE assignment_items
  DROP COLUMN given_asset_id,
  DROP CONSTRAINT assignment_items_delivery_status_check,
  ADD CONSTRAINT assignment_items_delivery_status_check
    CHECK (delivery_status IN ('pending', 'delivered', 'returned'));

DROP INDEX delivery_attempts_of_trade;
DROP INDEX delivery_attempts_to_withdraw;
ALTER TABLE delivery_attempts DROP COLUMN withdraw_at;

ALTER TABLE users DROP COLUMN trade_token_set_at;

DROP INDEX assignments_blocked;
DROP INDEX assignments_queued;
CREATE INDEX assignments_queued ON assignments (bot_id, assignment_priority, created_at)
  WHERE state = 'QUEUED';
ALTER TABLE assignments
  DROP COLUMN reversed_at,
  DROP COLUMN heir,
  DROP COLUMN successor_id,
  DROP COLUMN predecessor_id,
  DROP COLUMN runner_up_user_ids,
  DROP COLUMN tries;
