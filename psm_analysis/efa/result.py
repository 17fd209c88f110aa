"""The result of an exploratory factor analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._model_names import quoted, summed
from psm_analysis._options import EfaScoreMethod
from psm_analysis._results import ESTIMATE, Result, format_number
from psm_analysis.efa.scores import determinacy, score_weights
from psm_analysis.errors import DataError
from psm_analysis.moments.sample import Sample, as_frame, read_sample

if TYPE_CHECKING:
    from psm_analysis.efa.crosscheck import EfaCrosscheck


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EfaResult(Result):
    """Loadings, communalities, factor correlations and fit of an exploratory factor analysis.

    Attributes
    ----------
    loadings
        Pattern loadings, items by factors; factors in order of the variance they account for, signed so that the
        loadings of each sum to a positive number.
    communalities, uniquenesses
        By item; the communality is the diagonal of ``loadings @ factor_correlations @ loadings.T``.
    complexity
        Hoffman's index by item: how many factors it takes to account for it.
    factor_correlations
        None if orthogonal.
    variance_explained
        By factor: sum of squared loadings (with correlated factors, the diagonal of Phi L'L), its share of the total
        variance, the cumulative share, and the share of the common variance.
    fit_measures
        df, rmsr, and, with the number of cases known, chisq, pvalue, rmsea with a 90 % interval, tli, cfi, bic.
    eigenvalues
        Of the correlation matrix.
    residuals
        Correlations minus what the model reproduces; uniquenesses on the diagonal.
    rotation_options
        Parameters of the rotation that were given.
    rotation_minima
        How many different minima of the rotation criterion the random starts found.
    """

    loadings: pd.DataFrame
    communalities: pd.Series
    uniquenesses: pd.Series
    complexity: pd.Series
    factor_correlations: pd.DataFrame | None
    variance_explained: pd.DataFrame
    fit_measures: dict[str, float]
    eigenvalues: np.ndarray
    correlation: pd.DataFrame
    residuals: pd.DataFrame
    unrotated: pd.DataFrame
    nobs: int | None
    extraction: str
    rotation: str
    correlation_method: str
    engine: str
    converged: bool
    rotation_minima: int
    warnings: tuple[str, ...]
    sample: Sample | None = field(default=None, repr=False)
    rotation_options: tuple[tuple[str, Any], ...] = ()

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return int(self.loadings.shape[1])

    @property
    def structure(self) -> pd.DataFrame:
        """Correlations of items with factors, loadings times factor correlations."""
        return self.loadings if self.factor_correlations is None else self.loadings @ self.factor_correlations

    @property
    def determinacy(self) -> pd.DataFrame:
        """By factor: correlation of regression scores with the factor, its square, and the least correlation of
        two sets of scores that fit equally well."""
        squared = determinacy(self.loadings.to_numpy(), self.correlation.to_numpy(), factor_correlations=self._phi())
        columns = {"correlation": np.sqrt(squared), "r_squared": squared, "minimum_correlation": 2 * squared - 1}
        return pd.DataFrame(columns, index=self.loadings.columns)

    def factor_scores(self, data: pd.DataFrame | None = None, *, method: EfaScoreMethod = "regression") -> pd.DataFrame:
        """Return factor scores of the rows without a missing answer.

        Parameters
        ----------
        data
            Answers with the same items; those analysed if left out. New answers are standardised with the means
            and standard deviations of the analysed ones, so that scores of a new wave are comparable.
        method
            regression, bartlett, tenberge or anderson_rubin.

        Raises
        ------
        DataError
            If the analysis was of a correlation matrix, or items are missing.
        """
        if self.sample is None:
            raise DataError(
                "A correlation matrix was analysed, so there are no means and deviations to standardise answers with.",
                where="argument 'data'",
                remedy="Analyse the answers, or apply score_weights() to standardised answers.",
            )
        weights = self.score_weights(method)
        answers = self.sample if data is None else self._matching(data)
        rows = answers.complete()
        centre = np.nanmean(self.sample.values, axis=0)
        spread = np.nanstd(self.sample.values, axis=0, ddof=1)
        scores = ((rows.values - centre) / spread) @ weights.to_numpy()
        return pd.DataFrame(scores, index=rows.index, columns=self.loadings.columns)

    def score_weights(self, method: EfaScoreMethod = "regression") -> pd.DataFrame:
        """Return the weights of the standardised items, see :func:`psm_analysis.efa.scores.score_weights`."""
        weights = score_weights(
            self.loadings.to_numpy(), self.correlation.to_numpy(), factor_correlations=self._phi(), method=method
        )
        return pd.DataFrame(weights, index=self.loadings.index, columns=self.loadings.columns)

    def tidy(self) -> pd.DataFrame:
        """Return one row per loading: item, factor, estimate, communality and uniqueness of the item, complexity."""
        p, k = self.loadings.shape
        item = np.repeat(np.arange(p), k)
        return pd.DataFrame(
            {
                "item": self.loadings.index.to_numpy()[item],
                "factor": np.tile(self.loadings.columns.to_numpy(), p),
                ESTIMATE: self.loadings.to_numpy().ravel(),
                "structure": self.structure.to_numpy().ravel(),
                "communality": self.communalities.to_numpy()[item],
                "uniqueness": self.uniquenesses.to_numpy()[item],
                "complexity": self.complexity.to_numpy()[item],
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: how it was done, convergence, and the fit measures."""
        head = {
            "n_factors": self.n_factors,
            "extraction": self.extraction,
            "rotation": self.rotation,
            "correlation": self.correlation_method,
            "nobs": self.nobs,
            "converged": self.converged,
        }
        fit = {name: value for name, value in self.fit_measures.items() if name not in ("nobs", "objective")}
        return pd.DataFrame([{**head, **fit}])

    def to_syntax(self, *, block: str = "efa") -> str:
        """Return the same factors as an exploratory block of a structural model (ESEM), for ``sem`` and ``cfa``.

        ``psm.cfa(result.to_syntax(), data, rotation=...)`` with an ML solution and the same rotation criterion gives
        the same loadings, with standard errors, and the block can stand in a larger model. A factor that has the name
        of an item is called ``F1_factor`` in the text.

        Raises
        ------
        ModelError
            If an item has a backquote or a line end in its name, which the model language cannot quote.

        Examples
        --------
        >>> from psm_analysis.efa.fit import efa
        >>> R = np.full((5, 5), 0.4) + 0.6 * np.eye(5)
        >>> frame = pd.DataFrame(R, list("abcde"), list("abcde"))
        >>> print(efa(frame, 2, extraction="pa").to_syntax())
        efa("efa")*F1 + efa("efa")*F2 =~ a + b + c + d + e
        """
        items = set(self.loadings.index)
        factors = [f"{name}_factor" if name in items else name for name in self.loadings.columns]
        marker = "" if len(factors) == 1 else f'efa("{block}")*'
        left = " + ".join(f"{marker}{quoted(factor)}" for factor in factors)
        return f"{left} =~ {summed(self.loadings.index)}"

    def crosscheck(self, *, tolerance: float = 1e-3) -> EfaCrosscheck:
        """Repeat the analysis with the other engine; see :func:`psm_analysis.crosscheck`."""
        from psm_analysis.efa.crosscheck import refit

        return refit(self, tolerance=tolerance)

    def loadings_table(self, *, cut: float = 0.0) -> pd.DataFrame:
        """Return loadings with communality, uniqueness and complexity; loadings below `cut` in size are NaN."""
        shown = self.loadings.where(self.loadings.abs() >= cut)
        return shown.assign(communality=self.communalities, uniqueness=self.uniquenesses, complexity=self.complexity)

    def summary(self) -> str:
        """Return the analysis as text: loadings, variance, factor correlations, fit, warnings."""
        parts = [f"Exploratory factor analysis: {self._description()}"]
        parts += [f"{title}\n{_text(frame)}" for title, frame in self._blocks()]
        parts += [self._fit_sentence()]
        parts += [f"Warning: {text}" for text in self.warnings]
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        body = "".join(f"<h5>{escape(title)}</h5>{_html(frame)}" for title, frame in self._blocks())
        notes = "".join(f"<p><em>Warning: {escape(text)}</em></p>" for text in self.warnings)
        head = f"<h4>Exploratory factor analysis</h4><p>{escape(self._description())}</p>"
        return f"{head}{body}<p>{escape(self._fit_sentence())}</p>{notes}"

    def _description(self) -> str:
        cases = "" if self.nobs is None else f", {self.nobs} cases"
        return (
            f"{self.extraction}, rotation {self.rotation}, {self.correlation_method} correlations, "
            f"{len(self.loadings)} items{cases}"
        )

    def _blocks(self) -> list[tuple[str, pd.DataFrame]]:
        blocks = [("Loadings", self.loadings_table()), ("Variance explained", self.variance_explained.T)]
        if self.factor_correlations is not None:
            blocks.append(("Factor correlations", self.factor_correlations))
        return blocks

    def _fit_sentence(self) -> str:
        fit = self.fit_measures
        if "pvalue" not in fit:
            return f"Fit: RMSR = {fit['rmsr']:.3f}, df = {fit['df']:.0f}"
        p = "p < .001" if fit["pvalue"] < 0.001 else f"p = {fit['pvalue']:.3f}"
        return (
            f"Fit: chi-square({fit['df']:.0f}) = {fit['chisq']:.2f}, {p}; RMSEA = {fit['rmsea']:.3f} "
            f"[{fit['rmsea_ci_lower']:.3f}, {fit['rmsea_ci_upper']:.3f}]; TLI = {fit['tli']:.3f}; "
            f"CFI = {fit['cfi']:.3f}; RMSR = {fit['rmsr']:.3f}; BIC = {fit['bic']:.1f}"
        )

    def _phi(self) -> np.ndarray | None:
        return None if self.factor_correlations is None else self.factor_correlations.to_numpy()

    def _matching(self, data: pd.DataFrame) -> Sample:
        data = as_frame(data)
        lacking = [name for name in self.loadings.index if name not in data.columns]
        if lacking:
            raise DataError(
                f"Items are missing: {', '.join(lacking[:8])}.",
                where="argument 'data'",
                remedy="Give a table with every item that was analysed.",
            )
        return read_sample(data[list(self.loadings.index)], allow_constant=True)


def _text(frame: pd.DataFrame) -> str:
    return str(frame.to_string(float_format=format_number))


def _html(frame: pd.DataFrame) -> str:
    return str(frame.to_html(float_format=format_number, border=0))
