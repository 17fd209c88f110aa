"""Respondents in clusters: part of every variable is shared within a cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import OptionError
from psm_analysis.sem.arrays import Array, Index


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Intraclass correlation of all variables, and respondents per cluster (the last one may be smaller)."""

    icc: float
    size: int

    def codes(self, nobs: int) -> Index:
        """Return the cluster of each respondent."""
        return np.arange(nobs, dtype=np.intp) // self.size

    def mix(self, scores: Array, rng: np.random.Generator) -> Array:
        """Return standard normal scores with a part in common within clusters.

        ``sqrt(icc) b_cluster + sqrt(1 - icc) w``: means and covariances of the variables stay what they are.
        """
        codes = self.codes(len(scores))
        shared = rng.standard_normal((int(codes[-1]) + 1, scores.shape[1]))
        return np.asarray(np.sqrt(self.icc) * shared[codes] + np.sqrt(1.0 - self.icc) * scores)


def plan_clusters(icc: float, size: int) -> ClusterPlan | None:
    """Return the plan, or None without dependence.

    Raises
    ------
    OptionError
        For an intraclass correlation outside 0 and 1, or clusters of fewer than two.

    Examples
    --------
    >>> plan_clusters(0.1, 3).codes(7).tolist()
    [0, 0, 0, 1, 1, 1, 2]
    """
    if not 0.0 <= icc < 1.0 or size < 2:
        raise OptionError(
            f"icc={icc} and cluster_size={size} cannot be used.",
            where="arguments 'icc' and 'cluster_size'",
            remedy="Give an intraclass correlation of 0 or more and below 1, and clusters of 2 or more.",
        )
    return ClusterPlan(float(icc), int(size)) if icc > 0 else None
