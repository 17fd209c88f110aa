"""The sample of the model project: where the survey is, who stays in the analysis, the scale scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd

from psm_analysis.errors import StudyError
from psm_analysis.instruments.model import Instrument
from psm_analysis.scoring.rules import score_scales
from psm_analysis.survey.read import read_survey
from psm_analysis.survey.screen import ScreeningReport, screen
from psm_analysis.survey.wave import SurveyWave

_PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (_PACKAGE / "data", _PACKAGE.parent / "data")
FILES = ("synthetic/wave1.csv", "synthetic/population.json", "codebooks/synthetic.toml")
WAVES = ("synthetic/wave1.csv", "synthetic/wave2.csv", "synthetic/wave3.csv")
MAX_FLAGS = 1
CONTROLS = ("age", "grade", "female", "off_establishment")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class ProjectSample:
    """The synthetic survey and everything that is computed from it once and shared by the tables.

    Attributes
    ----------
    data
        Folder that holds ``synthetic/`` and ``codebooks/``.
    found
        What was computed before, by name.
    """

    data: Path
    found: dict[str, Any] = field(default_factory=dict, repr=False)

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """Return what `compute` gives, computed the first time that `name` is asked for."""
        if name not in self.found:
            self.found[name] = compute()
        return cast(T, self.found[name])

    @property
    def wave(self) -> SurveyWave:
        """The answers as they were read."""
        return self.once("wave", lambda: read_survey(self._path(FILES[0]), codebook=self._path(FILES[2])))

    @property
    def screening(self) -> ScreeningReport:
        """The flags of careless answering."""
        return self.once("screening", lambda: screen(self.wave))

    @property
    def keep(self) -> pd.Series:
        """Who stays in the analysis: at most one flag."""
        return self.screening.keep(max_flags=MAX_FLAGS)

    def panel(self, instrument_id: str) -> pd.DataFrame:
        """Return a row per person and wave: the answers of those who stay, and answer every item, in all waves."""
        items = [item.id for item in self.instrument(instrument_id).items]
        rows = self.once("panel", lambda: pd.concat(map(self._of_wave, WAVES), ignore_index=True))
        complete = rows[["person_id", "wave", *items]].dropna()
        return complete[complete.groupby("person_id")["wave"].transform("size") == len(WAVES)]

    def _of_wave(self, name: str) -> pd.DataFrame:
        wave = read_survey(self._path(name), codebook=self._path(FILES[2]))
        rows = wave.items().join(wave.data[["person_id", "wave"]])
        return rows[screen(wave).keep(max_flags=MAX_FLAGS)]

    @property
    def population(self) -> dict[str, Any]:
        """The population values behind the synthetic answers."""
        return self.once("population", lambda: json.loads(self._path(FILES[1]).read_text(encoding="utf-8")))

    def instrument(self, instrument_id: str) -> Instrument:
        """Return an instrument of the survey."""
        return self.wave.instrument(instrument_id)

    def items(self, instrument_id: str | None = None, *, screened: bool = True) -> pd.DataFrame:
        """Return the answers, reversed where the key says so, of those who stay (or of everybody)."""
        answers = self.wave.items(instrument_id)
        return answers[self.keep] if screened else answers

    def scores(self, *, screened: bool = True) -> pd.DataFrame:
        """Return subscale and total scores of every scale, items, controls and places: what models are fitted to."""
        everybody = self.once("scores", self._scores)
        return everybody[self.keep] if screened else everybody

    def _scores(self) -> pd.DataFrame:
        wave, data = self.wave, self.wave.data
        scales = [score_scales(data, instrument) for instrument in wave.instruments]
        controls = pd.DataFrame(
            {
                "age": data["age"],
                "grade": data["grade"],
                "female": (data["gender"] == 2).astype(float).where(data["gender"].notna()),
                "off_establishment": 1.0 - data["establishment"],
                "township": data["township"],
            }
        )
        return pd.concat([*scales, controls, wave.items()], axis=1)

    def _path(self, name: str) -> Path:
        path = self.data / name
        if not path.is_file():
            raise StudyError(
                "A file of the synthetic survey is missing.",
                where=f"data/{name}",
                remedy="Take data/ from the project's repository, or give its folder: psm.model_project('data').",
            )
        return path


def default_data() -> Path:
    """Return the data folder of an installed package or of a checkout."""
    return next((place for place in PLACES if (place / FILES[0]).is_file()), PLACES[-1])
