"""Which entry of the vector of mixed moments is what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class MomentLayout:
    """Positions in the vector of estimates.

    Attributes
    ----------
    thresholds
        One array per variable: positions of its thresholds; empty for a continuous variable.
    means
        (c,) positions of the means or intercepts of the continuous variables, in column order.
    slopes
        (p, q) positions of the slopes.
    variances
        (c,) positions of the (residual) variances of the continuous variables.
    covariances
        (p (p - 1) / 2,) positions of the lower triangle, column by column.
    size
        Length of the vector.
    """

    thresholds: tuple[IntArray, ...]
    means: IntArray
    slopes: IntArray
    variances: IntArray
    covariances: IntArray
    size: int

    def locations(self, variable: int) -> IntArray:
        """Return the positions of the thresholds or of the mean of one variable."""
        if len(self.thresholds[variable]):
            return self.thresholds[variable]
        before = sum(len(at) == 0 for at in self.thresholds[:variable])
        return self.means[before : before + 1]

    def lavaan_order(self) -> tuple[IntArray, FloatArray]:
        """Return (order, sign) such that ``estimates[order] * sign`` is lavaan's ``wls.obs``.

        lavaan keeps minus the mean (or intercept) of a continuous variable, as if it were a threshold, and stores the
        slopes covariate by covariate; `gamma` is permuted and signed alike.
        """
        sign = np.ones(self.size)
        sign[self.means] = -1.0
        first = np.arange(self.slopes.min() if self.slopes.size else self._after_locations(), dtype=np.int64)
        order = np.concatenate([first, self.slopes.T.ravel(), self.variances, self.covariances])
        return order, sign[order]

    def _after_locations(self) -> int:
        return len(self.means) + sum(len(at) for at in self.thresholds)


def moment_layout(ordinal: BoolArray, n_categories: IntArray, *, n_covariates: int) -> MomentLayout:
    """Return the layout: thresholds and means by variable; slopes by variable; variances; lower triangle by columns.

    Examples
    --------
    >>> layout = moment_layout(np.array([True, False]), np.array([3, 0]), n_covariates=1)
    >>> layout.thresholds[0].tolist(), layout.means.tolist(), layout.slopes.ravel().tolist()
    ([0, 1], [2], [3, 4])
    >>> layout.variances.tolist(), layout.covariances.tolist(), layout.size
    ([5], [6], 7)
    """
    p = len(ordinal)
    length = np.where(ordinal, n_categories - 1, 1)
    ends = np.cumsum(length)
    thresholds = tuple(
        np.arange(end - size if is_ordinal else end, end, dtype=np.int64)
        for is_ordinal, size, end in zip(ordinal, length, ends, strict=True)
    )
    start = int(ends[-1])
    slopes = start + np.arange(p * n_covariates, dtype=np.int64).reshape(p, n_covariates)
    start += slopes.size
    variances = start + np.arange((~ordinal).sum(), dtype=np.int64)
    covariances = start + len(variances) + np.arange(len(pair_indices(p)[0]), dtype=np.int64)
    return MomentLayout(
        thresholds, (ends - 1)[~ordinal], slopes, variances, covariances, start + len(variances) + len(covariances)
    )
