"""Differential item functioning by likelihood ratio of graded response models of several groups."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_between, check_whole
from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.irt.adjusted import holm
from psm_analysis.irt.expectation_maximisation import starting_values
from psm_analysis.irt.graded_kernel import category_probabilities
from psm_analysis.irt.group_answers import read_groups
from psm_analysis.irt.group_estimation import (
    GRID,
    GroupAnswers,
    GroupEstimates,
    ItemParameters,
    estimate_groups,
    release,
)
from psm_analysis.irt.group_result import GradedFunctioning
from psm_analysis.irt.patterns import ResponsePatterns
from psm_analysis.moments.sample import FloatArray, as_frame


def graded_functioning(
    data: pd.DataFrame,
    group: pd.Series | Sequence[object],
    *,
    anchors: Sequence[str] = (),
    max_iterations: int = 500,
    tolerance: float = 1e-4,
) -> GradedFunctioning:
    r"""Test differential item functioning by likelihood ratio in a graded response model of several groups.

    The trait has mean 0 and variance 1 in the first group and a free mean and variance in the others; the anchor items
    have the same parameters everywhere and so carry the comparison. For each other item,
    :math:`G^2 = 2(\ell_{free} - \ell_{equal})` compares its parameters free in every group against equal, and is the
    sum of a part for the slope (non-uniform) and one for the thresholds given an equal slope (uniform).

    Parameters
    ----------
    data
        Items of one scale in columns, whole-number answers, reversed items already reversed; NaN is missing.
    group
        Group of each row, in the order of the rows; the first in order is the reference.
    anchors
        Items known to work alike, two at least; each other item is tested with them alone. Without any, each item is
        tested with all others as anchors.
    max_iterations, tolerance
        EM steps at most, and the rise of the log-likelihood below which they stop.

    Returns
    -------
    GradedFunctioning
        ``tidy()`` has one row per tested item, ``.groups`` mean and standard deviation of the trait by group.

    Raises
    ------
    DataError
        If groups do not match the rows, there is one group, or an item is not in whole categories.
    OptionError
        If an anchor is no item, or there is one anchor only, or nothing is left to test.

    Warns
    -----
    PsmAnalysisWarning
        If categories were merged because a group never chose them, or EM did not settle.

    References
    ----------
    Thissen, D., Steinberg, L., & Wainer, H. (1993). In P. W. Holland & H. Wainer (Eds.), Differential item functioning
    (pp. 67-113). Erlbaum. Meade, A. W. (2010). Journal of Applied Psychology, 95, 728-743 (differences of expected
    scores). In R: ``mirt::multipleGroup`` and ``mirt::DIF``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> latent = 1.5 * rng.standard_normal((600, 1)) + rng.logistic(size=(600, 5))
    >>> latent[300:, 0] += 1.5
    >>> frame = pd.DataFrame(np.digitize(latent, [-1.0, 1.0]), columns=list("abcde"))
    >>> found = graded_functioning(frame, ["men"] * 300 + ["women"] * 300, tolerance=1e-2)
    >>> found.items["p_total_adjusted"].idxmin()
    'a'
    """
    check_whole(max_iterations, name="max_iterations", least=1, remedy="Use 500.")
    check_between(tolerance, name="tolerance", remedy="Use 1e-4.")
    patterns, answers, levels, notes = read_groups(as_frame(data), group)
    kept = _anchor_places(patterns.names, anchors)
    rows, settled = {}, True
    base = None if kept else _fit(answers, _start(answers, patterns), max_iterations, tolerance=tolerance)
    for j, name in enumerate(patterns.names):
        if j in kept:
            continue
        places = [*kept, j] if kept else list(range(len(patterns.names)))
        own = answers.take(places)
        equal = base or _fit(own, _start(own, patterns, places=places), max_iterations, tolerance=tolerance)
        at = places.index(j)
        slope = _fit(own, release(equal, at, sharing="slope"), max_iterations, tolerance=tolerance)
        free = _fit(own, release(slope, at, sharing="free"), max_iterations, tolerance=tolerance)
        settled = settled and equal.converged and slope.converged and free.converged
        rows[name] = _compare(own, (equal, slope, free), item=at, scores=patterns.categories[j])
    if not settled:
        notes = (*notes, f"EM did not settle in {max_iterations} steps for some items; raise max_iterations.")
    for text in notes:
        warnings.warn(text, PsmAnalysisWarning, stacklevel=2)
    trait = base or _fit(answers, _all_but(answers, kept, patterns=patterns), max_iterations, tolerance=tolerance)
    return GradedFunctioning(
        items=_table(rows),
        groups=_groups(answers, trait, levels=levels),
        anchors=tuple(anchors),
        converged=settled,
        warnings=notes,
    )


def _anchor_places(names: tuple[str, ...], anchors: Sequence[str]) -> list[int]:
    unknown = [anchors] if isinstance(anchors, str) else [name for name in anchors if name not in names]
    if unknown:
        raise OptionError(
            f"Anchors are no items: {', '.join(unknown)}.",
            where="argument 'anchors'",
            remedy="Give names of columns, in a list.",
        )
    if len(set(anchors)) == 1 or len(set(anchors)) == len(names):
        raise OptionError(
            f"{len(set(anchors))} of {len(names)} items are anchors.",
            where="argument 'anchors'",
            remedy="Give two at least and leave an item to test, or none to test each item against all others.",
        )
    return sorted({names.index(name) for name in anchors})


def _start(answers: GroupAnswers, patterns: ResponsePatterns, *, places: Sequence[int] | None = None) -> GroupEstimates:
    slopes, intercepts = starting_values(patterns)
    used = range(len(patterns.names)) if places is None else places
    everyone = (tuple(range(answers.n_groups)),)
    items = tuple(ItemParameters(k, float(slopes[j]), (intercepts[j],), everyone) for k, j in enumerate(used))
    return GroupEstimates(items, np.zeros(answers.n_groups), np.ones(answers.n_groups), -np.inf, False)


def _all_but(answers: GroupAnswers, kept: Sequence[int], *, patterns: ResponsePatterns) -> GroupEstimates:
    """Start with every item free in each group but the anchors."""
    found = _start(answers, patterns)
    for j in range(len(patterns.names)):
        found = found if j in kept else release(found, j, sharing="free")
    return found


def _fit(answers: GroupAnswers, start: GroupEstimates, max_iterations: int, *, tolerance: float) -> GroupEstimates:
    return estimate_groups(answers, start, max_iterations=max_iterations, tolerance=tolerance)


def _compare(
    answers: GroupAnswers,
    fits: tuple[GroupEstimates, GroupEstimates, GroupEstimates],
    *,
    item: int,
    scores: FloatArray,
) -> dict[str, float]:
    equal, slope, free = fits
    more, cuts = answers.n_groups - 1, answers.sizes[item] - 1
    signed, unsigned = _expected_difference(free, item, scores=scores)
    return {
        "n": float(answers.counts[answers.codes[:, item] >= 0].sum()),
        "chisq_uniform": max(2.0 * (slope.loglik - equal.loglik), 0.0),
        "df_uniform": more * cuts,
        "chisq_nonuniform": max(2.0 * (free.loglik - slope.loglik), 0.0),
        "df_nonuniform": more,
        "chisq_total": max(2.0 * (free.loglik - equal.loglik), 0.0),
        "df_total": more * (cuts + 1),
        "difference": signed,
        "difference_unsigned": unsigned,
    }


def _expected_difference(free: GroupEstimates, item: int, *, scores: FloatArray) -> tuple[float, float]:
    """Return how much more the second group answers than the first at the same trait, averaged over the second."""
    own = [one for one in free.items if one.item == item]
    if len(own) != 2:
        return np.nan, np.nan
    curves = [category_probabilities(one.slope, one.intercepts[0], theta=GRID) @ scores for one in own]
    weight = np.exp(-0.5 * ((GRID - free.means[1]) / free.deviations[1]) ** 2)
    gap = curves[1] - curves[0]
    return float(weight @ gap / weight.sum()), float(weight @ np.abs(gap) / weight.sum())


def _table(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    from scipy.special import chdtrc

    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("item")
    kinds = ("uniform", "nonuniform", "total")
    for kind in kinds:
        table[f"p_{kind}"] = chdtrc(table[f"df_{kind}"], table[f"chisq_{kind}"])
    table["p_total_adjusted"] = holm(table["p_total"].to_numpy(dtype=float))
    tests = [f"{part}_{kind}" for kind in kinds for part in ("chisq", "df", "p")]
    ordered = table[["n", *tests, "p_total_adjusted", "difference", "difference_unsigned"]]
    return ordered.astype(dict.fromkeys(["n", *(f"df_{kind}" for kind in kinds)], int))


def _groups(answers: GroupAnswers, found: GroupEstimates, *, levels: Sequence[object]) -> pd.DataFrame:
    n = [int(answers.counts[answers.group == g].sum()) for g in range(len(levels))]
    return pd.DataFrame(
        {"n": n, "mean": found.means, "sd": found.deviations},
        index=pd.Index(np.array(levels, dtype=object), name="group"),
    )
