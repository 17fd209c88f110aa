"""Linear least squares with weights far apart, by orthogonal factors.

Rows in order of their size, pivoted columns and Householder reflections keep what light rows say beside rows a million
times as heavy; normal equations lose it.

References
----------
Cox, A. J., & Higham, N. J. (1998). Stability of Householder QR factorization for weighted least squares problems. In
Numerical analysis 1997 (pp. 57-73). Longman.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from psm_analysis.sem.arrays import Array, Index

ROUNDING = 4.0 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class GradedFactor:
    """``J[rows][:, columns] = Q R`` of a matrix of full column rank."""

    J: Array
    rows: Index
    columns: Index
    Q: Array
    R: Array

    @classmethod
    def of(cls, J: Array) -> GradedFactor:
        """Return the factors of a matrix of more rows than columns."""
        rows = np.argsort(-np.abs(J).max(axis=1, initial=0.0), kind="stable").astype(np.intp)
        Q, R, columns = scipy.linalg.qr(J[rows], mode="economic", pivoting=True, check_finite=False)
        return cls(J, rows, columns.astype(np.intp), Q, R)

    @property
    def regular(self) -> bool:
        """Whether no column vanishes beside the others."""
        return bool((np.diagonal(self.R) != 0.0).all() and np.isfinite(self.R).all())

    def solve(self, y: Array) -> Array:
        """Return the ``z`` of the least ``|y - J z|``, for one or several columns of y."""
        found = np.empty((self.J.shape[1], *y.shape[1:]))
        found[self.columns] = scipy.linalg.solve_triangular(self.R, self.Q.T @ y[self.rows], check_finite=False)
        return found

    def inverse(self) -> Array:
        """Return ``(J'J)^-1 J'``."""
        found = np.empty(self.J.T.shape)
        found[np.ix_(self.columns, self.rows)] = scipy.linalg.solve_triangular(self.R, self.Q.T, check_finite=False)
        return found

    def reach(self, y: Array, *, error: Array) -> Array:
        """Return how far `solve` moves by errors in y and by rounding.

        Rounded rows of J turn what is left of heavy rows into light directions: ``sum |J_i| |y_i|`` of the gradient.
        """
        diagonal = np.abs(np.diagonal(self.R))
        rounded = np.linalg.norm(y) + (np.abs(self.J).max(axis=1) @ np.abs(y)) / diagonal
        moved = np.abs(self.Q.T) @ error[self.rows] + ROUNDING * rounded
        root = scipy.linalg.solve_triangular(self.R, np.eye(len(self.R)), check_finite=False)
        found = np.empty(len(self.R))
        found[self.columns] = np.abs(root) @ moved
        return found

    def residual(self, y: Array) -> Array:
        """Return what the columns of J leave of y."""
        return np.asarray(y - self.J @ self.solve(y))

    def bent(self, y: Array, K: Array) -> Array | None:
        """Return the ``z`` with ``(J'J + K) z = J'y``, or None if that matrix is not positive definite."""
        inner = K[np.ix_(self.columns, self.columns)]
        half = scipy.linalg.solve_triangular(self.R, inner, trans=1, check_finite=False)
        inner = scipy.linalg.solve_triangular(self.R, half.T, trans=1, check_finite=False)
        whole = np.eye(len(K)) + 0.5 * (inner + inner.T)
        try:
            solved = scipy.linalg.cho_solve(scipy.linalg.cho_factor(whole), self.Q.T @ y[self.rows])
        except (np.linalg.LinAlgError, ValueError):
            return None
        found = np.empty(len(K))
        found[self.columns] = scipy.linalg.solve_triangular(self.R, solved, check_finite=False)
        return found
