"""How many factors: every criterion in one result."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._arguments import check_between, check_seed, check_whole
from psm_analysis._options import Correlation, Simulate, check_option
from psm_analysis._results import Result
from psm_analysis.efa.comparison_data import comparison_data
from psm_analysis.efa.eigenvalue_rules import (
    count_leading,
    empirical_kaiser,
    kaiser_rule,
    minimum_average_partial,
)
from psm_analysis.efa.factor_series import (
    FactorSeries,
    common_part_accounted_for,
    factor_series,
    hull,
    very_simple_structure,
)
from psm_analysis.efa.fit_measures import degrees_of_freedom
from psm_analysis.efa.parallel import (
    component_eigenvalues,
    factor_eigenvalues,
    null_correlations,
    permuted_correlations,
)
from psm_analysis.efa.source import CorrelationSource, read_correlation
from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.rotation import rotate

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RetentionResult(Result):
    """What each criterion says about the number of factors.

    Attributes
    ----------
    eigenvalues
        Of the correlation matrix, descending.
    parallel
        By position: observed eigenvalues of components and factors, mean and percentile of the simulated ones.
    map_criterion
        Velicer's average squared partial correlation after 1, 2, ... components.
    by_number
        By number of factors: MAP 1976 and 2000, very simple structure of complexity 1 and 2, and the fit of minres
        solutions (rmsr, rmsea, cfi, bic) where it can be computed.
    suggested
        Number of factors by criterion.
    """

    eigenvalues: FloatArray
    parallel: pd.DataFrame
    map_criterion: FloatArray
    by_number: pd.DataFrame
    suggested: pd.Series
    percentile: float
    n_iterations: int
    simulate: str
    nobs: int
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per criterion: its name, what it compares, the number of factors it suggests."""
        meaning = [_MEANING[name] for name in self.suggested.index]
        return pd.DataFrame(
            {"criterion": self.suggested.index, "n_factors": self.suggested.to_numpy(), "compares": meaning}
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: range and most frequent of the suggestions, and how the comparison was made."""
        counts = self.suggested.value_counts()
        row = {
            "smallest": int(self.suggested.min()),
            "largest": int(self.suggested.max()),
            "most_frequent": int(min(counts[counts == counts.max()].index)),
            "simulated": self.simulate,
            "n_iterations": self.n_iterations,
            "percentile": self.percentile,
            "nobs": self.nobs,
        }
        return pd.DataFrame([row])


def retention(
    data: pd.DataFrame | FloatArray,
    *,
    max_factors: int | None = None,
    n_iterations: int = 100,
    seed: int | None = None,
    correlation: Correlation = "pearson",
    percentile: float = 95.0,
    simulate: Literal["normal", "permuted"] | None = None,
    nobs: int | None = None,
    comparison: bool = False,
) -> RetentionResult:
    """Ask every criterion how many factors there are.

    Parallel analysis of components and of factors (squared multiple correlations on the diagonal) against percentile
    and mean; Velicer's MAP of 1976 and 2000; the empirical Kaiser criterion; Kaiser's rule; very simple structure; the
    Hull of the common part accounted for; the smallest BIC.

    Parameters
    ----------
    data
        Answers (rows by items) or a correlation matrix.
    max_factors
        Largest number tried; by default as many as are identified, 8 at most.
    n_iterations
        Replicates of the parallel analysis.
    seed
        Of the replicates.
    correlation
        pearson, spearman or polychoric.
    percentile
        Of the simulated eigenvalues that an observed one must exceed.
    simulate
        "normal" data, or the answers "permuted" within items. By default normal for Pearson, permuted otherwise.
    nobs
        Cases behind a given correlation matrix; needed with one.
    comparison
        Whether to add comparison data (Ruscio & Roche, 2012), which take about a second for 16 items. They need
        answers and Pearson correlations: the margins of the answers stand in for a polychoric correction.

    Raises
    ------
    OptionError
        If an argument is out of range, or a matrix comes without `nobs`.

    References
    ----------
    Horn (1965); Glorfeld (1995); Velicer (1976); Velicer, Eaton & Fava (2000); Braeken & van Assen (2017); Revelle &
    Rocklin (1979); Lorenzo-Seva, Timmerman & Kiers (2011); Ruscio & Roche (2012). In R:
    ``psych::fa.parallel``, ``psych::vss``.

    Examples
    --------
    >>> L = np.kron(np.eye(2), [[0.8], [0.7], [0.6], [0.7]])
    >>> R = L @ L.T
    >>> np.fill_diagonal(R, 1.0)
    >>> int(retention(R, nobs=400, seed=1).suggested["parallel_components"])
    2
    """
    source = read_correlation(data, nobs=nobs, correlation=correlation)
    if source.nobs is None:
        raise OptionError(
            "Parallel analysis needs the number of cases, and a correlation matrix does not tell it.",
            where="argument 'nobs'",
            remedy="Give nobs=...",
        )
    check_whole(n_iterations, name="n_iterations", least=2, remedy="Use 100 replicates.")
    check_between(percentile, name="percentile", high=100.0, remedy="Use 95.")
    check_seed(seed)
    if comparison:
        _check_comparison(source, correlation)
    most = _largest(len(source.names), max_factors)
    kind = _kind(source, simulate, correlation=correlation)
    drawn = _draw(source, kind, method=correlation, n_iterations=n_iterations, seed=seed)
    table = _parallel_table(source.matrix, drawn, percentile=percentile)
    series = factor_series(source.matrix, max_factors=most, nobs=source.nobs)
    maps = [minimum_average_partial(source.matrix, max_components=most, power=power) for power in (2, 4)]
    by_number = _by_number(source.matrix, series, maps=maps)
    suggested = _suggest(source, table, series=series, by_number=by_number)
    if comparison and source.sample is not None:
        rng, most = np.random.default_rng(seed), len(series.loadings)
        values = source.sample.values
        chosen, _ = comparison_data(values, source.matrix, nobs=source.nobs, max_factors=most, rng=rng)
        suggested["comparison_data"] = chosen
    found = RetentionResult(
        eigenvalues=component_eigenvalues(source.matrix),
        parallel=table,
        map_criterion=maps[0][1:],
        by_number=by_number,
        suggested=suggested,
        percentile=percentile,
        n_iterations=n_iterations,
        simulate=kind,
        nobs=source.nobs,
        warnings=source.warnings,
    )
    for text in found.warnings:
        warnings.warn(text, PsmAnalysisWarning, stacklevel=2)
    return found


_MEANING = {
    "parallel_components": "components against the percentile of simulated ones",
    "parallel_components_mean": "components against the mean of simulated ones",
    "parallel_factors": "factors against the percentile of simulated ones",
    "parallel_factors_mean": "factors against the mean of simulated ones",
    "map_1976": "smallest average squared partial correlation",
    "map_2000": "smallest average fourth power of partial correlations",
    "empirical_kaiser": "eigenvalues against what sampling leaves for them",
    "kaiser": "eigenvalues above 1 (keeps too many)",
    "very_simple_structure_1": "best fit with one loading per item",
    "very_simple_structure_2": "best fit with two loadings per item",
    "hull": "sharpest elbow of the common part accounted for against degrees of freedom",
    "bic": "smallest BIC",
    "comparison_data": "observed eigenvalues against those of data with so many factors and the same margins",
}


def _largest(n_items: int, asked: int | None) -> int:
    identified = max((k for k in range(1, n_items) if degrees_of_freedom(n_items, k) >= 0), default=1)
    if asked is None:
        return min(8, identified)
    most = n_items - 1
    return check_whole(asked, name="max_factors", least=1, most=most, remedy="Give fewer factors than items.")


def _check_comparison(source: CorrelationSource, correlation: str) -> None:
    if source.sample is None or correlation != "pearson":
        raise OptionError(
            "Comparison data need answers and Pearson correlations.",
            where="argument 'comparison'",
            remedy="Give answers and correlation='pearson', or comparison=False.",
        )


def _kind(source: CorrelationSource, simulate: str | None, *, correlation: str) -> str:
    default = "normal" if correlation == "pearson" else "permuted"
    kind = check_option(simulate or default, Simulate, name="simulate")
    if kind == "permuted" and source.sample is None:
        raise OptionError(
            "Answers are needed to permute them, and a correlation matrix is given.",
            where="argument 'simulate'",
            remedy="Use simulate='normal'.",
        )
    return kind


def _draw(source: CorrelationSource, kind: str, *, method: str, n_iterations: int, seed: int | None) -> FloatArray:
    rng = np.random.default_rng(seed)
    if kind == "permuted" and source.sample is not None:
        return permuted_correlations(source.sample, n_iterations=n_iterations, rng=rng, method=method)
    return null_correlations(source.nobs or 0, len(source.names), n_iterations=n_iterations, rng=rng)


def _parallel_table(R: FloatArray, drawn: FloatArray, *, percentile: float) -> pd.DataFrame:
    columns: dict[str, FloatArray] = {}
    for name, function in (("component", component_eigenvalues), ("factor", factor_eigenvalues)):
        simulated = function(drawn)
        columns[name] = function(R)
        columns[f"{name}_mean"] = simulated.mean(0)
        columns[f"{name}_percentile"] = np.percentile(simulated, percentile, axis=0)
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(R) + 1, name="number"))


def _by_number(R: FloatArray, series: FactorSeries, *, maps: list[FloatArray]) -> pd.DataFrame:
    table = pd.DataFrame(
        {"map_1976": maps[0], "map_2000": maps[1]}, index=pd.RangeIndex(len(maps[0]), name="n_factors")
    )
    for k, (loadings, fit) in enumerate(zip(series.loadings, series.fit, strict=True), start=1):
        turned = rotate(loadings, method="varimax", tolerance=None).loadings
        for complexity in (1, 2):
            fitted = very_simple_structure(R, turned, complexity=complexity)
            table.loc[k, f"very_simple_structure_{complexity}"] = fitted
        for name in ("df", "rmsr", "rmsea", "cfi", "bic"):
            if name in fit:
                table.loc[k, name] = fit[name]
    return table


def _suggest(
    source: CorrelationSource, table: pd.DataFrame, *, series: FactorSeries, by_number: pd.DataFrame
) -> pd.Series:
    found: dict[str, int] = {}
    for name in ("component", "factor"):
        for rule, suffix in (("percentile", ""), ("mean", "_mean")):
            passes = (table[name] > table[f"{name}_{rule}"]).to_numpy()
            found[f"parallel_{name}s{suffix}"] = count_leading(passes)
    found["map_1976"] = int(np.argmin(by_number["map_1976"].to_numpy()))
    found["map_2000"] = int(np.argmin(by_number["map_2000"].to_numpy()))
    values = component_eigenvalues(source.matrix)
    found["empirical_kaiser"] = empirical_kaiser(values, source.nobs or 0)[0]
    found["kaiser"] = kaiser_rule(values)
    for column in ("very_simple_structure_1", "very_simple_structure_2"):
        if column in by_number:
            found[column] = int(np.nanargmax(by_number[column].to_numpy()))
    chosen = _hull_of(source.matrix, series, largest=found["parallel_components"] + 1)
    found |= {} if chosen is None else {"hull": chosen}
    if np.isfinite(series.bic).any():
        found["bic"] = 1 + int(np.nanargmin(series.bic))
    return pd.Series(found, name="n_factors", dtype="int64").rename_axis("criterion")


def _hull_of(R: FloatArray, series: FactorSeries, *, largest: int) -> int | None:
    tried = range(1, min(max(largest, 2), len(series.loadings)) + 1)
    fit = [common_part_accounted_for(R, np.zeros((len(R), 1)))]
    fit += [common_part_accounted_for(R, series.loadings[k - 1]) for k in tried]
    df = [degrees_of_freedom(len(R), k) for k in (0, *tried)]
    return hull(np.array(fit), np.array(df, dtype=float))
