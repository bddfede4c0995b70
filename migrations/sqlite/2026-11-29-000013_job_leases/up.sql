-- Which server does a job now; another takes it over when that one is silent.
CREATE TABLE job_leases (
  name      TEXT PRIMARY KEY,
  holder    BLOB NOT NULL,
  leased_at INTEGER NOT NULL,
  ends_at   INTEGER NOT NULL
) STRICT;
