"""Files of models that are JSON, have the right fields and even a fitting hash, but contradict themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import psm_analysis as psm
from psm_analysis.errors import FileError
from psm_analysis.scoring.store import _digest

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    model = psm.calibrate(psm.read_survey(WAVES / "wave1.csv", instruments="org_support"), "org_support")
    return model.save(tmp_path_factory.mktemp("m") / "m.json").read_text("utf-8")


EDITS: dict[str, tuple[Edit, str]] = {
    "no items": (lambda m: m.update(items=[]), "must be there, each once"),
    "an item twice": (lambda m: m["items"].append(m["items"][0]), "must be there, each once"),
    "no scales": (lambda m: m.update(scales=[]), "must be there, each once"),
    "no codes": (lambda m: m["items"][0].update(codes=[]), "do not rise"),
    "codes out of order": (lambda m: m["items"][0].update(codes=[1, 3, 2, 4, 5]), "do not rise"),
    "no items of a scale": (lambda m: m["scales"][0].update(items=[]), "uses no items"),
    "an item of no scale": (lambda m: m["items"][0].update(id="other"), "the model does not have"),
    "another method": (lambda m: m.update(method="magic"), "'magic' is not known"),
    "no weights": (lambda m: m.update(method="bartlett"), "weights of its method"),
    "no item parameters": (lambda m: m.update(method="eap"), "item parameters of its method"),
    "no norms": (lambda m: m["scales"][0].update(norms=[]), "99 percentiles"),
    "few percentiles": (lambda m: m["scales"][0]["norms"][0].update(quantiles=[1.0]), "99 percentiles"),
    "no check scores": (lambda m: m["check"].update(answers=[], scores=[]), "check scores"),
    "a short row of answers": (lambda m: m["check"]["answers"][0].pop(), "check scores"),
    "a truth value": (lambda m: m["scales"][0]["norms"][0].update(mean=True), "mean' has the wrong type"),
    "not a number": (lambda m: m["scales"][0]["norms"][0].update(mean=float("nan")), "NaN is no number"),
    "infinity": (lambda m: m["scales"][0]["norms"][0].update(mean=float("-inf")), "-Infinity is no number"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_contradictions_are_refused(text: str, tmp_path: Path, edit: str) -> None:
    content = json.loads(text)
    EDITS[edit][0](content["model"])
    content["sha256"] = _digest({key: value for key, value in content.items() if key != "sha256"})
    (tmp_path / "m.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(FileError, match=EDITS[edit][1]):
        psm.load_scoring_model(tmp_path / "m.json")


TEXTS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "a field twice": (
        lambda text: text.replace('"method": "mean"', '"method": "sum",\n"method": "mean"').encode(),
        "'method' occurs twice",
    ),
    "a number too large": (lambda text: text.replace('"careless": ', '"careless": 1e999').encode(), "wrong type|JSON"),
    "nested without end": (lambda text: b"[" * 200_000, "not JSON"),
    "another encoding": (lambda text: text.replace("org_support", "机构", 1).encode("gb18030"), "not text in UTF-8"),
    "cut off": (lambda text: text[: len(text) // 2].encode(), "not JSON"),
    "nothing": (lambda text: b"", "not JSON"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_no_model_is_refused(text: str, tmp_path: Path, kind: str) -> None:
    (tmp_path / "m.json").write_bytes(TEXTS[kind][0](text))
    with pytest.raises(FileError, match=TEXTS[kind][1]):
        psm.load_scoring_model(tmp_path / "m.json")


def test_marks_and_line_ends_of_other_systems_do_not_matter(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert psm.load_scoring_model(tmp_path / "m.json").method == "mean"
