"""Regressions of an outcome on scale scores, thin on statsmodels: blocks, ordered logit, correlations."""
