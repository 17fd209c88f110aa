"""The result of a rotation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._results import Result

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class RotationResult(Result):
    """Rotated loadings and how they were reached.

    Attributes
    ----------
    loadings
        Rotated (pattern) loadings, (items, factors).
    rotation_matrix
        T. Orthogonal: ``loadings = A T``. Oblique: ``loadings = A inv(T)'`` and the factor correlations are ``T'T``.
    factor_correlations
        (factors, factors), or None for an orthogonal rotation.
    criterion
        Value at the best start (for promax, that of its varimax step).
    converged
        Whether the best start converged.
    n_local_minima
        How many different minima the converged starts ended in.
    criterion_values
        Final value of every start, in the order of the starts.
    """

    method: str
    loadings: FloatArray
    rotation_matrix: FloatArray
    factor_correlations: FloatArray | None
    criterion: float
    converged: bool
    n_local_minima: int
    criterion_values: FloatArray
    iterations: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per loading: item, factor (both counted from 1), estimate."""
        p, k = self.loadings.shape
        return pd.DataFrame(
            {
                "item": np.repeat(np.arange(1, p + 1), k),
                "factor": np.tile(np.arange(1, k + 1), p),
                "estimate": self.loadings.ravel(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: method, criterion, convergence, starts and local minima."""
        return pd.DataFrame(
            {
                "method": [self.method],
                "criterion": [self.criterion],
                "converged": [self.converged],
                "iterations": [self.iterations],
                "n_starts": [len(self.criterion_values)],
                "n_local_minima": [self.n_local_minima],
            }
        )
