"""The result of a graded response model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import PersonScore, check_option
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, P_VALUE, STATISTIC, STD_ERROR, Result
from psm_analysis.errors import DataError
from psm_analysis.irt.graded_kernel import category_probabilities
from psm_analysis.irt.item_fit import item_fit
from psm_analysis.irt.patterns import ResponsePatterns, read_patterns
from psm_analysis.irt.person_scores import expected_a_posteriori, maximum_a_posteriori, trait_slopes
from psm_analysis.moments.sample import FloatArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GradedResponseResult(Result):
    """Slopes and thresholds of a graded response model.

    Attributes
    ----------
    parameters
        DataFrame: item, parameter ("slope", "threshold"), category (the answer from which on the threshold counts; NaN
        for a slope), estimate, std_error, statistic, p_value, ci_low, ci_high.
    slopes, intercepts, categories
        The same by item, and the answers in order; threshold = -intercept / slope.
    vcov
        Covariance of slopes and thresholds, in the order of `parameters`.
    loglik, history
        Marginal log-likelihood, and its value at every step.
    converged, n_nodes, nobs
        Whether it settled, quadrature nodes, and people with an answer.
    patterns
        The distinct rows of answers.
    warnings
        What is doubtful about the result.
    """

    parameters: pd.DataFrame
    slopes: pd.Series
    intercepts: tuple[FloatArray, ...]
    categories: tuple[FloatArray, ...]
    vcov: pd.DataFrame
    loglik: float
    history: tuple[float, ...]
    converged: bool
    n_nodes: int
    nobs: int
    patterns: ResponsePatterns
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per slope and threshold."""
        columns = ["item", "parameter", "category", ESTIMATE, STD_ERROR, STATISTIC, P_VALUE, CI_LOW, CI_HIGH]
        return self.parameters[columns]

    def glance(self) -> pd.DataFrame:
        """Return one row: people, items, parameters, log-likelihood, AIC, BIC, convergence."""
        npar = len(self.parameters)
        row = {
            "nobs": self.nobs,
            "items": len(self.slopes),
            "npar": npar,
            "logl": self.loglik,
            "aic": -2.0 * self.loglik + 2.0 * npar,
            "bic": -2.0 * self.loglik + np.log(self.nobs) * npar,
            "converged": self.converged,
            "iterations": len(self.history),
        }
        return pd.DataFrame([row])

    def person_scores(self, data: pd.DataFrame | None = None, *, method: PersonScore = "eap") -> pd.DataFrame:
        """Return trait scores (mean 0, standard deviation 1 in the population fitted) with standard errors.

        Parameters
        ----------
        data
            Answers to the same items; those analysed if left out. Rows without any answer are left out.
        method
            "eap" (posterior mean and standard deviation) or "map" (posterior mode).

        Returns
        -------
        DataFrame
            estimate, std_error; index of the rows.

        Raises
        ------
        DataError
            If an item is missing, or an answer occurs that the model does not know.
        """
        check_option(method, PersonScore, name="method")
        patterns = self.patterns if data is None else self._read(data)
        slopes = self.slopes.to_numpy()
        if method == "eap":
            score, error = expected_a_posteriori(patterns, slopes, intercepts=self.intercepts, n_nodes=self.n_nodes)
        else:
            score, error = maximum_a_posteriori(patterns, slopes, intercepts=self.intercepts)
        row = patterns.row_pattern
        return pd.DataFrame({ESTIMATE: score[row], STD_ERROR: error[row]}, index=patterns.index)

    def category_curves(self, theta: Sequence[float] | None = None) -> pd.DataFrame:
        """Return item characteristic curves: item, category, theta, probability; theta from -4 to 4 unless given."""
        grid = np.linspace(-4.0, 4.0, 81) if theta is None else np.asarray(theta, dtype=float)
        parts = []
        for (name, a), d, own in zip(self.slopes.items(), self.intercepts, self.categories, strict=True):
            P = category_probabilities(float(a), d, theta=grid)
            parts.append(
                pd.DataFrame(
                    {
                        "item": name,
                        "category": np.tile(own, len(grid)),
                        "theta": np.repeat(grid, len(own)),
                        "probability": P.ravel(),
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    def information_curves(self, theta: Sequence[float] | None = None) -> pd.DataFrame:
        """Return theta, the Fisher information of every item, of the test, and the standard error it allows."""
        grid = np.linspace(-4.0, 4.0, 81) if theta is None else np.asarray(theta, dtype=float)
        table = pd.DataFrame({"theta": grid})
        for (name, a), d in zip(self.slopes.items(), self.intercepts, strict=True):
            P, slope = trait_slopes(float(a), d, theta=grid)
            table[str(name)] = (slope**2 / P).sum(axis=1)
        test = table.drop(columns="theta").sum(axis=1)
        return table.assign(test=test, std_error=1.0 / np.sqrt(test))

    def item_fit(self, *, minimum_expected: float = 1.0) -> pd.DataFrame:
        r"""Test the fit of every item: answers of people of the same summed score against those expected (S-X2).

        .. math:: S\text{-}X^2_i = \sum_k \sum_z \frac{(O_{kz} - E_{kz})^2}{E_{kz}}

        over summed scores k and categories z; neighbouring categories of a score are merged until each is expected
        often enough. People with a missing answer are left out.

        Parameters
        ----------
        minimum_expected
            Least expected number of answers in a cell.

        Returns
        -------
        DataFrame
            Index item; n, statistic, df (cells less one per score, less the parameters of the item), p_value, rmsea
            (of the item), p_adjusted (Holm). NaN where no degree of freedom is left.

        Raises
        ------
        DataError
            If nobody answered all items.

        References
        ----------
        Orlando, M., & Thissen, D. (2000). Applied Psychological Measurement, 24, 50-64. Kang, T., & Chen, T. T. (2008).
        Journal of Educational Measurement, 45, 391-406. In R: ``mirt::itemfit``.
        """
        if not (self.patterns.codes >= 0).all(axis=1).any():
            raise DataError(
                "Nobody answered all items, so that there are no summed scores to compare.",
                where="the answers fitted",
                remedy="Look at the items with item_analysis(), or fit those that most people answered.",
            )
        return item_fit(
            self.patterns,
            self.slopes.to_numpy(),
            intercepts=self.intercepts,
            n_nodes=self.n_nodes,
            minimum=minimum_expected,
        )

    def _read(self, data: pd.DataFrame) -> ResponsePatterns:
        lacking = [name for name in self.slopes.index if name not in data.columns]
        if lacking:
            raise DataError(
                f"Items are missing: {', '.join(lacking[:8])}.",
                where="argument 'data'",
                remedy="Give a table with every item of the model.",
            )
        return read_patterns(data[list(self.slopes.index)], categories=self.categories)
