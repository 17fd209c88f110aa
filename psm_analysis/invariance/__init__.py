"""Measurement invariance: ladders of equality over groups, partial release, effect sizes."""
