"""Coefficient alpha of a scale, with intervals and item statistics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_level
from psm_analysis._options import check_option
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, STD_ERROR, Result
from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.moments.covariance import pair_moments
from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.polychoric_result import polychoric
from psm_analysis.moments.sample import FloatArray, Sample, read_sample
from psm_analysis.reliability.coefficients import (
    alpha_std_error,
    bonett_interval,
    coefficient_alpha,
    feldt_interval,
    squared_multiple_correlations,
    standard_error_of_measurement,
    standardized_alpha,
)
from psm_analysis.reliability.items import item_table, undefined_statistics
from psm_analysis.reliability.keying import reverse_items, reversed_names
from psm_analysis.reliability.resampling import bootstrap_covariances, check_replicates, percentile_interval

AlphaCorrelation = Literal["pearson", "polychoric"]
AlphaInterval = Literal["feldt", "bonett", "bootstrap"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AlphaResult(Result):
    """Coefficient alpha of one scale.

    Attributes
    ----------
    alpha, ci_low, ci_high, std_error
        Alpha of the raw items (of the polychoric matrix if asked for), its interval and asymptotic standard error.
    alpha_standardized, average_r, median_r
        Alpha of the standardised items, mean and median inter-item correlation.
    lambda6
        Guttman's lambda 6 of the standardised items (psych's G6); NaN if the items are collinear.
    mean, sd, standard_error_of_measurement
        Of the scale score, the mean of the answered items. The last is NaN if alpha is negative.
    items
        DataFrame, one row per item: n, item_rest_r, item_total_r, item_corrected_r (corrected for overlap
        and reliability), alpha_if_dropped, average_r_if_dropped, mean, sd, reversed.
    n, n_items, reversed, correlation, interval, level
        Rows with at least one answer, items, the items that were reversed, and what was asked for.
    warnings
        What is doubtful about the result.
    """

    alpha: float
    alpha_standardized: float
    average_r: float
    median_r: float
    lambda6: float
    std_error: float
    ci_low: float
    ci_high: float
    mean: float
    sd: float
    standard_error_of_measurement: float
    items: pd.DataFrame
    n: int
    n_items: int
    reversed: tuple[str, ...]
    correlation: str
    interval: str
    level: float
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per item."""
        return self.items.reset_index()

    def glance(self) -> pd.DataFrame:
        """Return the coefficients in one row."""
        row = {
            ESTIMATE: self.alpha,
            STD_ERROR: self.std_error,
            CI_LOW: self.ci_low,
            CI_HIGH: self.ci_high,
            "alpha_standardized": self.alpha_standardized,
            "average_r": self.average_r,
            "lambda6": self.lambda6,
            "mean": self.mean,
            "sd": self.sd,
            "n": self.n,
            "items": self.n_items,
            "reversed": ", ".join(self.reversed),
        }
        return pd.DataFrame([row])


def alpha(
    data: pd.DataFrame,
    reverse: Sequence[str] = (),
    *,
    response_range: tuple[float, float] | None = None,
    correlation: AlphaCorrelation = "pearson",
    interval: AlphaInterval = "feldt",
    level: float = 0.95,
    n_replicates: int = 2_000,
    seed: int | None = None,
) -> AlphaResult:
    """Return coefficient alpha of a scale, from pairwise-complete covariances, as psych does.

    Definition: ``alpha = k / (k - 1) * (1 - tr(C) / 1'C1)``. It equals the reliability of the sum if the items are
    essentially tau-equivalent and their errors uncorrelated; with unequal loadings it is a lower bound.

    Parameters
    ----------
    data
        The items of one scale in columns, respondents in rows; NaN is missing.
    reverse
        Items to reverse (minimum + maximum - x); no item is ever reversed unasked.
    response_range
        Smallest and largest answer of the response scale, for the reversal; those of the data if None.
    correlation
        "pearson", or "polychoric" for ordinal alpha: alpha of the polychoric matrix, the reliability of the
        latent responses and not of the observed score (Zumbo et al. 2007).
    interval, level
        "feldt" (F distribution) and "bonett" (log transformation) suppose normal, parallel items; "bootstrap"
        (percentiles over rows drawn with replacement, Pearson only) supposes nothing of them. Level of the interval.
    n_replicates, seed
        Bootstrap samples and their seed, which "bootstrap" demands.

    Raises
    ------
    DataError
        Naming the column that is constant, not numeric, empty or not there; or if there are fewer than two items.

    Warns
    -----
    PsmAnalysisWarning
        If alpha is negative, an item runs against the others, items are collinear, or there are only two items
        (`alpha_if_dropped` is NaN then). The texts stay in ``.warnings``.

    References
    ----------
    Cronbach, L. J. (1951). Psychometrika, 16, 297-334. Feldt, L. S., Woodruff, D. J., & Salih, F. A. (1987). Applied
    Psychological Measurement, 11, 93-103. The R call is ``psych::alpha(data, keys = reverse)``.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 2, 3, 5, 4], "c": [5, 4, 2, 2, 1]})
    >>> result = alpha(frame, ["c"])
    >>> round(result.alpha, 3), result.reversed
    (0.949, ('c',))
    """
    check_option(correlation, AlphaCorrelation, name="correlation")
    check_option(interval, AlphaInterval, name="interval")
    check_level(level)
    sample = reverse_items(read_sample(data, min_items=2), reverse, response_range=response_range)
    C, R = scale_matrices(sample, correlation=correlation)
    turned = reversed_names(reverse)
    items = item_table(sample, C, R=R).assign(reversed=[name in turned for name in sample.names])
    value, n, k = coefficient_alpha(C), int(sample.observed.any(axis=1).sum()), sample.n_items
    notes = _notes(value, items)
    for note in notes:
        warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    if interval == "bootstrap":
        low, high = _bootstrap(sample, correlation, n_replicates=n_replicates, seed=seed, level=level)
    else:
        ends = feldt_interval if interval == "feldt" else bonett_interval
        low, high = ends(value, n, n_items=k, level=level)
    pairs = R[pair_indices(k)]
    score = np.nanmean(sample.values[sample.observed.any(axis=1)], axis=1)
    sd = float(score.std(ddof=1))
    return AlphaResult(
        alpha=value,
        alpha_standardized=standardized_alpha(float(pairs.mean()), k),
        average_r=float(pairs.mean()),
        median_r=float(np.median(pairs)),
        lambda6=lambda6(R),
        std_error=alpha_std_error(C, n),
        ci_low=low,
        ci_high=high,
        mean=float(score.mean()),
        sd=sd,
        standard_error_of_measurement=standard_error_of_measurement(sd, value) if value >= 0.0 else np.nan,
        items=items,
        n=n,
        n_items=k,
        reversed=turned,
        correlation=correlation,
        interval=interval,
        level=level,
        warnings=notes,
    )


def _bootstrap(
    sample: Sample, correlation: AlphaCorrelation, *, n_replicates: int, seed: int | None, level: float
) -> tuple[float, float]:
    if correlation != "pearson":
        raise OptionError(
            "The bootstrap interval is of alpha from covariances.",
            where="argument 'interval'",
            remedy="Use interval='bonett' with correlation='polychoric'.",
        )
    drawn = bootstrap_covariances(sample.values, n_replicates, seed=check_replicates(n_replicates, seed))
    low, high = percentile_interval(alphas_of(drawn), level=level)
    return float(low), float(high)


def alphas_of(C: FloatArray) -> FloatArray:
    """Return alpha of each of a stack of covariance matrices (B, k, k).

    Examples
    --------
    >>> alphas_of(np.array([[[1.0, 0.5], [0.5, 1.0]]])).round(3).tolist()
    [0.667]
    """
    k = C.shape[-1]
    return np.asarray(k / (k - 1.0) * (1.0 - np.trace(C, axis1=1, axis2=2) / C.sum(axis=(1, 2))))


def scale_matrices(sample: Sample, *, correlation: AlphaCorrelation) -> tuple[FloatArray, FloatArray]:
    """Return the pairwise-complete covariance matrix of a scale and its standardised form; both polychoric if asked.

    Examples
    --------
    >>> sample = read_sample(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]))
    >>> scale_matrices(sample, correlation="pearson")[0].tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    if correlation == "polychoric":
        frame = pd.DataFrame(sample.values, columns=list(sample.names))
        matrix = polychoric(frame, std_errors=False).correlations.to_numpy()
        return matrix, matrix
    C = pair_moments(sample).covariance
    scale = 1.0 / np.sqrt(np.diagonal(C))
    return C, C * np.outer(scale, scale)


def lambda6(C: FloatArray) -> float:
    """Return Guttman's lambda 6: ``1 - sum(c_ii (1 - smc_i)) / 1'C1``; NaN if the matrix is singular.

    Examples
    --------
    >>> lambda6(np.array([[1.0, 0.5], [0.5, 1.0]]))
    0.5
    """
    scale = 1.0 / np.sqrt(np.diagonal(C))
    if np.linalg.eigvalsh(C * np.outer(scale, scale))[0] < 1e-10:
        return float(np.nan)
    return float(1.0 - (np.diagonal(C) * (1.0 - squared_multiple_correlations(C))).sum() / C.sum())


def _notes(value: float, items: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    against = items.index[items["item_rest_r"] < 0.0].tolist()
    if against:
        notes.append(
            f"Item(s) {', '.join(against)} correlate negatively with the rest of the scale; if they are worded the "
            "other way, ask for their reversal with reverse=[...]."
        )
    if value < 0.0:
        notes.append("Alpha is negative: the items share no variance in the direction in which they are keyed.")
    return (*notes, *undefined_statistics(items))
