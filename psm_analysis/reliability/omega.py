"""Omega total and omega hierarchical from an exploratory Schmid-Leiman solution."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_whole
from psm_analysis._options import Correlation, check_option
from psm_analysis._results import Result
from psm_analysis.efa.fit import efa
from psm_analysis.efa.schmid_leiman import schmid_leiman
from psm_analysis.errors import DataError, PsmAnalysisWarning
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import FloatArray, Sample, read_sample
from psm_analysis.reliability.coefficients import coefficient_alpha, total_variance
from psm_analysis.reliability.keying import reverse_items, reversed_names


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OmegaResult(Result):
    """Omega coefficients of a scale of standardised items.

    Attributes
    ----------
    omega_total, omega_hierarchical
        Share of the total score's variance due to all common factors, and to the general factor alone.
    omega_limit
        Omega hierarchical over omega total: what it would be for an infinitely long test.
    explained_common_variance
        Share of the common variance that is the general factor's (ECV).
    alpha
        Coefficient alpha of the standardised items.
    schmid_leiman
        DataFrame, index item: loadings on g and on the group factors, communality, uniqueness, general_share.
    groups
        DataFrame, index group factor: its items (those that load highest on it), and total, general and group share
        of the variance of their sum.
    n, n_items, n_factors, correlation, reversed
        What was analysed, and the items that were reversed.
    warnings
        What is doubtful about the result.
    """

    omega_total: float
    omega_hierarchical: float
    omega_limit: float
    explained_common_variance: float
    alpha: float
    schmid_leiman: pd.DataFrame
    groups: pd.DataFrame
    n: int
    n_items: int
    n_factors: int
    correlation: str
    reversed: tuple[str, ...]
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per item of the Schmid-Leiman solution."""
        return self.schmid_leiman.reset_index()

    def glance(self) -> pd.DataFrame:
        """Return the coefficients in one row."""
        names = ("omega_total", "omega_hierarchical", "omega_limit", "explained_common_variance", "alpha")
        row = {name: getattr(self, name) for name in (*names, "n", "n_items", "n_factors")}
        return pd.DataFrame([{**row, "reversed": ", ".join(self.reversed)}])


def omega(
    data: pd.DataFrame,
    n_factors: int = 3,
    *,
    reverse: Sequence[str] = (),
    response_range: tuple[float, float] | None = None,
    correlation: Correlation = "pearson",
) -> OmegaResult:
    """Return omega total and omega hierarchical by minres, oblimin and Schmid-Leiman, as psych::omega does.

    Definition: with correlation matrix R, general loadings g, uniquenesses u of the oblique solution and ``V = 1'R1``:
    ``omega_total = 1 - sum(u) / V`` and ``omega_hierarchical = (sum g)^2 / V``. With one factor the two are equal;
    with two the general factor is not identified and its two second-order loadings are set equal.
    Unlike psych no item is reversed unasked.

    Parameters
    ----------
    data
        The items of one scale in columns, respondents in rows; NaN is missing (correlations are pairwise complete).
    n_factors
        Number of group factors.
    reverse
        Items to reverse (minimum + maximum - x).
    response_range
        Smallest and largest answer of the response scale, for the reversal; those of the data if None.
    correlation
        "pearson", "spearman" or "polychoric" (the omega of the latent responses).

    Raises
    ------
    DataError
        If a column is constant, not numeric or empty, or there are fewer than three items.
    ModelError
        If so many factors are not identified.

    Warns
    -----
    PsmAnalysisWarning
        If an item loads negatively on the general factor, or the factor analysis is doubtful.

    References
    ----------
    McDonald, R. P. (1999). Test theory. Zinbarg, R. E., Revelle, W., Yovel, I., & Li, W. (2005). Cronbach's alpha,
    Revelle's beta, and McDonald's omega_H. Psychometrika, 70, 123-133. The R call is ``psych::omega(data, n_factors)``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> groups = rng.standard_normal((500, 1)) + rng.standard_normal((500, 3))
    >>> frame = pd.DataFrame(np.repeat(groups, 3, axis=1) + rng.standard_normal((500, 9)))
    >>> result = omega(frame, 3)
    >>> bool(0.5 < result.omega_hierarchical < result.alpha < result.omega_total < 1)
    True
    """
    check_option(correlation, Correlation, name="correlation")
    sample = reverse_items(_read(data), reverse, response_range=response_range)
    check_whole(n_factors, name="n_factors", least=1, remedy="Use 3.")
    R, _ = correlation_matrix(sample, method=correlation)
    table, notes = _solution(R, sample, n_factors)
    total, general = total_variance(R), float(table["g"].sum()) ** 2
    common = total - float(table["uniqueness"].sum())
    for note in notes:
        warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    return OmegaResult(
        omega_total=common / total,
        omega_hierarchical=general / total,
        omega_limit=general / common,
        explained_common_variance=_general_part(table),
        alpha=coefficient_alpha(R),
        schmid_leiman=table,
        groups=_group_shares(table, R),
        n=int(sample.observed.any(axis=1).sum()),
        n_items=sample.n_items,
        n_factors=n_factors,
        correlation=correlation,
        reversed=reversed_names(reverse),
        warnings=notes,
    )


def _read(data: pd.DataFrame) -> Sample:
    sample = read_sample(data)
    if sample.n_items < 3:
        raise DataError(
            f"Omega needs at least 3 items, {sample.n_items} are given: the loadings of two items are not identified.",
            where=f"columns {', '.join(sample.names)}",
            remedy="Use the Spearman-Brown coefficient of two items.",
        )
    return sample


def _solution(R: FloatArray, sample: Sample, n_factors: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    frame = pd.DataFrame(R, index=list(sample.names), columns=list(sample.names))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsmAnalysisWarning)
        factors = efa(frame, n_factors, rotation="oblimin" if n_factors > 1 else "none")
    notes = list(factors.warnings)
    if n_factors == 1:
        loadings = factors.loadings.set_axis(["g"], axis=1)
        loadings = loadings * (1.0 if loadings["g"].sum() >= 0.0 else -1.0)
        communality = (loadings["g"] ** 2).rename("communality")
        table = loadings.assign(communality=communality, uniqueness=1.0 - communality, general_share=1.0)
    else:
        solution = schmid_leiman(factors)
        parts = [solution.loadings, solution.communalities, solution.uniquenesses, solution.general_share]
        table = pd.concat(parts, axis=1)
        notes += solution.warnings
    table.index.name = "item"
    against = table.index[table["g"] < 0.0].tolist()
    if against:
        notes.append(
            f"Item(s) {', '.join(map(str, against))} load negatively on the general factor; if they are worded the "
            "other way, ask for their reversal with reverse=[...]."
        )
    return table, tuple(dict.fromkeys(notes))


def _loadings(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["communality", "uniqueness", "general_share"])


def _general_part(table: pd.DataFrame) -> float:
    squares = _loadings(table) ** 2
    return float(squares["g"].sum() / squares.to_numpy().sum())


def _group_shares(table: pd.DataFrame, R: FloatArray) -> pd.DataFrame:
    names = [name for name in _loadings(table).columns if name != "g"]
    groups = table[names].to_numpy()
    owner = np.abs(groups).argmax(axis=1) if names else np.zeros(len(table), dtype=np.int64)
    rows = []
    for k, name in enumerate(names):
        mine = owner == k
        if not mine.any():
            continue
        variance = total_variance(R[np.ix_(mine, mine)])
        rows.append(
            {
                "factor": name,
                "items": ", ".join(str(item) for item in table.index[mine]),
                "total": 1.0 - float(table["uniqueness"].to_numpy()[mine].sum()) / variance,
                "general": float(table["g"].to_numpy()[mine].sum()) ** 2 / variance,
                "group": float(groups[mine, k].sum()) ** 2 / variance,
            }
        )
    return pd.DataFrame(rows, columns=["factor", "items", "total", "general", "group"]).set_index("factor")
