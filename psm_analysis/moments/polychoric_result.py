"""Polychoric and tetrachoric correlations of a table of items, with standard errors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, P_VALUE, STATISTIC, STD_ERROR, Result
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.moments.influence import InfluenceTable
from psm_analysis.moments.mixed_checks import case_weights
from psm_analysis.moments.ordinal import OrdinalCodes, ordinal_codes, pair_indices
from psm_analysis.moments.polychoric import Kept, OrdinalMoments, ordinal_moments
from psm_analysis.moments.sample import FloatArray, IntArray, Sample, read_sample


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """(N, p) codes, -1 missing, and (N,) weights or None of the rows, with what each answer adds to the estimates."""

    codes: IntArray
    weights: FloatArray | None
    table: InfluenceTable


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PolychoricResult(Result):
    """Polychoric correlations, thresholds, and their asymptotic covariance.

    Attributes
    ----------
    correlations
        DataFrame of polychoric correlations.
    thresholds
        DataFrame, index item, columns t1, t2, ...; NaN where an item has fewer categories.
    n
        DataFrame of the cases that answered both items.
    categories
        The answers of each item that the thresholds separate.
    n_rows
        Rows of the data.
    smoothed
        Whether the matrix was smoothed to positive definite on request.
    warnings
        What is doubtful about the result.
    answers
        The answers with what each of them adds to the estimates; None if standard errors were not asked for.
    """

    correlations: pd.DataFrame
    thresholds: pd.DataFrame
    n: pd.DataFrame
    categories: dict[str, tuple[float, ...]]
    n_rows: int
    smoothed: bool
    warnings: tuple[str, ...]
    answers: Answers | None

    @property
    def influence(self) -> FloatArray | None:
        """(N, q) what each row adds to thresholds, item by item, and correlations (lower triangle by columns), times N.

        It is made when asked for (of 10^6 rows and 16 items of five categories it takes 1.5 GB); None if standard
        errors were not asked for.
        """
        if self.answers is None:
            return None
        return self.answers.table.casewise(self.answers.codes, self.answers.weights)

    @property
    def std_errors(self) -> FloatArray | None:
        """(q,) standard errors of thresholds, item by item, and correlations; None if not asked for."""
        if self.answers is None:
            return None
        return np.asarray(np.sqrt(self.answers.table.squares(self.answers.codes, self.answers.weights)) / self.n_rows)

    @property
    def acov(self) -> pd.DataFrame | None:
        """Asymptotic covariance of thresholds ("x1|t1") then correlations ("x2~~x1"); None if not asked for.

        From casewise scores; N times this is the NACOV of WLSMV. It is made when asked for: with 200 items of five
        categories it has 20,700 rows and columns (3.4 GB), and the standard errors do not need it.
        """
        if self.answers is None:
            return None
        labels = self._labels()
        values = self.answers.table.cross_product(self.answers.codes, self.answers.weights) / self.n_rows**2
        return pd.DataFrame(values, index=labels, columns=labels)

    def _labels(self) -> list[str]:
        names = list(self.correlations.columns)
        row, column = pair_indices(len(names))
        cuts = self.thresholds.notna().sum(axis=1)
        labels = [f"{name}|t{k + 1}" for name, count in cuts.items() for k in range(count)]
        return labels + [f"{names[i]}~~{names[j]}" for i, j in zip(row, column, strict=True)]

    def tidy(self) -> pd.DataFrame:
        """Return thresholds and correlations with standard errors and 95 % intervals.

        The interval of a correlation is that of Fisher's z with the delta-method standard error.
        """
        names = list(self.correlations.columns)
        row, column = pair_indices(len(names))
        cuts = self.thresholds.stack().dropna()
        rhos = self.correlations.to_numpy()[row, column]
        frame = pd.DataFrame(
            {
                "lhs": [str(item) for item, _ in cuts.index] + [names[i] for i in row],
                "op": ["|"] * len(cuts) + ["~~"] * len(row),
                "rhs": [str(cut) for _, cut in cuts.index] + [names[j] for j in column],
                ESTIMATE: np.concatenate([cuts.to_numpy(float), rhos]),
            }
        )
        errors = self.std_errors
        return frame if errors is None else _with_inference(frame, errors)

    def glance(self) -> pd.DataFrame:
        """Return size, range of the correlations and the smallest eigenvalue in one row."""
        matrix = self.correlations.to_numpy()
        row, column = pair_indices(len(matrix))
        rho = matrix[row, column]
        summary = {
            "n": self.n_rows,
            "items": len(matrix),
            "n_pair_min": int(self.n.to_numpy().min()),
            "rho_min": float(rho.min()),
            "rho_max": float(rho.max()),
            "smallest_eigenvalue": float(np.linalg.eigvalsh(matrix)[0]),
            "smoothed": self.smoothed,
        }
        return pd.DataFrame([summary])


def polychoric(
    data: pd.DataFrame,
    *,
    weights: ArrayLike | None = None,
    std_errors: bool = True,
    smooth: bool = False,
) -> PolychoricResult:
    """Estimate polychoric correlations of ordinal items: two-step maximum likelihood, pairwise complete.

    Definition: the correlation of the bivariate normal variables that, cut at the items' thresholds, give the observed
    two-way table with the largest likelihood (Olsson 1979). Zero cells: an empty cell of a 2 x 2 table gets 0.5, its
    margins kept; larger tables are not corrected. The matrix is changed to a positive definite one only on request.

    Parameters
    ----------
    data
        Items in columns with integer categories (2 to 20 that occur), respondents in rows; NaN is missing.
    weights
        (N,) positive sampling weights of the rows, in their order, in any unit: thresholds and correlations then
        maximise weighted likelihoods, and the asymptotic covariance is that of the weighted scores.
    std_errors
        Whether standard errors are computed.
    smooth
        Whether a matrix that is not positive definite is smoothed: eigenvalues below 1e-6 are raised and the
        diagonal is set back to 1.

    Raises
    ------
    DataError
        Naming the column with text, non-integer values, a single category, or no answers, or the pair of items
        that nobody answered together; for weights that are not positive numbers, one per row.

    References
    ----------
    Olsson, U. (1979). Psychometrika, 44, 443-460. Muthén, B. (1984). Psychometrika, 49, 115-132.
    The R call is ``lavaan::lavCor(data, ordered = names(data), missing = "pairwise")``.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [0, 0, 1, 1] * 25, "b": [0, 1, 1, 1] * 25})
    >>> result = polychoric(frame.replace({"b": {1: 2}}))
    >>> result.thresholds.round(3).loc["b", "t1"].item(), result.n.loc["a", "b"].item()
    (-0.674, 100)
    """
    sample = read_sample(data, min_items=2, allow_constant=True)
    coded = ordinal_codes(sample)
    _check_pairs(sample)
    scaled = None if weights is None else case_weights(_numbers(weights), n_rows=sample.n_rows)
    keep: Kept = "table" if std_errors else "nothing"
    moments = ordinal_moments(coded.codes, coded.n_categories, weights=scaled, keep=keep)
    matrix, notes = _definite(moments, sample.names, smooth=smooth)
    for note in notes:
        warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    names = pd.Index(sample.names, name="item")
    return PolychoricResult(
        correlations=pd.DataFrame(matrix, index=names, columns=list(names)),
        thresholds=_threshold_table(moments, coded, names=sample.names),
        n=pd.DataFrame(moments.pair_counts, index=names, columns=list(names)),
        categories=dict(zip(sample.names, coded.categories, strict=True)),
        n_rows=sample.n_rows,
        smoothed=smooth and not np.array_equal(matrix, moments.correlations),
        warnings=notes,
        answers=None if moments.table is None else Answers(coded.codes, scaled, moments.table),
    )


def tetrachoric(
    data: pd.DataFrame,
    *,
    weights: ArrayLike | None = None,
    std_errors: bool = True,
    smooth: bool = False,
) -> PolychoricResult:
    """Estimate tetrachoric correlations: `polychoric` for items of exactly two categories.

    Parameters
    ----------
    data, weights, std_errors, smooth
        As `polychoric`.

    Raises
    ------
    DataError
        As `polychoric`, and if an item has more than two categories.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [0, 0, 1, 1, 0, 1], "b": [0, 1, 1, 1, 0, 0]})
    >>> tetrachoric(frame).correlations.loc["a", "b"].round(3).item()  # sin(pi/2 * 1/3)
    0.5
    """
    sample = read_sample(data, min_items=2, allow_constant=True)
    wide = np.flatnonzero(ordinal_codes(sample).n_categories > 2)
    if wide.size:
        raise DataError(
            "The item has more than two categories.",
            where=f"column {sample.names[wide[0]]!r}",
            remedy="Use psm.polychoric.",
        )
    return polychoric(data, weights=weights, std_errors=std_errors, smooth=smooth)


def smooth_correlation(matrix: FloatArray, *, floor: float = 1e-6) -> FloatArray:
    """Return the matrix with eigenvalues raised to `floor` and the diagonal set back to 1.

    Examples
    --------
    >>> bad = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    >>> bool(np.linalg.eigvalsh(smooth_correlation(bad)).min() > 0)
    True
    """
    value, vector = np.linalg.eigh(matrix)
    raised = (vector * np.maximum(value, floor)) @ vector.T
    scale = 1.0 / np.sqrt(np.diagonal(raised))
    smoothed = raised * np.outer(scale, scale)
    np.fill_diagonal(smoothed, 1.0)
    return np.asarray(0.5 * (smoothed + smoothed.T))


def _definite(moments: OrdinalMoments, names: tuple[str, ...], *, smooth: bool) -> tuple[FloatArray, tuple[str, ...]]:
    notes = []
    for i, j in np.argwhere(np.tril(moments.at_bound, -1)):
        notes.append(
            f"The correlation of {names[i]!r} and {names[j]!r} is at its bound: their table has empty cells that "
            "no correlation inside the bound explains."
        )
    matrix = moments.correlations
    if np.linalg.eigvalsh(matrix)[0] > 0.0:
        return matrix, tuple(notes)
    if smooth:
        return smooth_correlation(matrix), (*notes, "The matrix was not positive definite and was smoothed.")
    return matrix, (*notes, "The matrix is not positive definite; smooth=True returns the smoothed one.")


def _numbers(weights: ArrayLike) -> FloatArray:
    try:
        return np.asarray(weights, dtype=float)
    except (TypeError, ValueError) as error:
        raise OptionError(
            "The weights are not numbers.", where="argument 'weights'", remedy="Give one positive number per row."
        ) from error


def _check_pairs(sample: Sample) -> None:
    seen = sample.observed.astype(np.int64)
    together = seen.T @ seen
    if together.min() >= 3:
        return
    i, j = np.unravel_index(int(np.argmin(together)), together.shape)
    raise DataError(
        f"Only {int(together[i, j])} case(s) answered both items; at least 3 are needed.",
        where=f"columns {sample.names[int(i)]!r} and {sample.names[int(j)]!r}",
        remedy="Leave out items that were not asked together.",
    )


def _threshold_table(moments: OrdinalMoments, coded: OrdinalCodes, *, names: tuple[str, ...]) -> pd.DataFrame:
    width = int(coded.n_categories.max()) - 1
    table = np.full((len(names), width), np.nan)
    table[np.arange(width) < (coded.n_categories - 1)[:, None]] = moments.thresholds
    return pd.DataFrame(table, index=pd.Index(names, name="item"), columns=[f"t{k + 1}" for k in range(width)])


def _with_inference(frame: pd.DataFrame, std_error: FloatArray) -> pd.DataFrame:
    estimate = frame[ESTIMATE].to_numpy(float)
    rho = (frame["op"] == "~~").to_numpy()
    half = float(ndtri(0.975)) * std_error
    low, high = estimate - half, estimate + half
    z = np.arctanh(estimate[rho])
    half_z = half[rho] / (1.0 - estimate[rho] ** 2)
    low[rho], high[rho] = np.tanh(z - half_z), np.tanh(z + half_z)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / std_error
    p_value = 2.0 * ndtr(-np.abs(statistic))
    return frame.assign(**{STD_ERROR: std_error, STATISTIC: statistic, P_VALUE: p_value, CI_LOW: low, CI_HIGH: high})
