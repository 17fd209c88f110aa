"""Two-level models: rows in clusters, one model within them and one between them."""
