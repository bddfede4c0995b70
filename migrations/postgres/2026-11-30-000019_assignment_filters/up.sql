-- What is blocked is found at once beside whatever is over, in the order of the list: of one
-- organisation, and of all.
CREATE INDEX assignments_blocked_of_org ON assignments (org_id, created_at, id)
  WHERE state = 'BLOCKED';
CREATE INDEX assignments_blocked_by_age ON assignments (created_at, id) WHERE state = 'BLOCKED';
-- People paste the number of an offer.
CREATE INDEX assignments_of_offer ON assignments (delivery_trade_offer_id, created_at, id)
  WHERE delivery_trade_offer_id IS NOT NULL;
