"""Exogenous covariates of a two-step analysis: checked, and standardised so that regressions are well scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import DataError
from psm_analysis.moments.sample import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Standardised covariates: ``values = (x - centre) / scale``, (N, q); q is 0 without covariates."""

    values: FloatArray
    centre: FloatArray
    scale: FloatArray

    @property
    def count(self) -> int:
        """Number of covariates."""
        return int(self.values.shape[1])


def read_covariates(x: FloatArray | None, *, n_rows: int, names: Sequence[str] | None = None) -> Covariates:
    """Check and standardise the covariates.

    Raises
    ------
    DataError
        If a value is missing, the rows do not match, or a covariate is constant or a linear combination of the others.

    Examples
    --------
    >>> read_covariates(np.array([[1.0], [3.0]]), n_rows=2).values.ravel().tolist()
    [-1.0, 1.0]
    """
    values = np.zeros((n_rows, 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    labels = [f"x{j + 1}" for j in range(values.shape[1])] if names is None else list(names)
    if len(values) != n_rows:
        raise DataError(
            f"There are {len(values)} rows of covariates and {n_rows} rows of outcomes.",
            where="argument 'x'",
            remedy="Give one row of covariates for every row of outcomes.",
        )
    incomplete = [label for label, column in zip(labels, values.T, strict=True) if not np.isfinite(column).all()]
    if incomplete:
        raise DataError(
            f"Covariates must be complete: {', '.join(incomplete)} has missing or infinite values.",
            where="argument 'x'",
            remedy="Leave out these rows, or make the covariates part of the model.",
        )
    centre, scale = values.mean(axis=0), values.std(axis=0)
    check_collinear(values, labels)
    return Covariates((values - centre) / scale, centre, scale)


def check_collinear(x: FloatArray, names: Sequence[str], *, rows_of: str = "") -> None:
    """Raise a DataError that names the first covariate that the constant and the covariates before it determine.

    Examples
    --------
    >>> check_collinear(np.array([[0.0, 1.0], [1.0, 1.5], [2.0, 5.0]]), ["a", "b"])
    """
    basis = np.ones((len(x), 1)) / np.sqrt(max(len(x), 1))
    for name, column in zip(names, x.T, strict=True):
        size = float(np.linalg.norm(column))
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)
        if np.linalg.norm(rest) <= 1e-10 * max(size, 1e-300):
            constant = float(np.ptp(column)) <= 1e-12 * size
            reason = "constant" if constant else "a linear combination of the covariates before it"
            raise DataError(
                f"The covariate {name!r} is {reason}{f' among the rows that answered {rows_of!r}' if rows_of else ''}.",
                where="argument 'x'",
                remedy="Leave it out.",
            )
        basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
