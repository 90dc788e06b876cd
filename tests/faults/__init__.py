"""Campaigns of faults: processes killed at random moments, and what must be true afterwards."""
