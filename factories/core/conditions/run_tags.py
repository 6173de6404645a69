"""The tags by which runs tell why they are there, and what became of them."""

CAUSE_TAG = "dp/cause"
CONDITION_TAG = "dp/condition"
LOCATION_TAG = "dp/location"
ATTEMPT_TAG = "dp/attempt"
