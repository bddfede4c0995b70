DROP TRIGGER system_events_enqueue ON system_events;
DROP FUNCTION event_enqueue();
DROP TABLE event_queue;
DROP TABLE event_log;
DROP TABLE event_chain;
ALTER TABLE system_events DROP COLUMN personal_salt, DROP COLUMN personal_data;
DROP INDEX system_events_of_user;
DROP INDEX system_events_of_item;
DROP INDEX system_events_of_assignment;
CREATE INDEX system_events_of_item ON system_events (item_id, tx, seq) WHERE item_id IS NOT NULL;
CREATE INDEX system_events_of_assignment ON system_events (assignment_id, tx, seq)
  WHERE assignment_id IS NOT NULL;
