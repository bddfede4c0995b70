-- The server knows the kinds; a new one needs no other table.
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_kind_check;
-- Stacks are looked for with each run.
CREATE INDEX discrepancies_stacks ON discrepancies (bot_id) WHERE kind = 'STACK';
