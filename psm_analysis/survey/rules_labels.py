"""Rules about value labels: labels that contradict the codes they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from psm_analysis.survey.coding import normal_text
from psm_analysis.survey.violation import Violation
from psm_analysis.survey.wave import SurveyWave

_REMEDY = (
    "Look in the questionnaire which answer each code stands for; correct the labels, or state the codes in the"
    " codebook."
)


def label_violations(wave: SurveyWave) -> Iterator[Violation]:
    """Yield the items whose labels, in the file or in the codebook, contradict the codes."""
    usual: dict[tuple[str, str], dict[str, float]] = {}
    for item in wave.item_ids:
        column = wave.codebook.item(item)
        name = column.column if column else item
        for pairs in (_from_file(wave, item), _from_codebook(wave, item)):
            clash = [*_numbered(pairs), *_against_scale(wave, item, pairs)]
            owner = wave.owner(item)
            known = usual.setdefault((owner.id, owner.item(item).response), {})
            clash += [] if clash else _against_others(pairs, known)
            known |= {label: code for label, code in pairs.items() if label not in known}
            if clash:
                yield Violation(
                    rule="label_contradicts_code",
                    severity="error",
                    column=name,
                    count=len(clash),
                    found="; ".join(clash[:3]),
                    message="Labels contradict the codes they stand for.",
                    remedy=_REMEDY,
                )
                break


def _from_file(wave: SurveyWave, item: str) -> dict[str, float]:
    column = wave.codebook.item(item)
    stated = column.codes if column else {}
    labels = wave.value_labels.get(item, {})
    return {label: stated.get(f"{code:g}", code) for code, label in labels.items()}


def _from_codebook(wave: SurveyWave, item: str) -> dict[str, float]:
    column = wave.codebook.item(item)
    return {text: code for text, code in (column.codes if column else {}).items() if _leading_number(text) is None}


def _leading_number(text: str) -> float | None:
    match = re.match(r"\s*\(?\[?([+-]?\d+)(?![\d%])", text)
    return float(match.group(1)) if match else None


def _numbered(pairs: Mapping[str, float]) -> list[str]:
    """Labels that begin with another number than their code, such as ``5: "1 = never"``."""
    return [
        f"{code:g} is labelled {label!r}" for label, code in pairs.items() if _leading_number(label) not in (None, code)
    ]


def _against_scale(wave: SurveyWave, item: str, pairs: Mapping[str, float]) -> list[str]:
    """Labels that the instrument's response scale gives to another code."""
    scale = wave.owner(item).response_of(item)
    known: dict[str, set[int]] = {}
    for code, label in zip(scale.codes, scale.labels, strict=True):
        for text in (label.en, label.zh):
            known.setdefault(normal_text(text), set()).add(code)
    return [
        f"{code:g} is labelled {label!r}, which is {min(known[normal_text(label)])}"
        for label, code in pairs.items()
        if normal_text(label) in known and code not in known[normal_text(label)]
    ]


def _against_others(pairs: Mapping[str, float], known: Mapping[str, float]) -> list[str]:
    """Labels that another item of the same scale gives to another code."""
    return [
        f"{code:g} is labelled {label!r}, which is {known[label]:g} in other items"
        for label, code in pairs.items()
        if label in known and known[label] != code
    ]
