-- What lists are asked for has an index in the order of the list, so that a page costs the same
-- wherever it begins, and whatever there is beside it.
CREATE INDEX items_by_age ON items (created_at, id);
CREATE INDEX items_of_kind ON items (org_id, market_hash_name, created_at, id);
CREATE INDEX items_of_donor ON items (org_id, received_from_user_id, created_at, id)
  WHERE received_from_user_id IS NOT NULL;
CREATE INDEX items_of_recipient ON items (org_id, assigned_to_user_id, created_at, id)
  WHERE assigned_to_user_id IS NOT NULL;
-- What may be given away is looked for among it alone.
CREATE INDEX items_free ON items (org_id, market_hash_name, created_at, id)
  WHERE state = 'AVAILABLE';

CREATE INDEX assignments_by_age ON assignments (created_at, id);
CREATE INDEX assignments_of_system ON assignments (org_id, external_system, created_at, id)
  WHERE external_system IS NOT NULL;
DROP INDEX assignments_of_user;
CREATE INDEX assignments_of_user ON assignments (org_id, user_id, created_at, id);

CREATE INDEX donations_by_age ON donations (created_at, id);
CREATE INDEX inventory_sync_log_by_age ON inventory_sync_log (created_at, id);
CREATE INDEX discrepancies_by_age ON discrepancies (created_at, id);
