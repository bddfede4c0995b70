ALTER TABLE api_keys DROP COLUMN stream_rate;
ALTER TABLE api_keys DROP COLUMN write_rate;
ALTER TABLE api_keys DROP COLUMN read_rate;
