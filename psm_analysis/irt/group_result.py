"""The result of a test of item functioning in a graded response model of several groups."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from psm_analysis._results import Result


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GradedFunctioning(Result):
    """Likelihood-ratio tests of every item, and the trait by group.

    Attributes
    ----------
    items
        Index item; n; chisq, df and p of thresholds (uniform), slope (nonuniform) and both (total); p_total_adjusted
        (Holm); difference (how many scale points more the second group answers at the same trait, averaged over its
        trait) and difference_unsigned; the differences are NaN with more than two groups.
    groups
        Index group; n, mean and sd of the trait with the anchors (or all items) equal; 0 and 1 in the first.
    anchors
        Items that were held equal throughout; empty if each item was tested with all others as anchors.
    converged
        Whether every model settled.
    warnings
        What is doubtful about the result.
    """

    items: pd.DataFrame
    groups: pd.DataFrame
    anchors: tuple[str, ...]
    converged: bool
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per tested item."""
        return self.items.reset_index()

    def glance(self) -> pd.DataFrame:
        """Return one row: people, groups, tested items, anchors, items that differ at 5 % after adjustment."""
        row = {
            "nobs": int(self.groups["n"].sum()),
            "groups": len(self.groups),
            "items": len(self.items),
            "anchors": ", ".join(self.anchors) or "all other items",
            "differing": int((self.items["p_total_adjusted"] < 0.05).sum()),
            "converged": self.converged,
        }
        return pd.DataFrame([row])
