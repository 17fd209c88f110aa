"""``frame.psm.score(model)``: what pandas users reach for; there when psm_analysis is imported.

Surveys have columns named psm. Such a column keeps its name: ``frame.psm`` is the column, read and written as before,
which an accessor registered with pandas would hide.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from psm_analysis._options import BadValues, ScoreColumns
from psm_analysis.errors import OptionError

if TYPE_CHECKING:
    from psm_analysis.instruments.model import Instrument
    from psm_analysis.scoring.model import ScoringModel


class PsmAccessor:
    """The scores of the rows of a DataFrame, as ``frame.psm`` (where no column is named psm).

    Examples
    --------
    >>> import psm_analysis
    >>> answers = pd.DataFrame({f"turnover{j}": [1, 2, 4, 5] for j in (1, 2, 3)})
    >>> answers.psm.score_scales("turnover3")["turnover"].tolist()
    [1.0, 2.0, 4.0, 5.0]
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def score(
        self,
        model: ScoringModel | str | Path,
        *,
        id: str | None = None,
        bad_values: BadValues = "refuse",
        columns: ScoreColumns = "all",
    ) -> pd.DataFrame:
        """Return the scores of a frozen model, or of the file of one; see `ScoringModel.score`."""
        from psm_analysis.scoring.model import ScoringModel
        from psm_analysis.scoring.store import load_scoring_model

        known = load_scoring_model(model) if isinstance(model, str | Path) else model
        if not isinstance(known, ScoringModel):
            raise OptionError(
                f"{model!r} is no scoring model.",
                where="argument 'model'",
                remedy="Give what psm.calibrate returned, or the path of its file.",
            )
        return known.score(self._frame, id=id, bad_values=bad_values, columns=columns)

    def score_scales(self, instrument: Instrument | str, *, reversed_already: bool = False) -> pd.DataFrame:
        """Return scores by the instrument's own rule; see `score_scales`."""
        from psm_analysis.scoring.rules import score_scales

        return score_scales(self._frame, instrument, reversed_already=reversed_already)


class _Entry:
    """What ``frame.psm`` is: the column of that name if there is one, else the accessor."""

    def __get__(self, frame: pd.DataFrame | None, owner: type) -> Any:
        if frame is None:
            return PsmAccessor
        return frame["psm"] if "psm" in frame.columns else PsmAccessor(frame)

    def __set__(self, frame: pd.DataFrame, value: Any) -> None:
        if "psm" not in frame.columns:
            raise OptionError(
                "frame.psm is where psm_analysis scores a frame.",
                where="assignment to 'psm'",
                remedy="Make a column by frame['psm'] = ...",
            )
        frame["psm"] = value


def add_to_pandas() -> None:
    """Give every DataFrame its ``psm``."""
    setattr(pd.DataFrame, "psm", _Entry())  # noqa: B010
