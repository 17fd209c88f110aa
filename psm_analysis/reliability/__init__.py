"""Reliability, validity and agreement of scales."""
