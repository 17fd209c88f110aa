"""Conditional effects, simple slopes, product indicators, and how far effects can be trusted without experiments."""
