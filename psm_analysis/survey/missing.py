"""Which answers are missing together: patterns and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._equal_rows import equal_rows
from psm_analysis._results import Result
from psm_analysis.errors import DataError
from psm_analysis.survey.wave import SurveyWave


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MissingPatterns(Result):
    """Patterns of missing answers and the coverage of pairs of columns.

    Parameters
    ----------
    patterns
        One row per pattern, the most frequent first: ``pattern`` (``x`` answered, ``.`` missing, in column order),
        ``n``, ``share``, ``missing`` (number of missing columns), ``columns`` (their names).
    columns
        One row per column: ``column``, ``n``, ``missing``, ``share`` (of rows that miss it).
    coverage
        Proportion of rows that have both columns; on the diagonal, that have the column.
    n_rows
        Number of rows.
    """

    patterns: pd.DataFrame
    columns: pd.DataFrame
    coverage: pd.DataFrame
    n_rows: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per pattern."""
        return self.patterns

    def glance(self) -> pd.DataFrame:
        """Return one row: rows, complete rows, patterns, share of missing cells, lowest coverage of a pair."""
        complete = int(self.patterns.loc[self.patterns["missing"] == 0, "n"].sum())
        row = {
            "rows": self.n_rows,
            "columns": len(self.columns),
            "complete": complete,
            "complete_share": complete / self.n_rows,
            "patterns": len(self.patterns),
            "missing_share": float(self.columns["share"].mean()),
            "lowest_coverage": float(self.coverage.to_numpy().min()),
        }
        return pd.DataFrame([row])


def missing_patterns(data: pd.DataFrame | SurveyWave) -> MissingPatterns:
    """Count the patterns of missing answers and the coverage of every pair of columns.

    The coverage of columns ``j`` and ``k`` is ``M'M / n`` with the indicator matrix ``M`` of answered cells.

    Parameters
    ----------
    data
        A DataFrame, or a wave, of which the items are taken.

    Returns
    -------
    MissingPatterns

    Raises
    ------
    DataError
        If there are no rows or no columns.

    References
    ----------
    Little, R. J. A., & Rubin, D. B. (2019). Statistical Analysis with Missing Data (3rd ed.), section 1.3. Wiley.

    Examples
    --------
    >>> found = missing_patterns(pd.DataFrame({"a": [1, 2, None], "b": [1, 2, 3]}))
    >>> found.patterns[["pattern", "n", "missing"]].values.tolist()
    [['xx', 2, 0], ['.x', 1, 1]]
    >>> found.coverage.loc["a", "b"].round(3).item()
    0.667
    """
    frame = data.items(reversed=False) if isinstance(data, SurveyWave) else data
    if frame.empty:
        raise DataError("There are no cells to look at.", where="argument 'data'", remedy="Give rows and columns.")
    answered = frame.notna().to_numpy()
    names = np.array([str(name) for name in frame.columns])
    weight = answered.astype(np.float64)
    index, kind = equal_rows(answered.T)
    counts = np.bincount(kind)
    order = np.lexsort((index, -counts))
    kept = answered[index[order]]
    patterns = pd.DataFrame(
        {
            "pattern": ["".join(np.where(row, "x", ".")) for row in kept],
            "n": counts[order],
            "share": counts[order] / len(frame),
            "missing": (~kept).sum(axis=1),
            "columns": [", ".join(names[~row]) for row in kept],
        }
    )
    absent = (~answered).sum(axis=0)
    return MissingPatterns(
        patterns=patterns,
        columns=pd.DataFrame(
            {"column": names, "n": len(frame) - absent, "missing": absent, "share": absent / len(frame)}
        ),
        coverage=pd.DataFrame(weight.T @ weight / len(frame), index=frame.columns, columns=frame.columns),
        n_rows=len(frame),
    )
