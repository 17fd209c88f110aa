from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import StudyError
from psm_analysis.report.builders import data_table
from psm_analysis.report.tables import Table
from psm_analysis.studies.spec import Study

PUBLISHED = ["hom_kinicki_2001", "byrne_mbi", "eaves_payne_2019", "grala_2023"]


@pytest.fixture
def small() -> Study:
    def build(title: str) -> Callable[[str], Table]:
        return lambda lang: data_table(pd.DataFrame({"n": [1]}), title=f"{title} {lang}", lang=lang)  # type: ignore[arg-type]

    texts = {"id": "s", "title": "T", "citation": "C", "source": "S", "licence": "L"}
    return Study(**texts, tables={"first": build("first"), "second": build("second")})  # type: ignore[arg-type]


def test_list_studies() -> None:
    frame = psm.list_studies()
    assert set(PUBLISHED) <= set(frame["id"])
    assert (frame["tables"] > 0).all()


def test_unknown_study_names_the_nearest() -> None:
    with pytest.raises(StudyError, match="Did you mean 'byrne_mbi'"):
        psm.get_study("byrne_mib")


def test_tables_are_numbered_in_their_order(small: Study) -> None:
    assert (small.table("first").number, small.table("second").number) == ("1", "2")
    assert small.table("second", lang="zh").title == "second zh"


def test_unknown_parts_and_languages(small: Study) -> None:
    with pytest.raises(StudyError, match="Did you mean 'first'"):
        small.table("frist")
    with pytest.raises(StudyError, match="It has: none"):
        small.figure("map")
    with pytest.raises(StudyError, match="nothing printed"):
        small.comparison()
    with pytest.raises(psm.PsmAnalysisError, match="lang='fr'"):
        small.table("first", lang="fr")  # type: ignore[arg-type]


def test_a_study_is_frozen(small: Study) -> None:
    with pytest.raises(TypeError):
        small.tables["third"] = small.tables["first"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        small.title = "other"  # type: ignore[misc]


def test_run_study_writes_four_formats_and_tells_progress(small: Study, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    paths = psm.run_study(small, out=tmp_path, progress=lambda *step: told.append(step))
    assert [path.name for path in paths[:4]] == [f"s_first.{kind}" for kind in ("html", "tex", "docx", "csv")]
    assert len(paths) == 8
    assert all(path.stat().st_size > 0 and path.parent == tmp_path / "tables" for path in paths)
    assert told == [(0, 2, "first"), (1, 2, "second"), (2, 2, "")]


def test_a_folder_that_cannot_be_made(small: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(psm.PsmAnalysisError, match="folder cannot be made"):
        psm.run_study(small, out=tmp_path / "file")


@pytest.mark.parametrize("study_id", PUBLISHED)
def test_every_study_says_where_its_figures_are_from(study_id: str) -> None:
    study = psm.get_study(study_id)
    assert study.id == study_id
    assert all((study.citation, study.source, study.licence, study.why["en"], study.why["zh"]))
