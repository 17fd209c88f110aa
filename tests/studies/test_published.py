from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from psm_analysis.errors import PsmAnalysisError, StudyError
from psm_analysis.studies import published
from psm_analysis.studies.checksums import BEGIN, END, checksums, listed_checksums, write_checksums

DATA = Path(__file__).resolve().parents[2] / "data"


def test_published_files_are_those_of_the_readme() -> None:
    listed = {
        path: digest for path, digest in listed_checksums(DATA / "README.md").items() if path.startswith("published/")
    }
    there = {
        path.relative_to(DATA).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (DATA / "published").rglob("*")
        if path.is_file()
    }
    assert listed == there


def test_checksums_leave_out_raw_derived_and_the_readme(tmp_path: Path) -> None:
    for name in ("raw/secret.csv", "derived/x.csv", "published/a.csv", "published/.hidden", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert list(checksums(tmp_path)) == ["published/a.csv"]
    with pytest.raises(PsmAnalysisError, match="no place for the list"):
        write_checksums(tmp_path)
    (tmp_path / "README.md").write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert write_checksums(tmp_path) == 1
    assert listed_checksums(tmp_path / "README.md") == checksums(tmp_path)
    assert (tmp_path / "README.md").read_text().endswith(f"{END}\nafter\n")


def test_correlations_of_hom_and_kinicki() -> None:
    R = published.read_matrix("hom_kinicki_2001", "correlations")
    assert R.shape == (29, 29)
    assert np.array_equal(R, R.T)
    assert (np.diag(R) == 1).all()
    assert R.loc["SI", "QI"] == 0.82
    assert R.loc["Unemployed", "Resign"] == -0.07
    eigenvalues = np.linalg.eigvalsh(R)
    assert (round(eigenvalues[0], 3), round(eigenvalues[-1], 3)) == (0.126, 7.241)


def test_covariances_of_byrne() -> None:
    S = published.read_matrix("byrne_mbi", "covariance")
    assert S.shape == (22, 22)
    assert S.loc["ITEM22", "ITEM1"] == S.loc["ITEM1", "ITEM22"] == 0.606843
    means = published.read_values("byrne_mbi", "means")
    assert means.between(0, 6).all()
    assert np.allclose(means * 580, (means * 580).round(), atol=1e-3)


def test_covariance_from_correlations() -> None:
    R, sds = published.read_matrix("hom_kinicki_2001", "correlations"), published.read_values("hom_kinicki_2001", "sds")
    S = published.covariance_from(R, sds)
    assert np.sqrt(np.diag(S)) == pytest.approx(sds.to_numpy())
    assert S.loc["Duty", "Team"] == pytest.approx(0.21 * 0.38 * 0.73)


def test_printed_results_are_text() -> None:
    printed = published.printed_of("byrne_mbi", "model1")
    assert printed["cfi"] == "0.850"
    assert "cfi_robust" not in printed
    frame = published.read_printed("byrne_mbi")
    assert (frame["not_recomputed"] != "").sum() == 13


def test_an_installed_package_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "package" / "byrne_mbi"
    inside.mkdir(parents=True)
    monkeypatch.setattr(published, "PLACES", (tmp_path / "package", DATA / "published"))
    assert published.published_folder("byrne_mbi") == inside
    assert published.published_folder("grala_2023") == DATA / "published" / "grala_2023"
    with pytest.raises(StudyError, match="A file of the study is missing"):
        published.read_matrix("byrne_mbi", "covariance")


def test_absent_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "PLACES", (tmp_path,))
    with pytest.raises(StudyError, match=r"data/published/byrne_mbi.*Reinstall"):
        published.read_matrix("byrne_mbi", "covariance")


@pytest.mark.parametrize(
    "text",
    [
        "variable,a,b\na,1,\nb,,1\n",
        "variable,a,b\na,1,0.5\nb,0.5,1\n",
        "variable,a,b\nb,1,\na,0.5,1\n",
        "variable,a\na,1\nb,2\n",
    ],
)
def test_what_is_not_a_lower_triangle(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "m.csv").write_text(text)
    monkeypatch.setattr(published, "PLACES", (tmp_path,))
    with pytest.raises(StudyError, match="not the lower triangle"):
        published.read_matrix("s", "m")


def test_printed_csv_needs_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").mkdir()
    pd.DataFrame({"quantity": ["a"], "printed": ["1"]}).to_csv(tmp_path / "s" / "printed.csv", index=False)
    monkeypatch.setattr(published, "PLACES", (tmp_path,))
    with pytest.raises(StudyError, match="They must be table, quantity"):
        published.read_printed("s")
