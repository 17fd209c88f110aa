"""What is minimised: one file per kind of discrepancy, behind one protocol."""
