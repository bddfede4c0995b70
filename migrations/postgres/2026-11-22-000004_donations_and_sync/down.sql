DROP TABLE discrepancies;
DROP TABLE inventory_sync_log;
DROP TABLE donations;
