"""How people are told: what is written, and the ways by which it reaches them."""
