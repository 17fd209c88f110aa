"""How much of a scale is one thing: omega hierarchical, ECV and PUC of a bifactor or second-order model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_instance
from psm_analysis._results import Result
from psm_analysis.errors import ModelError
from psm_analysis.sem.result import SemResult


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BifactorIndices(Result):
    """Strength of the general factor of a bifactor or second-order model, for the sum of standardised items.

    Attributes
    ----------
    general
        Name of the general factor.
    omega_total, omega_hierarchical
        Share of the variance of the total score due to all factors, and to the general factor alone.
    explained_common_variance
        Share of the common variance that is the general factor's (ECV).
    uncontaminated_correlations
        Share of the correlations between items that reflect the general factor only (PUC).
    replicability
        H of the general factor: how well its items define it.
    loadings
        DataFrame, index item: general, group loadings, ``general_share`` (the item's ECV).
    groups
        DataFrame, index group factor: n_items, omega and omega_hierarchical of the subscale score (share due to the
        group factor beyond the general one), general (share due to the general factor), replicability.
    """

    general: str
    omega_total: float
    omega_hierarchical: float
    explained_common_variance: float
    uncontaminated_correlations: float
    replicability: float
    loadings: pd.DataFrame
    groups: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per group factor."""
        return self.groups.reset_index()

    def glance(self) -> pd.DataFrame:
        """Return the coefficients in one row."""
        names = ("general", "omega_total", "omega_hierarchical", "explained_common_variance")
        row = {name: getattr(self, name) for name in (*names, "uncontaminated_correlations", "replicability")}
        return pd.DataFrame([{**row, "n_items": len(self.loadings), "n_groups": len(self.groups)}])


def bifactor_indices(result: SemResult) -> BifactorIndices:
    r"""Return omega hierarchical, ECV, PUC and H of a bifactor or second-order model.

    With standardised loadings :math:`g` on the general factor, :math:`s_k` on group factor k, uniquenesses :math:`u`:

    .. math::
        \omega_h = \frac{(\sum g)^2}{(\sum g)^2 + \sum_k(\sum s_k)^2 + \sum u}, \quad
        ECV = \frac{\sum g^2}{\sum g^2 + \sum_k\sum s_k^2}, \quad
        PUC = 1 - \frac{\sum_k p_k(p_k - 1)}{p(p-1)}, \quad
        H = \left[1 + 1 / \sum \tfrac{g^2}{1 - g^2}\right]^{-1}

    A second-order model is taken in its Schmid-Leiman form: an item with loading :math:`\lambda` on a factor that loads
    :math:`\gamma` on the general one has :math:`g = \lambda\gamma` and :math:`s = \lambda\sqrt{1-\gamma^2}`. Residual
    covariances add to the variance of the total. For ordinal items all of this is about the latent responses.

    Parameters
    ----------
    result
        A fit of one group: a bifactor model with uncorrelated factors, or one second-order factor.

    Returns
    -------
    BifactorIndices
        ``tidy()`` has one row per group factor, ``glance()`` the coefficients of the general factor.

    Raises
    ------
    ModelError
        If there is no general factor, factors of a bifactor model are correlated, there are several groups, or the fit
        did not converge.

    References
    ----------
    Rodriguez, A., Reise, S. P., & Haviland, M. G. (2016). Psychological Methods, 21, 137-150, equations 3 to 12.
    Schmid, J., & Leiman, J. M. (1957). Psychometrika, 22, 53-61.

    Examples
    --------
    >>> from psm_analysis.sem.fit import cfa
    >>> L = np.kron(np.eye(3), [[0.8], [0.7], [0.6]])
    >>> R = L @ (np.full((3, 3), 0.49) + 0.51 * np.eye(3)) @ L.T
    >>> np.fill_diagonal(R, 1.0)
    >>> names = [f"x{i}" for i in range(1, 10)]
    >>> model = "a =~ x1 + x2 + x3; b =~ x4 + x5 + x6; c =~ x7 + x8 + x9; g =~ a + b + c"
    >>> fit = cfa(model, sample_cov=pd.DataFrame(R, names, names), sample_nobs=300)
    >>> found = bifactor_indices(fit)
    >>> round(found.explained_common_variance, 3), round(found.uncontaminated_correlations, 3)
    (0.49, 0.75)
    """
    check_instance(result, SemResult, name="result", remedy="Give a fit of cfa() or sem(); for answers use omega().")
    rows = _measurement(result)
    factors = list(dict.fromkeys(rows["lhs"]))
    higher = [name for name in factors if set(rows.loc[rows["lhs"] == name, "rhs"]) & set(factors)]
    items = list(dict.fromkeys(name for name in rows["rhs"] if name not in factors))
    direct = rows.pivot(index="rhs", columns="lhs", values="std_all").fillna(0.0)
    if higher:
        general, table = _schmid_leiman(direct, higher=higher, factors=factors, items=items)
    else:
        general, table = _bifactor(direct, result=result, items=items)
    return _indices(general, table, covariance=_residual_covariance(result, items))


def _measurement(result: SemResult) -> pd.DataFrame:
    if not result.converged:
        raise ModelError("The model did not converge.", where="argument 'result'", remedy="Look at result.warnings.")
    if len(result.group_labels) > 1:
        raise ModelError(
            f"The model has {len(result.group_labels)} groups.", where="argument 'result'", remedy="Fit each by itself."
        )
    tidy = result.tidy()
    return tidy[tidy["op"] == "=~"]


def _schmid_leiman(
    direct: pd.DataFrame, *, higher: list[str], factors: list[str], items: list[str]
) -> tuple[str, pd.DataFrame]:
    groups = [name for name in factors if name not in higher]
    if len(higher) > 1 or bool((direct.loc[items, higher] != 0.0).to_numpy().any()):
        raise ModelError(
            "The model is neither a bifactor model nor one with a single second-order factor.",
            where=f"factors {', '.join(higher)}",
            remedy="One factor must stand above all others, with factors only as its indicators.",
        )
    gamma = direct.reindex(groups).fillna(0.0)[higher[0]]
    lower = direct.loc[items, groups]
    table = lower * np.sqrt(np.maximum(1.0 - gamma**2, 0.0))
    table.insert(0, "general", lower @ gamma)
    return higher[0], table


def _bifactor(direct: pd.DataFrame, *, result: SemResult, items: list[str]) -> tuple[str, pd.DataFrame]:
    general = [str(name) for name in direct.columns if (direct.loc[items, name] != 0.0).all()]
    if len(general) != 1 or direct.shape[1] < 3:
        raise ModelError(
            "The model has no general factor: one factor that all items load on, beside two group factors or more.",
            where="argument 'result'",
            remedy="Use instrument.model('bifactor') or instrument.model('second-order').",
        )
    tidy = result.tidy()
    latent = (tidy["op"] == "~~") & tidy["lhs"].isin(direct.columns) & tidy["rhs"].isin(direct.columns)
    pairs = tidy[latent & (tidy["lhs"] != tidy["rhs"]) & (tidy["estimate"].abs() > 1e-12)]
    if len(pairs):
        raise ModelError(
            "The factors of the bifactor model are correlated, so that variance has no single owner.",
            where=f"{pairs['lhs'].iloc[0]} ~~ {pairs['rhs'].iloc[0]}",
            remedy="Fit it with orthogonal=True.",
        )
    groups = [name for name in direct.columns if name != general[0]]
    table = direct.loc[items, groups].copy()
    table.insert(0, "general", direct.loc[items, general[0]])
    return general[0], table


def _residual_covariance(result: SemResult, items: list[str]) -> pd.DataFrame:
    tidy = result.tidy()
    own = tidy[(tidy["op"] == "~~") & tidy["lhs"].isin(items) & tidy["rhs"].isin(items) & (tidy["lhs"] != tidy["rhs"])]
    found = pd.DataFrame(0.0, index=items, columns=items)
    variance = tidy[(tidy["op"] == "~~") & (tidy["lhs"] == tidy["rhs"])].set_index("lhs")["std_all"]
    for left, right, correlation in zip(own["lhs"], own["rhs"], own["std_all"], strict=True):
        value = correlation * np.sqrt(variance[left] * variance[right])
        found.loc[left, right] = found.loc[right, left] = value
    return found


def _indices(general: str, table: pd.DataFrame, *, covariance: pd.DataFrame) -> BifactorIndices:
    g, S = table["general"].to_numpy(), table.drop(columns="general")
    s, extra = S.to_numpy(), covariance.to_numpy()
    communality = g**2 + (s**2).sum(axis=1)
    common = float(g.sum() ** 2 + (s.sum(axis=0) ** 2).sum())
    total = common + float((1.0 - communality).sum()) + float(extra.sum())
    rows = {}
    for k, name in enumerate(S.columns):
        own = s[:, k] != 0.0
        within = float(g[own].sum() ** 2 + (s[own].sum(axis=0) ** 2).sum())
        variance = within + float((1.0 - communality[own]).sum()) + float(extra[np.ix_(own, own)].sum())
        rows[str(name)] = {
            "n_items": int(own.sum()),
            "omega": within / variance,
            "omega_hierarchical": float(s[own, k].sum() ** 2) / variance,
            "general": float(g[own].sum() ** 2) / variance,
            "replicability": _replicability(s[own, k]),
        }
    groups = pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor").astype({"n_items": int})
    sizes = groups["n_items"].to_numpy(dtype=float)
    return BifactorIndices(
        general=general,
        omega_total=common / total,
        omega_hierarchical=float(g.sum() ** 2) / total,
        explained_common_variance=float((g**2).sum() / communality.sum()),
        uncontaminated_correlations=1.0 - float((sizes * (sizes - 1)).sum()) / (len(g) * (len(g) - 1.0)),
        replicability=_replicability(g),
        loadings=table.assign(general_share=g**2 / communality).rename_axis(index="item", columns=None),
        groups=groups,
    )


def _replicability(loadings: np.ndarray) -> float:
    square = loadings**2
    if (square >= 1.0).any():
        return 1.0
    return float(1.0 / (1.0 + 1.0 / (square / (1.0 - square)).sum()))
