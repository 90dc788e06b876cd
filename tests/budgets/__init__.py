"""Tests of budgets, alerts and emergency stops."""
