"""``link``: a new calibration on the scale of the old one, by the items that both have."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_instance
from psm_analysis._options import LinkMethod, check_option
from psm_analysis.errors import DataError, PsmAnalysisWarning
from psm_analysis.irt.graded_kernel import quadrature
from psm_analysis.irt.link_curves import (
    NODES,
    Anchor,
    Coefficients,
    Equations,
    category_curves,
    expected_sum,
    gradient,
    haebara,
    mean_mean,
    mean_sigma,
    moments_apart,
    stocking_lord,
)
from psm_analysis.irt.link_errors import link_covariance
from psm_analysis.irt.link_result import LinkResult
from psm_analysis.irt.result import GradedResponseResult
from psm_analysis.moments.sample import FloatArray

FEWEST, SHARE = 3, 0.2
DISPLACED = 0.3
COEFFICIENTS = ["method", "slope", "slope_std_error", "intercept", "intercept_std_error", "chosen"]
METHODS: Mapping[str, tuple[Coefficients, Equations]] = {
    "mean-sigma": (mean_sigma, moments_apart(mean_sigma)),
    "mean-mean": (mean_mean, moments_apart(mean_mean)),
    "haebara": (haebara, gradient(category_curves)),
    "stocking-lord": (stocking_lord, gradient(expected_sum)),
}


def link(
    reference: GradedResponseResult,
    new: GradedResponseResult,
    *,
    anchors: Sequence[str] | None = None,
    method: LinkMethod = "stocking-lord",
) -> LinkResult:
    r"""Bring a new calibration onto the scale of a reference by anchor items.

    For a wave in which an item was dropped or reworded: each wave is fitted alone by `graded_response`, and the items
    that stayed as they were say how the two scales lie to each other,

    .. math:: \theta_{ref} = A\,\theta_{new} + B, \qquad a_{ref} = a_{new} / A, \qquad b_{ref} = A\,b_{new} + B .

    *mean-sigma*: :math:`A = \sigma(b_{ref}) / \sigma(b_{new})`. *mean-mean*: :math:`A = \bar a_{new} / \bar a_{ref}`.
    Both: :math:`B = \bar b_{ref} - A\,\bar b_{new}`, over all thresholds of the anchors. *haebara*: least squares of
    the category curves of every anchor. *stocking-lord*: least squares of the expected sum of the anchors. The two
    curve methods weigh by a standard normal trait on both scales (symmetric).

    The standard errors of A and B carry the sampling errors of both calibrations (delta method; Ogasawara, 2000, 2001).

    Parameters
    ----------
    reference, new
        Two fits of `graded_response`, items turned round alike in both.
    anchors
        Items that stayed as they were; by default all common items with the same categories in both fits.
    method
        ``stocking-lord``, ``haebara``, ``mean-sigma`` or ``mean-mean``.

    Returns
    -------
    LinkResult
        ``slope`` (A), ``intercept`` (B), ``coefficients`` of all methods with standard errors, ``anchors``,
        ``parameters`` on the reference scale, ``person_scores()`` on the reference scale.

    Raises
    ------
    DataError
        If an anchor is not in both fits, has other categories in one or a slope that is not positive, or there are
        fewer anchors than three or a fifth of the items of the longer form (the fifth is the rule of Kolen & Brennan,
        2014, chapter 8; the three are our convention for short scales).

    Warns
    -----
    PsmAnalysisWarning
        If common items are left out because their categories differ, or an anchor lies 0.3 standard deviations of the
        trait or more from the reference after linking (after the 0.3 logits of Miller, Rotou & Twing, 2004).

    References
    ----------
    Kolen, M. J., & Brennan, R. L. (2014). Test equating, scaling, and linking (3rd ed.). Springer, chapters 6 and 8.
    Haebara, T. (1980). Japanese Psychological Research, 22, 144-149. Stocking, M. L., & Lord, F. M. (1983). Applied
    Psychological Measurement, 7, 201-210. Kim, S., & Lee, W.-C. (2006). Journal of Educational Measurement, 43, 53-76.
    Ogasawara, H. (2000). Economic Review (Otaru), 51, 1-23; (2001). Applied Psychological Measurement, 25, 53-67.
    Miller, G. E., Rotou, O., & Twing, J. S. (2004). Journal of Applied Measurement, 5, 172-177. In R: ``plink::plink``.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> def answers(mean, sd):
    ...     latent = 1.5 * (mean + sd * rng.standard_normal((1500, 1))) + rng.logistic(size=(1500, 6))
    ...     return pd.DataFrame(np.digitize(latent, [-1.0, 1.0]), columns=list("abcdef"))
    >>> old, new = (psm.graded_response(answers(*trait), tolerance=1e-3) for trait in ((0.0, 1.0), (0.5, 1.2)))
    >>> linked = psm.link(old, new, anchors=list("abcde"))
    >>> bool(abs(linked.slope - 1.2) < 0.15), bool(abs(linked.intercept - 0.5) < 0.15)
    (True, True)
    """
    check_option(method, LinkMethod, name="method")
    for label, fit in (("reference", reference), ("new", new)):
        check_instance(fit, GradedResponseResult, name=label, remedy="Give a fit of graded_response().")
    names, notes = _chosen(reference, new, anchors)
    _check_number(names, longest=max(len(reference.slopes), len(new.slopes)))
    old, fresh = _items(reference), _items(new)
    pair = [old[name] for name in names], [fresh[name] for name in names]
    against = [name for name in names if min(old[name].slope, fresh[name].slope) <= 0]
    if against:
        raise DataError(
            f"The slope of {', '.join(against)} is not positive.",
            where="argument 'anchors'",
            remedy="Turn the item round in both waves, or leave it out of the anchors.",
        )
    errors = _errors(reference, names), _errors(new, names)
    rows = [(name, *_linked(name, *pair, errors=errors), name == method) for name in METHODS]
    coefficients = pd.DataFrame(rows, columns=COEFFICIENTS)
    A, B = (float(coefficients.loc[coefficients["chosen"], name].item()) for name in ("slope", "intercept"))
    table = _anchor_table(names, *pair, A=A, B=B)
    moved = table[table["displacement"].abs() >= DISPLACED]["item"].tolist()
    if moved:
        notes.append(
            f"After linking, {', '.join(moved)} lies {DISPLACED} or more from the reference: hardly as it was. "
            "Leave it out of the anchors."
        )
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    return LinkResult(
        method=method,
        slope=A,
        intercept=B,
        coefficients=coefficients,
        anchors=table,
        new=new,
        curves=_curves(*pair, A=A, B=B),
        warnings=tuple(notes),
    )


def _linked(
    name: str, old: Sequence[Anchor], new: Sequence[Anchor], *, errors: tuple[FloatArray, FloatArray]
) -> tuple[float, float, float, float]:
    """Return A, its standard error, B, its standard error."""
    function, equations = METHODS[name]
    A, B = function(old, new)
    error_A, error_B = np.sqrt(np.diag(link_covariance(equations, old, new, at=(A, B), errors=errors)))
    return A, float(error_A), B, float(error_B)


def _errors(fit: GradedResponseResult, names: Sequence[str]) -> FloatArray:
    """Return the covariance matrix of the slope and the thresholds of the items, in their order."""
    owner = fit.parameters["item"].astype(str).to_numpy()
    places = np.concatenate([np.flatnonzero(owner == name) for name in names])
    return np.asarray(fit.vcov.to_numpy()[np.ix_(places, places)])


def _items(fit: GradedResponseResult) -> dict[str, Anchor]:
    pairs = zip(fit.slopes.items(), fit.intercepts, strict=True)
    return {str(name): Anchor(float(a), -d / float(a)) for (name, a), d in pairs}


def _chosen(
    reference: GradedResponseResult, new: GradedResponseResult, anchors: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return the anchors, and notes about common items that are none."""
    kinds = [dict(zip(map(str, fit.slopes.index), fit.categories, strict=True)) for fit in (reference, new)]
    wanted = [name for name in kinds[0] if name in kinds[1]] if anchors is None else list(dict.fromkeys(anchors))
    absent = [name for name in wanted if name not in kinds[0] or name not in kinds[1]]
    if absent:
        raise DataError(
            f"Not in both fits: {', '.join(absent)}.",
            where="argument 'anchors'",
            remedy=f"Common items are: {', '.join(name for name in kinds[0] if name in kinds[1]) or 'none'}.",
        )
    other = [name for name in wanted if not np.array_equal(kinds[0][name], kinds[1][name])]
    if other and anchors is not None:
        raise DataError(
            f"Other categories were used in one of the fits: {', '.join(other)}.",
            where="argument 'anchors'",
            remedy="Merge the category that nobody chose in both waves and fit again, or leave the item out.",
        )
    notes = [f"Not anchors, for their categories differ: {', '.join(other)}."] if other else []
    return [name for name in wanted if name not in other], notes


def _check_number(names: Sequence[str], *, longest: int) -> None:
    least = max(FEWEST, math.ceil(SHARE * longest))
    if len(names) < least:
        raise DataError(
            f"{len(names)} anchors are too few to link a scale of {longest} items: {least} are needed "
            f"(a fifth of the items, and {FEWEST} at least).",
            where="argument 'anchors'",
            remedy="Keep more items as they were; with fewer, report the waves on separate scales.",
        )


def _anchor_table(
    names: Sequence[str], old: Sequence[Anchor], fresh: Sequence[Anchor], *, A: float, B: float
) -> pd.DataFrame:
    theta, weight = quadrature(NODES)
    rows = []
    for name, before, now in zip(names, old, (item.moved(A, B) for item in fresh), strict=True):
        gap = (expected_sum([now], theta) - expected_sum([before], theta))[:, 0] / len(before.thresholds)
        shift = float((now.thresholds - before.thresholds).mean())
        rows.append((name, before.slope, now.slope, shift, math.sqrt(float(weight @ gap**2))))
    return pd.DataFrame(rows, columns=["item", "slope_reference", "slope", "displacement", "rmsd"])


def _curves(old: Sequence[Anchor], fresh: Sequence[Anchor], *, A: float, B: float) -> pd.DataFrame:
    theta = np.linspace(-4.0, 4.0, 81)
    moved = [item.moved(A, B) for item in fresh]
    return pd.DataFrame(
        {"theta": theta, "reference": expected_sum(old, theta)[:, 0], "new": expected_sum(moved, theta)[:, 0]}
    )
