"""Standard errors of the linking coefficients, from the sampling errors of both calibrations.

A and B solve two equations ``g(A, B; items) = 0``: those of the moments, or a gradient that is zero. By the implicit
function theorem ``d(A, B) / d items = -(dg / d(A, B))^-1 dg / d items``, and the delta method gives their covariance.

References
----------
Ogasawara, H. (2000). Asymptotic standard errors of IRT equating coefficients using moments. Economic Review (Otaru
University of Commerce), 51, 1-23. Ogasawara, H. (2001). Standard errors of item response theory equating/linking by
response function methods. Applied Psychological Measurement, 25, 53-67.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from psm_analysis.irt.link_curves import STEP, Anchor, Anchors, Equations
from psm_analysis.moments.central_differences import central_differences
from psm_analysis.moments.sample import FloatArray


def link_covariance(
    equations: Equations, old: Anchors, new: Anchors, *, at: tuple[float, float], errors: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Return the covariance matrix of A and B.

    Parameters
    ----------
    equations
        Two functions of the anchors in both calibrations and of (A, B) that are zero at the solution.
    old, new
        The anchors.
    at
        The solution.
    errors
        Covariance matrices of slope and thresholds of the anchors, item by item, in the two (independent) calibrations.

    Examples
    --------
    >>> item = Anchor(1.0, np.array([-1.0, 1.0]))
    >>> def means(old, new, x):
    ...     return np.array([x[0] - 1.0, x[1] - old[0].thresholds.mean() + x[0] * new[0].thresholds.mean()])
    >>> V = np.diag([0.1, 0.02, 0.02])
    >>> link_covariance(means, [item], [item], at=(1.0, 0.0), errors=(V, V)).round(6).tolist()
    [[0.0, 0.0], [0.0, 0.02]]
    """
    x = np.array(at)
    jacobian = partial(central_differences, step=STEP)
    inner = jacobian(lambda moved: equations(old, new, moved), x)
    by_old = jacobian(lambda p: equations(_anchors(p, old), new, x), _flat(old))
    by_new = jacobian(lambda p: equations(old, _anchors(p, new), x), _flat(new))
    J = -np.linalg.solve(inner, np.hstack([by_old, by_new]))
    split = by_old.shape[1]
    covariance: FloatArray = J[:, :split] @ errors[0] @ J[:, :split].T + J[:, split:] @ errors[1] @ J[:, split:].T
    return covariance


def _flat(items: Anchors) -> FloatArray:
    return np.concatenate([[item.slope, *item.thresholds] for item in items])


def _anchors(values: FloatArray, like: Anchors) -> Sequence[Anchor]:
    ends = np.cumsum([1 + len(item.thresholds) for item in like])
    parts = np.split(values, ends[:-1])
    return [Anchor(float(part[0]), part[1:]) for part in parts]
