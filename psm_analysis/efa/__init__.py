"""Exploratory factor analysis: suitability, number of factors, extraction, scores, Schmid-Leiman."""
