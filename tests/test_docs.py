"""The pages are true: their code prints what they say, their links lead somewhere, the reference is complete."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from code_blocks import furnish, run_page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BUILT = {"_build", "_notebooks", "generated"}
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if not BUILT & set(page.relative_to(DOCS).parts)]
PAGES_OF_TODAY = [page for page in PAGES if page.name != "changelog.md"]  # which also names what is gone
RUNS = re.compile(r"^```(python|console)$", re.MULTILINE)
WITH_CODE = [page for page in PAGES if RUNS.search(page.read_text(encoding="utf-8"))]


def relative(page: Path) -> str:
    return str(page.relative_to(DOCS))


@pytest.mark.parametrize("page", WITH_CODE, ids=relative)
def test_the_code_of_a_page_runs_and_prints_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    furnish(tmp_path)
    for output in run_page(page):
        assert output.agrees, f"{relative(page)}:{output.line} says\n{output.said}\nbut printed\n{output.printed}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_to_files_of_the_docs_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?://|mailto:|#)([^)#\s]+)", text):
        if not BUILT & set(Path(target).parts):
            assert (page.parent / target).exists(), f"{relative(page)} links to {target}"


@pytest.mark.parametrize("page", [*PAGES_OF_TODAY, ROOT / "README.md"], ids=lambda page: page.name)
def test_a_page_names_only_what_exists(page: Path) -> None:
    import psm_analysis as psm

    named = set(re.findall(r"(?<![.\w])psm\.([A-Za-z_]\w*)", page.read_text(encoding="utf-8")))
    assert named <= set(psm.__all__)


def test_every_public_name_is_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    import reference_pages

    import psm_analysis as psm

    try:
        parts = reference_pages.names_by_part()
        pages = [reference_pages.page(part, names) for part, names in parts.items()]
    finally:
        del sys.modules["reference_pages"]
    listed = {name for names in parts.values() for name in names}
    assert listed == set(psm.__all__) - {"__version__"}
    assert all(f"psm_analysis::{name}" in "".join(pages) for name in listed)


def test_formulas_become_mathml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    import mathml

    del sys.modules["mathml"]
    assert "<mfrac>" in mathml.to_mathml(r"\frac{1}{2}", as_block=True)


def test_docs_name_no_network_script() -> None:
    conf = (DOCS / "conf.py").read_text(encoding="utf-8")
    assert "mathjax" not in conf
    assert "intersphinx" not in conf
    assert 'nb_execution_mode = "off"' in conf
