"""Test-retest reliability: the same scores on two occasions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_level
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, Result
from psm_analysis.errors import DataError
from psm_analysis.moments.sample import FloatArray, as_frame, check_columns, read_sample
from psm_analysis.reliability.agreement import icc


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RetestResult(Result):
    """Stability and agreement of each score over two occasions.

    Attributes
    ----------
    scores
        DataFrame, index score: n, correlation with its interval (estimate, ci_low, ci_high), icc_agreement (ICC2),
        icc_consistency (ICC3), mean_change, sd_change, standard_error_of_measurement (agreement), smallest_change
        (the smallest detectable change of one person, 1.96 sqrt 2 SEM), limit_low, limit_high (Bland-Altman limits).
    level
        Level of the interval of the correlation.
    """

    scores: pd.DataFrame
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per score."""
        return self.scores.reset_index()

    def glance(self) -> pd.DataFrame:
        """Return one row: scores, smallest number of people, lowest correlation and agreement."""
        row = {
            "scores": len(self.scores),
            "n": int(self.scores["n"].min()),
            "lowest_correlation": float(self.scores[ESTIMATE].min()),
            "lowest_icc_agreement": float(self.scores["icc_agreement"].min()),
        }
        return pd.DataFrame([row])


def retest(first: pd.DataFrame, second: pd.DataFrame, *, level: float = 0.95) -> RetestResult:
    """Return test-retest reliability of every score that both tables hold, for the people in both.

    Definition: with scores x and y, ``r = cor(x, y)`` with Fisher's interval; the standard error of measurement is
    that of agreement, ``sqrt(W)`` with W the mean square within persons; the smallest change beyond error of one person
    is ``1.96 sqrt(2) SEM``; limits of agreement are ``mean(y - x) +- 1.96 sd(y - x)``.

    Parameters
    ----------
    first, second
        Scores (columns) of the two occasions; rows are matched by index, which must name the person.
    level
        Level of the interval of the correlation.

    Returns
    -------
    RetestResult
        ``tidy()`` has one row per score.

    Raises
    ------
    DataError
        If the tables share no column, a column is not numeric, empty or constant on an occasion, an index repeats a
        person, or fewer than four people answered twice.

    References
    ----------
    Weir, J. P. (2005). Journal of Strength and Conditioning Research, 19, 231-240. Bland, J. M., & Altman, D. G.
    (1986). Lancet, 327, 307-310. In R: ``psych::testRetest``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> true = rng.standard_normal(500)
    >>> now, later = (pd.DataFrame({"psm": true + 0.5 * rng.standard_normal(500)}) for _ in range(2))
    >>> round(float(retest(now, later).scores.loc["psm", "estimate"]), 1)  # 1 / 1.25
    0.8
    """
    check_level(level)
    first, second = as_frame(first, argument="first"), as_frame(second, argument="second")
    common = [name for name in first.columns if name in second.columns]
    if not common:
        raise DataError(
            "The two tables share no column.", where="argument 'second'", remedy="Give the same scores of both waves."
        )
    for label, frame in (("first", first), ("second", second)):
        check_columns(frame)
        if frame.index.has_duplicates:
            person = frame.index[frame.index.duplicated()][0]
            raise DataError(
                f"The person {person!r} occurs twice.",
                where=f"argument {label!r}",
                remedy="Set the index to the identifier of the person and keep one row of each.",
            )
    people = first.index.intersection(second.index)
    _check_enough(len(people), str(common[0]))
    before, after = (read_sample(frame.loc[people, common]) for frame in (first, second))
    pairs = {name: np.column_stack([before.values[:, j], after.values[:, j]]) for j, name in enumerate(before.names)}
    rows = {name: _score(pair, name, level=level) for name, pair in pairs.items()}
    scores = pd.DataFrame.from_dict(rows, orient="index").rename_axis("score")
    return RetestResult(scores.astype({"n": int}), level)


def _check_enough(n: int, name: str) -> None:
    if n < 4:
        raise DataError(
            f"{n} people have the score on both occasions; at least 4 are needed.",
            where=f"column {name!r}",
            remedy="Check that the index of both tables names the person.",
        )


def _score(pair: FloatArray, name: str, *, level: float) -> dict[str, float]:
    from scipy.special import ndtri

    both = pd.DataFrame(pair, columns=["first", "second"]).dropna()
    n = len(both)
    _check_enough(n, name)
    table = icc(both).set_index("type")["icc"]
    r = float(np.corrcoef(both["first"], both["second"])[0, 1])
    centre, half = np.arctanh(r), float(ndtri(0.5 + level / 2.0)) / np.sqrt(n - 3.0)
    change = (both["second"] - both["first"]).to_numpy(dtype=float)
    error = float(np.sqrt((change**2).mean() / 2.0))
    spread = float(change.std(ddof=1))
    return {
        "n": n,
        ESTIMATE: r,
        CI_LOW: float(np.tanh(centre - half)),
        CI_HIGH: float(np.tanh(centre + half)),
        "icc_agreement": float(table["ICC2"]),
        "icc_consistency": float(table["ICC3"]),
        "mean_change": float(change.mean()),
        "sd_change": spread,
        "standard_error_of_measurement": error,
        "smallest_change": 1.96 * np.sqrt(2.0) * error,
        "limit_low": float(change.mean()) - 1.96 * spread,
        "limit_high": float(change.mean()) + 1.96 * spread,
    }
