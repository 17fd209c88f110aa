"""Differential item functioning by ordinal logistic regression."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_instance
from psm_analysis.errors import PsmAnalysisWarning
from psm_analysis.irt.adjusted import holm
from psm_analysis.irt.group_answers import align, answered, group_levels
from psm_analysis.irt.patterns import read_patterns
from psm_analysis.irt.proportional_odds import proportional_odds
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray, as_frame, read_sample

ROUNDS = 10
FLAGGED = 0.05
SHORT_SCALE = 5
APART = 0.2


def item_functioning(
    data: pd.DataFrame,
    group: pd.Series | Sequence[object],
    *,
    trait: pd.Series | Sequence[float] | None = None,
    purify: bool = True,
) -> pd.DataFrame:
    r"""Test whether people of the same trait but of different groups answer an item differently.

    Three proportional-odds models of each item are compared by likelihood ratio: trait alone; trait and group (uniform
    difference: the thresholds differ); and trait, group and their product (non-uniform difference: the slope differs).

    Parameters
    ----------
    data
        Items of one scale in columns, reversed items already reversed.
    group
        Group of each row, in the order of the rows; two groups or more, the first in order is the reference.
    trait
        What is held constant, e.g. the estimates of `graded_response(...).person_scores()`; by default the mean of the
        items, the one under study among them. Without it the others alone, which measure the trait with error, would
        leave a part of any difference between the groups to every item: tests of blameless items then reject far too
        often (Swaminathan & Rogers, 1990).
    purify
        Leave items with an adjusted p of the total difference below .05 out of the mean that matches the others, and
        test anew until the same items are left out twice (10 rounds at most). Without effect if `trait` is given.

    Returns
    -------
    DataFrame
        One row per item: n, chisq_uniform, df, p_uniform, chisq_nonuniform, p_nonuniform, chisq_total, p_total
        (2 df), r_squared_change (McFadden, all of the difference), log_odds (of a higher answer against the reference
        at the same trait; two groups only), p_total_adjusted (Holm), anchor (whether the item matches the others).

    Raises
    ------
    DataError
        If groups or trait do not match the rows, there is one group, or an item is not in whole categories.
    ConvergenceError
        If the answers to an item are separated by group or trait.

    Warns
    -----
    PsmAnalysisWarning
        If the mean of fewer than 5 items matches groups that differ in it by 0.2 standard deviations or more: its error
        then makes blameless items look different, and `graded_functioning` is the test to use.

    References
    ----------
    Swaminathan, H., & Rogers, H. J. (1990). Journal of Educational Measurement, 27, 361-370. Zumbo, B. D. (1999). A
    handbook on the theory and methods of differential item functioning. Crane, P. K., et al. (2006). Medical Care, 44,
    S115-S123. In R: ``lordif::lordif``. McFadden's change above 0.02 (Choi et al., 2011) is
    often taken as worth a look.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> latent = 1.5 * rng.standard_normal((400, 1)) + rng.logistic(size=(400, 5))
    >>> latent[:200, 0] += 1.5
    >>> frame = pd.DataFrame(np.digitize(latent, [-1.0, 1.0]), columns=list("abcde"))
    >>> found = item_functioning(frame, ["women"] * 200 + ["men"] * 200)
    >>> found.index[found["p_total_adjusted"] < 0.01].tolist()
    ['a']
    """
    check_instance(purify, bool, name="purify", remedy="Use True or False.")
    data = as_frame(data)
    patterns = read_patterns(data)
    labels = align(group, len(data), name="group")
    given = None if trait is None else read_sample(align(trait, len(data), name="trait").rename("trait")).values[:, 0]
    levels = group_levels(labels)
    kept = answered(data)
    codes = patterns.codes[patterns.row_pattern]
    dummies = np.column_stack([(labels == level).to_numpy()[kept] for level in levels[1:]]).astype(float)
    known = labels.notna().to_numpy()[kept]
    share = np.where(codes >= 0, codes / (np.array(patterns.sizes) - 1.0), np.nan)
    anchors: BoolArray = np.ones(codes.shape[1], dtype=bool)
    for _ in range(ROUNDS if purify and given is None else 1):
        rows = {}
        for j, name in enumerate(patterns.names):
            matched = _score(share, anchors, j) if given is None else given[kept]
            use = known & (codes[:, j] >= 0) & np.isfinite(matched)
            z = (matched[use] - matched[use].mean()) / matched[use].std()
            _, answers = np.unique(codes[use, j], return_inverse=True)
            rows[name] = _compare(answers.ravel(), z[:, None], dummies=dummies[use], name=name)
        table = _tests(rows).assign(anchor=anchors)
        clean: BoolArray = (table["p_total_adjusted"] >= FLAGGED).to_numpy()
        if not clean.any() or (clean == anchors).all():
            break
        anchors = clean
    if given is None:
        _warn_of_short_scale(share[known][:, table["anchor"].to_numpy()], dummies[known])
    return table


def _warn_of_short_scale(share: FloatArray, dummies: FloatArray) -> None:
    """Warn if few items match groups that are apart: a mean from that of the first group, in standard deviations."""
    if not 0 < share.shape[1] < SHORT_SCALE:
        return
    seen = np.isfinite(share).any(axis=1)
    score, member = np.nanmean(share[seen], axis=1), dummies[seen] > 0.0
    means = np.array([score[inside].mean() for inside in (~member.any(axis=1), *member.T) if inside.any()])
    apart = float(np.abs(means - means[0]).max() / score.std())
    if apart >= APART:
        warnings.warn(
            f"The mean of {share.shape[1]} items matches groups that differ by {apart:.2f} standard deviations of it. "
            "So short a mean holds much error, and items that do not differ may be found to. Compare with "
            "graded_functioning(data, group), which allows for that error.",
            PsmAnalysisWarning,
            stacklevel=3,
        )


def _tests(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    from scipy.special import chdtrc

    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("item")
    for kind, times in (("uniform", 1), ("nonuniform", 1), ("total", 2)):
        table[f"p_{kind}"] = chdtrc(times * table["df"], np.maximum(table[f"chisq_{kind}"], 0.0))
    return table.assign(p_total_adjusted=holm(table["p_total"].to_numpy())).astype({"n": int, "df": int})


def _compare(codes: IntArray, z: FloatArray, *, dummies: FloatArray, name: str) -> dict[str, float]:
    first, _ = proportional_odds(codes, z, name=name)
    second, slopes = proportional_odds(codes, np.hstack([z, dummies]), name=name)
    third, _ = proportional_odds(codes, np.hstack([z, dummies, z * dummies]), name=name)
    counts = np.bincount(codes)
    null = float(counts @ np.log(counts / len(codes)))
    return {
        "n": len(codes),
        "df": dummies.shape[1],
        "chisq_uniform": 2.0 * (second - first),
        "chisq_nonuniform": 2.0 * (third - second),
        "chisq_total": 2.0 * (third - first),
        "r_squared_change": (first - third) / null,
        "log_odds": float(slopes[1]) if dummies.shape[1] == 1 else np.nan,
    }


def _score(share: FloatArray, anchors: BoolArray, j: int) -> FloatArray:
    """Mean of the anchors and of item `j` itself, of those answered."""
    chosen = anchors.copy()
    chosen[j] = True
    answers = share[:, chosen]
    seen = np.isfinite(answers).sum(axis=1)
    return np.asarray(np.divide(np.nansum(answers, axis=1), seen, out=np.full(len(share), np.nan), where=seen > 0))
