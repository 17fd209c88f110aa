"""Are the items suited to factor analysis: Kaiser-Meyer-Olkin and Bartlett's test of sphericity."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from psm_analysis._arguments import check_whole
from psm_analysis._options import Correlation, PairMissing, check_option
from psm_analysis._results import ESTIMATE, Result
from psm_analysis.efa.extraction import is_singular
from psm_analysis.efa.fit_measures import bartlett_statistic
from psm_analysis.efa.source import read_correlation
from psm_analysis.errors import DataError, PsmAnalysisWarning

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SamplingAdequacy(Result):
    """Kaiser-Meyer-Olkin measure, overall and by item, and Bartlett's test (None without the number of cases)."""

    kmo: float
    kmo_items: pd.Series
    bartlett_chisq: float | None
    bartlett_df: int
    bartlett_p_value: float | None
    nobs: int | None
    warnings: tuple[str, ...] = ()

    def tidy(self) -> pd.DataFrame:
        """Return one row per item: its measure and Kaiser's word for it."""
        verdict = [kaiser_word(value) for value in self.kmo_items]
        return pd.DataFrame({"item": self.kmo_items.index, ESTIMATE: self.kmo_items.to_numpy(), "verdict": verdict})

    def glance(self) -> pd.DataFrame:
        """Return one row: overall measure, its verdict, and Bartlett's test."""
        row = {
            "kmo": self.kmo,
            "verdict": kaiser_word(self.kmo),
            "bartlett_chisq": self.bartlett_chisq,
            "bartlett_df": self.bartlett_df,
            "bartlett_p_value": self.bartlett_p_value,
            "nobs": self.nobs,
        }
        return pd.DataFrame([row])


def sampling_adequacy(
    data: pd.DataFrame | FloatArray,
    *,
    missing: PairMissing = "pairwise",
    correlation: Correlation = "pearson",
    nobs: int | None = None,
) -> SamplingAdequacy:
    r"""Tell whether items share enough to be factor analysed.

    .. math:: \mathrm{KMO} = \frac{\sum_{i\ne j} r_{ij}^2}{\sum_{i\ne j} r_{ij}^2+\sum_{i\ne j} q_{ij}^2}

    with q the anti-image correlations, :math:`-s^{ij}/\sqrt{s^{ii}s^{jj}}`. Bartlett:
    :math:`\chi^2=-\log|R|\,(n-1-(2p+5)/6)` on p(p-1)/2 degrees of freedom.

    Parameters
    ----------
    data
        Answers (rows by items) or a correlation matrix.
    missing
        "pairwise" (n is then the number of rows with an answer) or "listwise".
    correlation
        pearson, spearman or polychoric.
    nobs
        Cases behind a given correlation matrix.

    Raises
    ------
    DataError
        If the correlation matrix is singular.

    References
    ----------
    Kaiser (1974), Psychometrika 39, 31-36; Bartlett (1951), Biometrika 38, 337-344. In R: ``psych::KMO``,
    ``psych::cortest.bartlett``.

    Examples
    --------
    >>> R = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    >>> found = sampling_adequacy(R, nobs=100)
    >>> round(found.kmo, 3), round(found.bartlett_chisq, 2)
    (0.692, 67.35)
    """
    check_option(missing, PairMissing, name="missing")
    source = read_correlation(data, nobs=nobs, correlation=correlation, missing=missing)
    R = source.matrix
    if is_singular(R):
        raise DataError(
            "The correlation matrix is singular or not positive definite, so it has no anti-image.",
            where="argument 'data'",
            remedy="Leave out items that are sums or copies of others, or collect more cases than items.",
        )
    overall, by_item = kaiser_meyer_olkin(R)
    p = len(R)
    chisq = p_value = None
    if nobs is not None:
        check_whole(nobs, name="nobs", least=p + 1, remedy="Correlations of fewer cases than items are singular.")
    for text in source.warnings:
        warnings.warn(text, PsmAnalysisWarning, stacklevel=2)
    if source.nobs is not None:
        chisq = bartlett_statistic(-float(np.linalg.slogdet(R)[1]), source.nobs, n_items=p, n_factors=0)
        p_value = float(chdtrc(p * (p - 1) / 2, max(chisq, 0.0)))
    items = pd.Series(by_item, index=pd.Index(source.names, name="item"), name="kmo")
    return SamplingAdequacy(overall, items, chisq, p * (p - 1) // 2, p_value, source.nobs, source.warnings)


def kaiser_meyer_olkin(R: FloatArray) -> tuple[float, FloatArray]:
    """Return the overall measure and that of each item of a correlation matrix.

    Examples
    --------
    >>> round(kaiser_meyer_olkin(np.full((3, 3), 0.5) + 0.5 * np.eye(3))[0], 3)
    0.692
    """
    inverse = np.linalg.inv(R)
    scale = np.sqrt(np.diag(inverse))
    partial = (inverse / np.outer(scale, scale)) ** 2
    square = R**2
    np.fill_diagonal(partial, 0.0)
    np.fill_diagonal(square, 0.0)
    by_item = square.sum(0) / np.maximum(square.sum(0) + partial.sum(0), 1e-300)
    return float(square.sum() / max(square.sum() + partial.sum(), 1e-300)), np.asarray(by_item, dtype=float)


def kaiser_word(value: float) -> str:
    """Return Kaiser's (1974) word for a measure of sampling adequacy.

    Examples
    --------
    >>> kaiser_word(0.91), kaiser_word(0.45)
    ('marvelous', 'unacceptable')
    """
    steps = ((0.9, "marvelous"), (0.8, "meritorious"), (0.7, "middling"), (0.6, "mediocre"), (0.5, "miserable"))
    return next((word for least, word in steps if value >= least), "unacceptable")
