"""Readers of what other companies send: strict, row by row, and without a place of their own to write to."""
