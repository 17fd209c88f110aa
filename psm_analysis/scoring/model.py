"""The frozen scoring model: what was decided once, so that every later wave is scored the same way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from psm_analysis._options import BadValues, ScoreColumns, SqlDialect, check_option
from psm_analysis._results import Result
from psm_analysis.scoring import apply, sql, store
from psm_analysis.scoring.dialect import DIALECTS


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """One item: its codes as answered, and whether it is turned round (``min + max - x``) before scoring."""

    id: str
    codes: tuple[int, ...]
    reverse: bool


@dataclass(frozen=True, slots=True)
class Norms:
    """The distribution of a score in one group of the reference wave.

    Attributes
    ----------
    variable, group
        Declared column and its value; both empty for the whole wave.
    n, mean, sd
        Persons with a score, their mean and standard deviation (divisor n - 1; None for fewer than two persons).
    quantiles
        The 1st to the 99th percentile.
    """

    variable: str
    group: str
    n: int
    mean: float
    sd: float | None
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ItemResponse:
    """How an item is answered at each value of the trait, itself standard normal in the reference wave.

    ``P(answer >= c) = F(slope * trait + intercept_c)``, F the logistic (``logit``) or normal (``probit``) distribution.

    Attributes
    ----------
    link, slope, intercepts
        Intercepts fall; one fewer than categories.
    categories
        The codes, turned round, that were given in the reference wave.
    """

    link: str
    slope: float
    intercepts: tuple[float, ...]
    categories: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """One score: items, weights, missing rule, norms, reliability.

    Attributes
    ----------
    required
        How many of `items` must be answered.
    weights, constant
        Of factor scores: ``constant + weights @ answers``, answers turned round; empty and 0 for the other methods.
    responses
        Of expected a posteriori scores: the parameters of each item; empty for the other methods.
    alpha
        Coefficient alpha in the reference wave, complete rows; None for a single item or factor scores.
    std_error
        Standard error of measurement of a complete answer, in the units of the score; None if it is not known. Expected
        a posteriori scores have an error for each person; this is the root of its mean square in the reference wave.
    """

    id: str
    items: tuple[str, ...]
    required: int
    weights: tuple[float, ...]
    constant: float
    responses: tuple[ItemResponse, ...]
    alpha: float | None
    std_error: float | None
    norms: tuple[Norms, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Moments of the reference wave: per item in the order of the model, answers turned round.

    Attributes
    ----------
    n
        Persons.
    means, sds, missing
        Of the answers given (divisor n - 1), and the share without an answer.
    empty
        Share of persons without any answer.
    proportions
        Share of each code among the answers given, in the order of the codes.
    complete_n, complete_means, covariance
        Of the persons who answered every item.
    careless
        Share of rows with two or more signs of careless answering; None if that could not be computed.
    """

    n: int
    means: tuple[float, ...]
    sds: tuple[float, ...]
    missing: tuple[float, ...]
    empty: float
    proportions: tuple[tuple[float, ...], ...]
    complete_n: int
    complete_means: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    careless: float | None


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One parameter of a measurement model, in lavaan's notation: ``lhs op rhs`` has this value."""

    lhs: str
    op: str
    rhs: str
    value: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """The measurement model as it was estimated in the reference wave, to be held against later waves.

    Attributes
    ----------
    model
        Model text; empty if there is none.
    coefficients
        Every parameter with its estimate (maximum likelihood with means, complete rows, answers turned round).
    nobs, chisq, df, cfi, rmsea, srmr
        Persons, and how well the model fits the reference wave itself.
    problem
        Why there is no model; empty if there is one.
    """

    model: str
    coefficients: tuple[Coefficient, ...]
    nobs: int
    chisq: float | None
    df: int
    cfi: float | None
    rmsea: float | None
    srmr: float | None
    problem: str


@dataclass(frozen=True, slots=True)
class CheckScores:
    """Invented answers and the scores they had when the model was frozen; None is missing."""

    answers: tuple[tuple[int | None, ...], ...]
    scores: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True, repr=False)
class ScoringModel(Result):
    """A frozen scoring rule with norms and the moments of the wave it was made from.

    Attributes
    ----------
    instrument, version, instrument_hash
        Id and version of the instrument, and the SHA-256 of its items, keys, codes, subscales and scoring rules.
    method
        ``mean`` of the answered items; ``sum`` of complete answers; ``prorated`` sum, items times mean; ``pomp``, the
        mean as percent of the maximum possible; ``regression``, ``bartlett`` or ``tenberge`` factor scores; ``eap``,
        the mean of the trait given the answers.
    items, scales, reference, measurement, check
        See the classes of that name.
    """

    instrument: str
    version: str
    instrument_hash: str
    method: str
    items: tuple[ScoredItem, ...]
    scales: tuple[Scale, ...]
    reference: Reference
    measurement: Measurement
    check: CheckScores

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of the items, in the order of the model."""
        return tuple(item.id for item in self.items)

    def score(
        self,
        frame: pd.DataFrame,
        *,
        id: str | None = None,
        bad_values: BadValues = "refuse",
        columns: ScoreColumns = "all",
    ) -> pd.DataFrame:
        """Return scores of new persons in the order of the rows.

        Parameters
        ----------
        frame
            One row per person; columns named by item id hold the codes as answered. Order and other columns do not
            matter.
        id
            Column that identifies the persons; it is kept as the first column.
        bad_values
            What happens to answers that are not codes of the item: ``refuse`` them all at once, set them ``missing``,
            or ``drop`` the rows.
        columns
            ``all``, or only the ``scores`` and flags.

        Returns
        -------
        DataFrame
            Index of `frame`. Per scale: the score, ``_se`` (standard error of measurement; for ``eap`` the
            standard deviation of the trait given the answers), ``_n`` (items answered),
            ``_percentile``, ``_t`` and ``_stanine`` (against the whole reference wave); then ``flags``.

        Raises
        ------
        DataError
            If columns or answers cannot be used; every problem is named in one message.
        """
        return apply.score_frame(self, frame, id=id, bad_values=bad_values, columns=columns).scores

    def to_sql(
        self,
        dialect: SqlDialect = "duckdb",
        *,
        table: str = "wave",
        id: str | None = None,
        columns: ScoreColumns = "all",
    ) -> str:
        """Return one SQL statement with the columns of `score`, equal to it bit by bit.

        Parameters
        ----------
        dialect
            ``duckdb`` or ``spark``.
        table
            Name of the table or view with a column of numbers per item.
        id
            Column that identifies the persons; it is kept as the first column.
        columns
            ``all``, or only the ``scores`` and flags.

        Returns
        -------
        str
            A SELECT statement. Answers that are not codes of the item count as missing and are flagged ``bad_value``;
            nothing is refused.

        Raises
        ------
        OptionError
            If the dialect is unknown, or the scores are not linear (``eap``).
        DataError
            If a name is empty or the id column has the name of a score.
        """
        check_option(dialect, SqlDialect, name="dialect")
        known = DIALECTS[dialect]
        return sql.statement(self, known.name(table), dialect=known, id=id, columns=columns)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the model as JSON, whole or not at all.

        Raises
        ------
        FileError
            If the file exists and `overwrite` is False, or it cannot be written.
        """
        return store.save(self, path, overwrite=overwrite)

    def tidy(self) -> pd.DataFrame:
        """Return one row per scale and norm group: ``scale, variable, group, n, mean, sd, alpha, std_error``."""
        rows = [
            {
                "scale": scale.id,
                "variable": norms.variable,
                "group": norms.group,
                "n": norms.n,
                "mean": norms.mean,
                "sd": norms.sd,
                "alpha": scale.alpha,
                "std_error": scale.std_error,
            }
            for scale in self.scales
            for norms in scale.norms
        ]
        return pd.DataFrame(rows).astype({"sd": float, "alpha": float, "std_error": float})

    def glance(self) -> pd.DataFrame:
        """Return one row: instrument, version, method, items, scales, persons of the reference wave."""
        row = {
            "instrument": self.instrument,
            "version": self.version,
            "method": self.method,
            "items": len(self.items),
            "scales": len(self.scales),
            "nobs": self.reference.n,
        }
        return pd.DataFrame([row])

    def scores_of(self, answers: np.ndarray) -> np.ndarray:
        """Return the scores, shape (persons, scales), of answers as given, shape (persons, items), NaN = missing."""
        return apply.scores_of(self, answers)
