"""``frame.psm.score(model)``: what pandas users reach for; registered when psm_analysis is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from psm_analysis._options import BadValues, ScoreColumns

if TYPE_CHECKING:
    from psm_analysis.instruments.model import Instrument
    from psm_analysis.scoring.model import ScoringModel


@pd.api.extensions.register_dataframe_accessor("psm")
class PsmAccessor:
    """The scores of the rows of a DataFrame, as ``frame.psm``.

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
        from psm_analysis.scoring.store import load_scoring_model

        known = load_scoring_model(model) if isinstance(model, str | Path) else model
        return known.score(self._frame, id=id, bad_values=bad_values, columns=columns)

    def score_scales(self, instrument: Instrument | str, *, reversed_already: bool = False) -> pd.DataFrame:
        """Return scores by the instrument's own rule; see `score_scales`."""
        from psm_analysis.scoring.rules import score_scales

        return score_scales(self._frame, instrument, reversed_already=reversed_already)
