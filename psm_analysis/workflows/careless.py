"""How many rows of a wave look careless."""

from __future__ import annotations

from psm_analysis.survey.screen import screen
from psm_analysis.survey.wave import SurveyWave

FLAGS = 2


def careless_share(wave: SurveyWave) -> float | None:
    """Return the share of rows with two or more flags of `screen`; None if fewer than two checks could be computed."""
    report = screen(wave)
    return float((report.n_flags >= FLAGS).mean()) if report.flags.shape[1] >= FLAGS else None
