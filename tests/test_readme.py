"""The README is true: its example prints what it says, its tables are those of the studies, its files exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from code_blocks import furnish, run_page

import psm_analysis as psm

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUDIES = [psm.get_study(study_id) for study_id in psm.list_studies()["id"]]


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def notebook_of(study: psm.Study, kind: str, name: str) -> str:
    """Return a link to the first notebook that shows a table or figure of a study; a dash if none does."""
    call = rf'psm\.(?:get_study\("{study.id}"\)|{study.id}\([^)]*\))'
    for notebook in NOTEBOOKS:
        code = code_of(notebook)
        names = re.findall(rf"^(\w+) = {call}$", code, re.MULTILINE)
        holders = "|".join([call, *(rf"\b{variable}" for variable in names)])
        if re.search(rf'(?:{holders})\.{kind}\("{name}"', code):
            return f"[{notebook.stem.split('_')[0]}](notebooks/{notebook.name})"
    return "–"


def spelled(name: str) -> str:
    """Return the id of a figure as a title."""
    words = [{"psm": "PSM", "ei": "EI"}.get(word, word) for word in name.split("_")]
    return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])


def table_of_tables(study: psm.Study) -> str:
    """Return the rows that the README must have for a study."""
    tables = [
        f'| {number} | {study.table(name).title.replace(" (Synthetic Data)", "")} | `.table("{name}")` '
        f"| {notebook_of(study, 'table', name)} | `tables/{study.id}_{name}` |\n"
        for number, name in enumerate(study.tables, 1)
    ]
    figures = [
        f'| figure | {spelled(name)} | `.figure("{name}")` '
        f"| {notebook_of(study, 'figure', name)} | `figures/{study.id}_{name}` |\n"
        for name in study.figures
    ]
    return "".join(tables + figures)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.id)
def test_every_table_of_a_study_is_listed_and_every_listed_one_exists(study: psm.Study) -> None:
    expected = table_of_tables(study)
    listed = [line for line in README.splitlines(keepends=True) if re.search(rf"`(tables|figures)/{study.id}_", line)]
    assert "".join(listed) == expected, f"README.md must list for {study.id}:\n{expected}"
    assert f'`psm.get_study("{study.id}")`' in README


def test_no_unknown_study_is_listed() -> None:
    known = {f"{study.id}_{name}" for study in STUDIES for name in (*study.tables, *study.figures)}
    assert set(re.findall(r"`(?:tables|figures)/(\w+)`", README)) == known


def test_the_example_prints_what_the_readme_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path)
    outputs = list(run_page(ROOT / "README.md"))
    assert [output for output in outputs if output.said], "the example has no output"
    for output in outputs:
        assert output.agrees, f"README.md:{output.line} says\n{output.said}\nbut printed\n{output.printed}"


def test_the_example_has_at_most_fifteen_lines() -> None:
    code = re.search(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 15


def test_links_lead_to_files_of_the_repository() -> None:
    targets = re.findall(r"\]\((?!https?://|mailto:|#)([^)#\s]+)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_published_study_is_in_the_data_table() -> None:
    folders = [path.name for path in sorted((ROOT / "data" / "published").iterdir()) if path.is_dir()]
    assert [name for name in folders if f"data/published/{name}" not in README] == []


def test_the_citation_file_names_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {psm.__version__}\n" in citation
    for instrument in psm.list_instruments().query("doi != ''").itertuples():
        assert str(instrument.doi) in citation, f"{instrument.id} is not in CITATION.cff"
