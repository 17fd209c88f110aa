"""``alignment``: factor means of many groups without exact invariance."""

from __future__ import annotations

import warnings as python_warnings
from collections import Counter
from typing import Any

import pandas as pd

from psm_analysis._options import AlignmentMethod, AlignmentMetric, check_choice, check_option
from psm_analysis.errors import ModelError, OptionError, PsmAnalysisWarning
from psm_analysis.invariance.alignment_factor import align_factor
from psm_analysis.invariance.alignment_result import AlignmentResult, item_rows
from psm_analysis.sem.fit import cfa
from psm_analysis.sem.ordered_columns import ordinal_with_columns
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.roles import find_roles
from psm_analysis.sem.syntax import parse_model

TOLERABLE = 0.25
SET_HERE = ("group_equal", "group_partial", "std_lv", "parameterization", "meanstructure")


def alignment(
    model: str,
    data: pd.DataFrame,
    *,
    group: str,
    method: AlignmentMethod = "fixed",
    metric: AlignmentMetric = "reference",
    reference: str | None = None,
    **options: Any,
) -> AlignmentResult:
    """Compare factor means of many groups by alignment: most parameters nearly equal, a few free to differ.

    The configural model, with loadings ``lambda0_g`` and intercepts ``nu0_g``, fits as well with any factor mean
    ``alpha_g`` and variance ``psi_g``: ``lambda_g = lambda0_g / sqrt(psi_g)``, ``nu_g = nu0_g - alpha_g lambda_g``.
    Alignment takes those that minimise ``sum sqrt(N_g N_h) [rho(lambda_g - lambda_h) + rho(nu_g - nu_h)]`` over pairs
    of groups and items, ``rho(x) = (x^2 + .01)^(1/4)``, which favours a few large differences over many small ones
    (eq. 9-10), under ``prod psi_g = 1``.

    Parameters
    ----------
    model
        A measurement model in which every item loads on one factor.
    data
        One row per respondent.
    group
        Column of the groups, two or more.
    method
        ``fixed``: the reference group has mean 0. ``free``: its mean is estimated too, which needs loadings that differ
        somewhat, and more than two groups.
    metric
        ``reference``: the reference group has variance 1. ``product``: the variances have product 1.
    reference
        The value of the reference group; by default the first in the data.
    **options
        Of :func:`cfa`: ``estimator``, ``missing``, ``ordered`` (in the theta parameterization) and others.

    Returns
    -------
    AlignmentResult
        ``.tidy()`` has factor means and variances with standard errors (delta method: the minimum as a function of the
        configural estimates), ``.noninvariance()`` what differs where, ``.differences(factor)`` pairs of groups.

    Raises
    ------
    ModelError
        For cross-loadings, higher-order factors, fixed loadings or intercepts, or a configural model without solution.
    OptionError
        For an unknown method, metric or reference, or options that alignment itself sets.

    References
    ----------
    Asparouhov, T., & Muthén, B. (2014). Multiple-group factor analysis alignment. Structural Equation Modeling, 21,
    495-508. Muthén, B., & Asparouhov, T. (2014). IRT studies of many groups: The alignment method. Frontiers in
    Psychology, 5, 978. In R: ``sirt::invariance.alignment``; in Mplus ``ALIGNMENT = FIXED``.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> frames = []
    >>> for place, mean in zip("ABCDE", [0.0, 0.3, -0.2, 0.5, 0.1]):
    ...     f = rng.normal(mean, 1, size=(400, 1))
    ...     y = f * [1, 0.8, 0.9, 0.7] + rng.normal(size=(400, 4)) * 0.6
    ...     y[:, 3] += 0.8 * (place == "C")
    ...     frames.append(pd.DataFrame(y, columns=["a", "b", "c", "d"]).assign(place=place))
    >>> found = psm.alignment("f =~ a + b + c + d", pd.concat(frames, ignore_index=True), group="place")
    >>> found.tidy()["estimate"].round(1).tolist()
    [0.0, 0.4, -0.1, 0.6, 0.2]
    >>> found.noninvariance().query("n_noninvariant > 0")[["item", "parameter", "groups"]].values.tolist()
    [['d', 'intercept', 'C']]
    """
    check_option(method, AlignmentMethod, name="method")
    check_option(metric, AlignmentMetric, name="metric")
    for name in SET_HERE:
        if name in options:
            raise OptionError(f"{name} is set by alignment.", where=f"argument {name!r}", remedy="Leave it out.")
    _check_model(model)
    fit = _configural(model, data, group, options)
    labels = fit.group_labels
    first = labels[0] if reference is None else str(reference)
    check_choice(first, labels, name="reference")
    start = labels.index(first)
    order = [start, *(g for g in range(len(labels)) if g != start)]
    factors = tuple(
        align_factor(fit, name, order=order, fixed=method == "fixed", product=metric == "product")
        for name in fit.table.roles.latent
    )
    items = pd.DataFrame([row for found in factors for row in item_rows(found, labels)])
    notes = [*fit.warnings, *_doubts(items, [f.factor for f in factors if not f.identified], len(labels))]
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    return AlignmentResult(fit, factors, method, metric, first, items, tuple(notes))


def _configural(model: str, data: pd.DataFrame, group: str, options: dict[str, Any]) -> SemResult:
    ordered = ordinal_with_columns(options.get("ordered", ()), find_roles(parse_model(model).terms), data)
    theta = {"parameterization": "theta"} if ordered else {}
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", PsmAnalysisWarning)
        fit = cfa(model, data, **(options | theta | {"group": group, "std_lv": True, "meanstructure": True}))
    if not fit.converged:
        raise ModelError(
            "The configural model has no solution.",
            where="alignment",
            remedy="Look at the fit of each group alone; merge small groups, or simplify the model.",
        )
    return fit


def _check_model(model: str) -> None:
    terms = parse_model(model).terms
    latent = find_roles(terms).latent
    uses = Counter(term.rhs for term in terms if term.op == "=~")
    for name, times in uses.items():
        if name in latent or times > 1:
            raise ModelError(
                f"{name!r} is a factor of lower order." if name in latent else f"{name!r} loads on {times} factors.",
                where="argument 'model'",
                remedy="Alignment needs items that load on one factor each.",
            )


def _doubts(items: pd.DataFrame, unidentified: list[str], n_groups: int) -> list[str]:
    notes = [
        f"The mean of the reference group is hardly identified for {name}: use method='fixed'." for name in unidentified
    ]
    share = items["n_noninvariant"].sum() / (n_groups * len(items))
    if share > TOLERABLE:
        notes.append(
            f"{share:.0%} of the parameters are not invariant. Beyond 25% aligned means may be biased (Muthén & "
            "Asparouhov, 2014): check them by simulation."
        )
    return notes
