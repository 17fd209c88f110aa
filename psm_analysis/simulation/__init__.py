"""Data from known populations, Monte Carlo studies, and power: how large a sample must be."""
