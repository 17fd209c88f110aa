"""Many one-parameter likelihoods maximised at once over correlations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from psm_analysis.moments.sample import FloatArray, IntArray

BOUND = 0.9999
NEWTON_STEP = 1e-7  # with exact second derivatives the error after such a step is of the order of its square

Score = Callable[[FloatArray, IntArray], tuple[FloatArray, FloatArray]]


def maximise_correlations(
    score: Score, count: int, *, last_step: float = 1e-11, start: FloatArray | None = None
) -> FloatArray:
    """Return the (count,) correlations at which the scores vanish: Newton steps, bisection where one overshoots.

    `score(rho, active)` returns the derivative of the log-likelihood and a positive curvature for the problems with
    the numbers `active`; they start at 0, or at `start`. A step of `last_step` or less is the last one. A solution at
    the bound of +-0.9999 is returned as exactly that.

    Examples
    --------
    >>> maximise_correlations(lambda rho, active: (0.5 - rho, np.ones_like(rho)), 2).tolist()
    [0.5, 0.5]
    """
    low, high = np.full(count, -BOUND), np.full(count, BOUND)
    rho = np.zeros(count) if start is None else np.clip(start, 0.99 * low, 0.99 * high)
    active = np.arange(count)
    for _ in range(100):
        if active.size == 0:
            break
        gradient, curvature = score(rho[active], active)
        low[active] = np.where(gradient >= 0.0, rho[active], low[active])
        high[active] = np.where(gradient <= 0.0, rho[active], high[active])
        proposal = rho[active] + gradient / np.maximum(curvature, 1e-300)
        inside = (proposal > low[active]) & (proposal < high[active])
        proposal = np.where(inside, proposal, 0.5 * (low[active] + high[active]))
        step = proposal - rho[active]
        rho[active] = proposal
        active = active[np.abs(step) > last_step]
    return np.where(np.abs(rho) > BOUND - max(1e-8, 2.0 * last_step), np.copysign(BOUND, rho), rho)
