"""The metrics: each is defined once, with its meaning, and answered with a receipt."""
