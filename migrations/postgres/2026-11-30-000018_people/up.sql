-- The list of people in the order in which they were met, and one person in all organisations.
CREATE INDEX users_of_org ON users (org_id, created_at, steam_id);
CREATE INDEX users_by_age ON users (created_at, steam_id, org_id);
CREATE INDEX users_of_person ON users (steam_id, created_at, org_id);

-- Who made a reservation, of how many items, and which assignment took them: its items forget it when
-- it ends. A server of the version before leaves these out.
ALTER TABLE reservations ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE reservations ADD COLUMN items_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reservations ADD COLUMN assignment_id UUID;
UPDATE reservations SET source = 'session:' || api_key_id
  WHERE api_key_id IN (SELECT id FROM api_keys WHERE session_of IS NOT NULL);
CREATE INDEX reservations_of_org ON reservations (org_id, created_at, id);
CREATE INDEX reservations_by_age ON reservations (created_at, id);
-- Those that hold are few beside those that ended.
CREATE INDEX reservations_held ON reservations (org_id, created_at, id) WHERE state = 'HELD';
CREATE INDEX reservations_held_by_age ON reservations (created_at, id) WHERE state = 'HELD';
