"""Questionnaires as data: items, keys, scoring rules, sources, and the measurement models they imply."""
