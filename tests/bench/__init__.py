"""Measurements, run by hand: they print what they found and change nothing."""
