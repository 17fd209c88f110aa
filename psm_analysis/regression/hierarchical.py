"""Hierarchical regression: blocks of predictors entered one after the other, with the change in R²."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis.errors import OptionError
from psm_analysis.regression.design import Design, make_design
from psm_analysis.regression.result import HierarchicalRegression, RegressionResult

Blocks = Sequence[Sequence[str]] | Mapping[str, Sequence[str]]


def hierarchical_regression(
    data: pd.DataFrame, outcome: str, *, blocks: Blocks, cluster: str | None = None, standardize: bool = False
) -> HierarchicalRegression:
    """Regress an outcome on blocks of predictors entered one after the other.

    Model m has the predictors of blocks 1..m. The change in R² from one model to the next is tested by

    .. math:: F = \\frac{(R^2_m - R^2_{m-1}) / k_m}{(1 - R^2_m) / (n - K_m - 1)},

    with k_m terms in the block and K_m in the model. With `cluster` the covariance of the coefficients is the cluster
    sandwich with the factor G/(G-1) · (n-1)/(n-K-1), and both F tests are Wald tests with G-1 denominator degrees of
    freedom.

    Parameters
    ----------
    data
        One row per respondent. Rows with a missing value in any block are left out of every model.
    outcome
        Numeric column.
    blocks
        Lists of column names, or a mapping from the name of a block to its columns. A column of text or categories
        becomes 0/1 indicators ``name[level]`` against its first level.
    cluster
        Column of the cluster of each respondent (township, unit), or None.
    standardize
        Fit z-scores (divisor n-1), so that the estimates themselves are standardized. The column `beta` gives the
        standardized coefficients in any case.

    Returns
    -------
    HierarchicalRegression
        ``tidy()`` (per model and term), ``steps`` (per model), ``models``.

    Raises
    ------
    DataError, OptionError
        Unknown, constant or collinear columns; a constant outcome; a single cluster; no block.

    References
    ----------
    Cohen, Cohen, West & Aiken (2003), *Applied Multiple Regression*, 3rd ed., eq. 5.5.2 (F test of a change in R²).
    Cameron & Miller (2015), *Journal of Human Resources* 50(2), eq. 11-12 (cluster sandwich, small-sample factor).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> d = pd.DataFrame(rng.normal(size=(200, 3)), columns=["age", "psm", "noise"]).assign(
    ...     stay=lambda x: 0.5 * x.psm + x.noise)
    >>> fit = hierarchical_regression(d, "stay", blocks={"controls": ["age"], "motivation": ["psm"]})
    >>> fit.steps[["model", "nobs", "df1_change"]].to_dict("list")
    {'model': ['controls', 'motivation'], 'nobs': [200, 200], 'df1_change': [1, 1]}
    """
    named = _named_blocks(blocks)
    design = make_design(
        data, outcome, predictors=[name for block in named.values() for name in block], cluster=cluster
    )
    if standardize:
        design = _standardized(design)
    models: list[RegressionResult] = []
    terms: list[str] = []
    for name, block in named.items():
        added = [term for predictor in block for term in design.terms[predictor]]
        terms += added
        before = models[-1].r_squared if models else 0.0
        models.append(_fit(design, name, terms=list(terms), added=added, r_squared_before=before))
    return HierarchicalRegression(models=tuple(models), n_dropped=design.n_dropped, cluster=cluster)


def _named_blocks(blocks: Blocks) -> dict[str, list[str]]:
    if isinstance(blocks, str) or not blocks:
        raise OptionError(
            "There is no block of predictors.", where="argument 'blocks'", remedy='Give e.g. [["age"], ["psm"]].'
        )
    pairs = blocks.items() if isinstance(blocks, Mapping) else [(f"Model {i}", b) for i, b in enumerate(blocks, 1)]
    named = {name: [block] if isinstance(block, str) else list(block) for name, block in pairs}
    for name, block in named.items():
        if not block:
            raise OptionError(f"The block {name!r} is empty.", where="argument 'blocks'")
    return named


def _standardized(design: Design) -> Design:
    return Design(
        outcome=design.outcome,
        y=(design.y - design.y.mean()) / design.y.std(ddof=1),
        X=(design.X - design.X.mean()) / design.X.std(ddof=1),
        terms=design.terms,
        clusters=design.clusters,
        n_dropped=design.n_dropped,
    )


def _fit(design: Design, name: str, *, terms: list[str], added: list[str], r_squared_before: float) -> RegressionResult:
    from statsmodels.regression.linear_model import OLS

    X = design.X[terms].copy()
    X.insert(0, "(constant)", 1.0)
    options: dict[str, Any] = (
        {} if design.clusters is None else {"cov_type": "cluster", "cov_kwds": {"groups": design.clusters}}
    )
    fit = OLS(design.y, X).fit(use_t=True, **options)
    model_test = _wald(fit, X.columns, terms=terms)
    change = _wald(fit, X.columns, terms=added)
    row = {
        "outcome": design.outcome,
        "nobs": len(design.y),
        "n_clusters": design.n_clusters,
        "r_squared": float(fit.rsquared),
        "adj_r_squared": float(fit.rsquared_adj),
        "statistic": model_test[0],
        "df1": len(terms),
        "df2": model_test[2],
        "p_value": model_test[1],
        "delta_r_squared": float(fit.rsquared) - r_squared_before,
        "f_change": change[0],
        "df1_change": len(added),
        "p_change": change[1],
    }
    return RegressionResult(
        name=name, outcome=design.outcome, coefficients=_coefficients(fit, design), fit=pd.DataFrame([row])
    )


def _wald(fit: Any, columns: pd.Index, *, terms: list[str]) -> tuple[float, float, int]:
    restriction = np.eye(len(columns))[columns.isin(terms)]
    test = fit.f_test(restriction)
    return float(test.statistic), float(test.pvalue), int(test.df_denom)


def _coefficients(fit: Any, design: Design) -> pd.DataFrame:
    interval = fit.conf_int()
    spread = design.X.std(ddof=1).reindex(fit.params.index)
    return pd.DataFrame(
        {
            "term": fit.params.index,
            "estimate": fit.params.to_numpy(),
            "std_error": fit.bse.to_numpy(),
            "statistic": fit.tvalues.to_numpy(),
            "p_value": fit.pvalues.to_numpy(),
            "ci_low": interval[0].to_numpy(),
            "ci_high": interval[1].to_numpy(),
            "beta": (fit.params * spread / design.y.std(ddof=1)).to_numpy(),
        }
    )
