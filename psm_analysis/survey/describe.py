"""How often each response option was chosen, with its label in English or Chinese."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis._results import Result
from psm_analysis.survey.wave import SurveyWave


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WaveDescription(Result):
    """Frequencies of the answers to every item of a wave.

    Parameters
    ----------
    name
        The wave.
    frequencies
        One row per item and response option: ``instrument, item, label, code, option, n, share, valid_share``; the
        last row of an item has no code and counts the missing answers. Codes that were not offered follow the others.
    items
        One row per item: ``instrument, item, label, n, missing, mean, sd, minimum, maximum``, of the answers given.
    rows
        Number of rows.
    """

    name: str
    frequencies: pd.DataFrame
    items: pd.DataFrame
    rows: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per item and response option."""
        return self.frequencies

    def glance(self) -> pd.DataFrame:
        """Return one row: the wave, its rows and items, and the share of missing answers."""
        share = float(self.items["missing"].sum() / max(self.rows * len(self.items), 1))
        return pd.DataFrame([{"name": self.name, "rows": self.rows, "items": len(self.items), "missing_share": share}])


def describe_wave(wave: SurveyWave, *, instrument: str | None = None, lang: Language = "en") -> WaveDescription:
    """Count how often each response option was chosen, item by item, in the codes as answered.

    Parameters
    ----------
    wave
        What `read_survey` returned.
    instrument
        Id of one instrument; None for all.
    lang
        Language of the labels: ``en`` or ``zh``.

    Returns
    -------
    WaveDescription

    Raises
    ------
    DataError
        If the wave does not use the instrument.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> wave = psm.wave_from_frame(pd.DataFrame({"psm1": [5, 4, 4, None]}), instruments="psm16")
    >>> table = psm.describe_wave(wave).frequencies
    >>> table.loc[table["code"] == 4, ["n", "share"]].values.tolist()
    [[2.0, 0.5]]
    """
    check_option(lang, Language, name="lang")
    answers = wave.items(instrument, reversed=False)
    counted = [_frequencies(wave, item, answers=answers[item], lang=lang) for item in answers.columns]
    return WaveDescription(
        name=wave.name,
        frequencies=pd.concat(counted, ignore_index=True) if counted else pd.DataFrame(),
        items=pd.DataFrame([_moments(wave, item, answers=answers[item], lang=lang) for item in answers.columns]),
        rows=len(wave),
    )


def _frequencies(wave: SurveyWave, item: str, *, answers: pd.Series, lang: Language) -> pd.DataFrame:
    owner = wave.owner(item)
    scale = owner.response_of(item)
    values = answers.to_numpy(np.float64)
    valid = values[np.isfinite(values)]
    labels = {float(code): label for code, label in scale.code_labels(lang).items()}
    codes = [*map(float, scale.codes), *(code for code in np.unique(valid) if code not in scale.codes)]
    counts = [int((valid == code).sum()) for code in codes]
    return pd.DataFrame(
        {
            "instrument": owner.id,
            "item": item,
            "label": owner.item(item).label.get(lang),
            "code": [*codes, np.nan],
            "option": [*(labels.get(code, "") for code in codes), {"en": "missing", "zh": "缺失"}[lang]],
            "n": [*counts, len(values) - len(valid)],
            "share": [*(count / len(values) for count in counts), 1 - len(valid) / len(values)],
            "valid_share": [*(count / max(len(valid), 1) for count in counts), np.nan],
        }
    )


def _moments(wave: SurveyWave, item: str, *, answers: pd.Series, lang: Language) -> dict[str, object]:
    owner = wave.owner(item)
    return {
        "instrument": owner.id,
        "item": item,
        "label": owner.item(item).label.get(lang),
        "n": int(answers.notna().sum()),
        "missing": int(answers.isna().sum()),
        "mean": answers.mean(),
        "sd": answers.std(),
        "minimum": answers.min(),
        "maximum": answers.max(),
    }
