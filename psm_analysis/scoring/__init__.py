"""Scores of people: by the rule of an instrument, or by a frozen model."""
