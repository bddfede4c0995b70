DROP INDEX assignments_open;
DROP INDEX items_of_bot;
CREATE INDEX items_of_bot ON items (bot_id, state);
DROP TABLE report_place;
DROP TABLE report_hours;
DROP TABLE report_days;
