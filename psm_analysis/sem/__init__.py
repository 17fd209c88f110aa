"""Structural equation models: from a model text to estimates, tests and everything after the fit."""
