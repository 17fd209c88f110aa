"""Permutation tests of invariance: exact where groups are small.

References
----------
Jorgensen, T. D., Kite, B. A., Chen, P.-Y., & Short, S. D. (2018). Permutation randomization methods for testing
measurement equivalence and detecting differential item functioning in multiple-group confirmatory factor analysis.
Psychological Methods, 23, 708-728.
"""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._results import Result
from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.invariance.permutation_fits import MEASURES, permuted_measures
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.result import SemResult

WORSE = {"chisq": 1.0, "cfi": -1.0, "rmsea": 1.0, "srmr": 1.0}
LEAST = 20
TOLERABLE_LOSS = 0.1


@dataclass(frozen=True, slots=True, repr=False)
class PermutationTest(Result):
    """Permutation tests of the steps of a ladder.

    Attributes
    ----------
    frame
        One row per step and measure; see :meth:`tidy`.
    n, seed
        The number of permutations and the seed that gives them again.
    distributions
        The values of each step in all permutations, shape ``(n, 4)``: chi-square, CFI, RMSEA, SRMR or their changes.
    warnings
        What is doubtful: permutations without a solution.
    """

    frame: pd.DataFrame
    n: int
    seed: int
    distributions: Mapping[str, Array]
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per step and measure.

        Columns: ``step, measure`` (of the first step the fit itself, of later ones its change: ``delta_cfi`` ...),
        ``observed, critical`` (the worst 5 per cent of the permutations begin there), ``p_value, n`` (permutations with
        a solution).
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: permutations, seed, and how many had a solution at every step."""
        return pd.DataFrame([{"n": self.n, "seed": self.seed, "solved": int(self.frame["n"].min())}])


def permutation_test(fits: Mapping[str, SemResult], *, n: int, seed: int) -> PermutationTest:
    """Return the tests of the steps of a ladder over groups.

    Under the hypothesis of a step the groups are exchangeable. Their labels are permuted `n` times, all steps fitted
    anew, and ``p = (1 + #{permuted change at least as bad}) / (1 + n)``.
    """
    _check(fits, n)
    steps, solutions = list(fits), list(fits.values())
    found = permuted_measures(solutions, n, seed=seed)
    observed = np.array([[fit.fit_measures[name] for name in MEASURES] for fit in solutions])
    rows: list[dict[str, object]] = []
    distributions: dict[str, Array] = {}
    for k, step in enumerate(steps):
        values, value = found[:, k], observed[k]
        if k:
            values, value = values - found[:, k - 1], value - observed[k - 1]
        values = values[~np.isnan(values).any(axis=1)]
        distributions[step] = values
        rows += [
            {"step": step, "measure": f"delta_{name}" if k else name, **_tested(values[:, j], float(value[j]), name)}
            for j, name in enumerate(MEASURES)
        ]
    frame = pd.DataFrame(rows)
    lost = n - int(frame["n"].min())
    notes = [f"{lost} of {n} permutations had no solution at some step and are left out."] if lost else []
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=3)
    return PermutationTest(frame, n, seed, distributions, tuple(notes))


def _tested(values: Array, observed: float, name: str) -> dict[str, object]:
    """Return the test of one measure; what differs by rounding only counts as equal."""
    bad, limit = WORSE[name] * values, WORSE[name] * observed
    p_value = (1 + int((bad >= limit - 1e-9 * max(1.0, abs(limit))).sum())) / (1 + len(values))
    critical = WORSE[name] * float(np.quantile(bad, 0.95)) if len(bad) else np.nan
    return {"observed": observed, "critical": critical, "p_value": p_value, "n": len(values)}


def _check(fits: Mapping[str, SemResult], n: int) -> None:
    if n < LEAST:
        raise OptionError(
            f"n={n} is too few permutations.", where="argument 'n'", remedy=f"Ask for {LEAST} or more; 1,000 are usual."
        )
    sample = next(iter(fits.values())).sample
    if any(group.weights is not None or group.clusters is not None for group in sample.groups):
        raise OptionError(
            "Rows with sampling weights or in clusters are not exchangeable.",
            where="permutation_test",
            remedy="Use the scaled difference tests of the ladder.",
        )
