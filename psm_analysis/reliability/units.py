"""Agreement within units: may answers of people be aggregated to their unit?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_whole
from psm_analysis._results import P_VALUE, STATISTIC, Result
from psm_analysis.errors import DataError
from psm_analysis.moments.sample import FloatArray, IntArray, Sample, read_sample


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UnitAgreement(Result):
    """Agreement within units, and the reliability of unit means.

    Attributes
    ----------
    units
        DataFrame, one row per unit: n, mean, rwg (NaN for a unit of one respondent).
    icc1, icc2
        Share of the scale score's variance between units, and reliability of a unit's mean.
    statistic, df1, df2, p_value
        The F test of differences between units.
    rwg_mean, rwg_median, rwg_above_70
        Mean, median and share of units with at least .70.
    n, n_units, n_categories
        Respondents used, units, answer categories.
    """

    units: pd.DataFrame
    icc1: float
    icc2: float
    statistic: float
    df1: int
    df2: int
    p_value: float
    rwg_mean: float
    rwg_median: float
    rwg_above_70: float
    n: int
    n_units: int
    n_categories: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per unit."""
        return self.units.reset_index()

    def glance(self) -> pd.DataFrame:
        """Return agreement and aggregation statistics in one row."""
        names = ("icc1", "icc2", STATISTIC, "df1", "df2", P_VALUE, "rwg_mean", "rwg_median", "rwg_above_70")
        counts = {"n": self.n, "units": self.n_units}
        return pd.DataFrame([{**{name: getattr(self, name) for name in names}, **counts}])


def unit_agreement(data: pd.DataFrame, units: pd.Series | Sequence[object], *, n_categories: int) -> UnitAgreement:
    """Return rwg(j) of every unit and ICC(1), ICC(2) of the scale score, from the complete rows.

    Definition: with J items, mean item variance s2 within the unit, and ``v = (A^2 - 1) / 12`` for A equally likely
    answers: ``rwg(j) = J (1 - s2/v) / (J (1 - s2/v) + s2/v)``, 0 where s2 exceeds v. With mean squares B and W
    of the mean score and ``n0 = (N - sum n_g^2 / N) / (G - 1)``: ``ICC(1) = (B - W) / (B + (n0 - 1) W)``,
    ``ICC(2) = (B - W) / B``.

    Parameters
    ----------
    data
        The items of one scale in columns, respondents in rows.
    units
        The unit of every row, in the order of the rows.
    n_categories
        Number of answers A that the response scale offers.

    Raises
    ------
    DataError
        If `units` does not match the rows, fewer than two units remain, no unit has two respondents, scores do not
        differ within units, or answers in whole numbers span more
        than `n_categories`.

    References
    ----------
    James, L. R., Demaree, R. G., & Wolf, G. (1984). Journal of Applied Psychology, 69, 85-98.
    Bliese, P. D. (2000). Within-group agreement, non-independence, and reliability. In K. J. Klein & S. W. J. Kozlowski
    (Eds.), Multilevel theory, research, and methods in organizations (pp. 349-381). Jossey-Bass.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 1, 2, 4, 5, 5], "b": [1, 2, 2, 5, 4, 5]})
    >>> result = unit_agreement(frame, ["u", "u", "u", "v", "v", "v"], n_categories=5)
    >>> result.units["rwg"].round(3).tolist(), round(result.icc1, 3)
    ([0.909, 0.909], 0.967)
    """
    check_whole(n_categories, name="n_categories", least=2, remedy="Use 5 for a five-point scale.")
    sample, labels = _matched(read_sample(data, allow_constant=True), units)
    _check_span(sample, n_categories)
    member, levels = pd.factorize(labels, sort=True)
    sizes = np.bincount(member).astype(np.float64)
    if len(levels) < 2 or (sizes < 2).all():
        raise DataError(
            f"{len(levels)} unit(s), the largest with {int(sizes.max())} respondent(s): agreement is undefined.",
            where="argument 'units'",
            remedy="Agreement needs two units, and units with two respondents.",
        )
    rwg = _rwg(sample.values, member, sizes=sizes, expected=(n_categories**2 - 1.0) / 12.0)
    score = sample.values.mean(axis=1)
    means = np.bincount(member, score) / sizes
    between, within, df1, df2 = _one_way(score, member, means=means, sizes=sizes)
    if within <= 0.0:
        raise DataError(
            "Everybody has the same score as the others of the unit: the F ratio is undefined.",
            where="argument 'data'",
            remedy="Check that the units are not the respondents themselves.",
        )
    typical = float(sizes.sum() - (sizes**2).sum() / sizes.sum()) / df1
    table = pd.DataFrame({"n": sizes.astype(np.int64), "mean": means, "rwg": rwg}, index=pd.Index(levels, name="unit"))
    known = rwg[~np.isnan(rwg)]
    return UnitAgreement(
        units=table,
        icc1=(between - within) / (between + (typical - 1.0) * within),
        icc2=(between - within) / between,
        statistic=between / within,
        df1=df1,
        df2=df2,
        p_value=_f_tail(between / within, df1, df2=df2),
        rwg_mean=float(known.mean()),
        rwg_median=float(np.median(known)),
        rwg_above_70=float((known >= 0.70).mean()),
        n=sample.n_rows,
        n_units=len(levels),
        n_categories=n_categories,
    )


def _matched(sample: Sample, units: pd.Series | Sequence[object]) -> tuple[Sample, pd.Series]:
    labels = pd.Series(units).reset_index(drop=True)
    if len(labels) != sample.n_rows:
        raise DataError(
            f"{len(labels)} unit labels are given for {sample.n_rows} rows.",
            where="argument 'units'",
            remedy="Pass one label per row, in the order of the rows.",
        )
    keep = np.asarray(sample.observed.all(axis=1) & labels.notna().to_numpy())
    if not keep.any():
        raise DataError("No row is complete and has a unit.", where="argument 'data'", remedy="Check the columns.")
    kept = Sample(sample.names, sample.values[keep], sample.index[keep])
    kinds = {type(label) for label in labels[keep]}
    return kept, labels[keep] if len(kinds) == 1 else labels[keep].astype(str)


def _rwg(values: FloatArray, member: IntArray, *, sizes: FloatArray, expected: float) -> FloatArray:
    sums = np.stack([np.bincount(member, column) for column in values.T], axis=1)
    centred = values - (sums / sizes[:, None])[member]
    scatter = np.bincount(member, (centred**2).mean(axis=1))
    ratio = np.divide(scatter, sizes - 1.0, out=np.full(len(sizes), np.nan), where=sizes > 1) / expected
    agreement = values.shape[1] * np.maximum(1.0 - ratio, 0.0)
    return np.asarray(agreement / (agreement + ratio))


def _one_way(
    score: FloatArray, member: IntArray, *, means: FloatArray, sizes: FloatArray
) -> tuple[float, float, int, int]:
    df1, df2 = len(sizes) - 1, len(score) - len(sizes)
    between = float((sizes * (means - score.mean()) ** 2).sum()) / df1
    within = float(((score - means[member]) ** 2).sum()) / df2
    if within <= 0.0 or between <= 0.0:
        raise DataError(
            f"The scale score does not vary {'within' if within <= 0.0 else 'between'} units.",
            where="argument 'units'",
            remedy="Check that the units are not respondents, and that the answers are right.",
        )
    return between, within, df1, df2


def _f_tail(statistic: float, df1: int, *, df2: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(df1, df2, statistic))


def _check_span(sample: Sample, n_categories: int) -> None:
    whole = (sample.values == np.round(sample.values)).all(axis=0)
    low, high = sample.values.min(axis=0), sample.values.max(axis=0)
    wide = np.flatnonzero(whole & (high - low > n_categories - 1))
    if wide.size:
        j = int(wide[0])
        raise DataError(
            f"Answers from {low[j]:g} to {high[j]:g} do not fit {n_categories} categories.",
            where=f"column {sample.names[j]!r}",
            remedy="Correct n_categories or the answers.",
        )
