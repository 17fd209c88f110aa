"""Means, covariances, correlations and their distribution: what the models are fitted to."""
