DROP INDEX assignments_blocked_of_org;
DROP INDEX assignments_blocked_by_age;
DROP INDEX assignments_of_offer;
