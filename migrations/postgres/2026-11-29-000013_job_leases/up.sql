-- Which server does a job now; another takes it over when that one is silent.
CREATE TABLE job_leases (
  name      TEXT PRIMARY KEY,
  holder    UUID NOT NULL,
  leased_at TIMESTAMPTZ NOT NULL,
  ends_at   TIMESTAMPTZ NOT NULL
);
