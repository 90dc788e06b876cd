"""The lake: what the company's facts are, copied from Postgres exactly once, and the rollups made from them."""
