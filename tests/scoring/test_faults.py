"""What can go wrong with files and runs: one clear message, and nothing half written."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.scoring.output import place_scores, temporary_file

ITEMS = [f"support{j}" for j in range(1, 5)]
KINDS = ["csv", "parquet"]


def people(n: int, *, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.integers(1, 6, (n, 4)), columns=ITEMS).assign(who=np.arange(n))


def call(source: Path, stored: Path, out: Path, *more: str) -> list[str]:
    return ["score", str(source), "--model", str(stored), "--out", str(out), "--id", "who", *more]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run, and return the one message; the folder of the output is as it was."""
    out = Path(arguments[arguments.index("--out") + 1])
    before = sorted(out.parent.iterdir()) if out.parent.is_dir() else []
    assert main(arguments) == 1
    assert (sorted(out.parent.iterdir()) if out.parent.is_dir() else []) == before
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert text.count("psm-analysis:") == 1
    return text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [0.3, 0.95])
def test_truncated_parquet(stored: Path, tmp_path: Path, kind: str, cut: float, capsys) -> None:
    people(5000).to_parquet(tmp_path / "in.parquet")
    whole = (tmp_path / "in.parquet").read_bytes()
    (tmp_path / "in.parquet").write_bytes(whole[: int(cut * len(whole))])
    assert "parquet" in refused(call(tmp_path / "in.parquet", stored, tmp_path / f"o.{kind}"), capsys)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cells", ["1,2,3,4,5,9", "1,2"])
def test_a_ragged_line_in_the_middle(stored: Path, tmp_path: Path, kind: str, cells: str, capsys) -> None:
    lines = people(5000).to_csv(index=False).splitlines()
    lines[2500] = cells
    (tmp_path / "in.csv").write_text("\n".join(lines))
    assert "2501" in refused(call(tmp_path / "in.csv", stored, tmp_path / f"o.{kind}"), capsys)


@pytest.mark.parametrize("kind", KINDS)
def test_disk_full(stored: Path, tmp_path: Path, kind: str) -> None:
    """No file of the run may grow beyond 20 kB: the system says so where it is written, as it does of a full disk."""
    people(20_000).to_parquet(tmp_path / "in.parquet")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from psm_analysis.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    before = sorted(tmp_path.iterdir())
    arguments = call(tmp_path / "in.parquet", stored, tmp_path / f"o.{kind}")
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert "cannot be written" in run.stderr
    assert "too large" in run.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_in_which_no_file_can_be_made(stored: Path, tmp_path: Path, kind: str, capsys) -> None:
    """/proc takes no file, from the superuser either."""
    people(10).to_parquet(tmp_path / "in.parquet")
    for folder in (Path("/proc"), tmp_path / "in.parquet", tmp_path / "absent"):
        arguments = call(tmp_path / "in.parquet", stored, folder / f"o.{kind}")
        assert main(arguments) == 1
        assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_two_runs_at_once_write_the_same_output(stored: Path, tmp_path: Path, kind: str) -> None:
    people(3000).to_parquet(tmp_path / "in.parquet")
    alone, out = tmp_path / f"alone.{kind}", tmp_path / f"o.{kind}"
    assert main(call(tmp_path / "in.parquet", stored, alone)) == 0
    command = [sys.executable, "-m", "psm_analysis", *call(tmp_path / "in.parquet", stored, out, "--overwrite")]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert out.read_bytes() == alone.read_bytes()
    assert Path(f"{out}.run.json").read_bytes() == Path(f"{alone}.run.json").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_of_two_runs_that_may_not_overwrite_the_first_has_the_name(tmp_path: Path) -> None:
    target = tmp_path / "o.csv"
    with temporary_file(target) as first, temporary_file(target) as second:
        first.write_text("first")
        place_scores(first, target, report={})
        with pytest.raises(psm.PsmAnalysisError, match="exists"):
            place_scores(second, target, report={})
    assert target.read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.csv", "o.csv.run.json"]


def test_a_killed_run_leaves_the_old_output_or_the_whole_new_one(stored: Path, tmp_path: Path) -> None:
    people(300_000).to_parquet(tmp_path / "in.parquet")
    out = tmp_path / "o.parquet"
    command = [sys.executable, "-m", "psm_analysis", *call(tmp_path / "in.parquet", stored, out, "--overwrite")]
    begin = time.monotonic()
    assert subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0
    needed, whole = time.monotonic() - begin, out.read_bytes()
    for seed in range(3):
        out.unlink(missing_ok=True)
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(needed * random.Random(seed).uniform(0.5, 1.0))
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert not out.exists() or out.read_bytes() == whole
    assert main(call(tmp_path / "in.parquet", stored, out, "--overwrite")) == 0
    assert out.read_bytes() == whole


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else(stored: Path, tmp_path: Path, kind: str) -> None:
    people(5).to_csv(tmp_path / "in.csv", index=False)
    target = tmp_path / f"o.{kind}"
    code = (
        "import os, signal, sys; from pathlib import Path; from psm_analysis._files import temporary_beside\n"
        "runs = [temporary_beside(Path(name)) for name in sys.argv[1:]]\n"
        "for run in runs: run.__enter__().write_text('half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(target), f"{target}.run.json"])
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(f".{target.name}.*.part"))) == 2
    others = [f".{target.name}.swp", f".{target.name}.short.part", f".{target.name}2.abcdefgh.part"]
    for name in others:
        (tmp_path / name).touch()
    with temporary_file(target) as living:
        assert main(call(tmp_path / "in.csv", stored, target)) == 0
        hidden = sorted(path.name for path in tmp_path.glob(".*"))
        assert hidden == sorted([*others, living.name])
    assert not living.exists()


def test_a_report_without_scores_does_not_stop_the_next_run(stored: Path, tmp_path: Path) -> None:
    people(5).to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "o.csv.run.json").write_text("{}")
    assert main(call(tmp_path / "in.csv", stored, tmp_path / "o.csv")) == 0
    assert json.loads((tmp_path / "o.csv.run.json").read_text())["rows_out"] == 5


@pytest.mark.parametrize("kind", KINDS)
def test_an_existing_output_stays(stored: Path, tmp_path: Path, kind: str, capsys) -> None:
    people(5).to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / f"o.{kind}").write_text("precious")
    assert "exists" in refused(call(tmp_path / "in.csv", stored, tmp_path / f"o.{kind}"), capsys)
    assert (tmp_path / f"o.{kind}").read_text() == "precious"


@pytest.mark.parametrize("kind", KINDS)
def test_other_order_extra_columns_and_chinese_names(stored: Path, tmp_path: Path, kind: str) -> None:
    frame = people(50)
    frame.loc[7, ITEMS] = None
    other = frame[["support3", "who", "support1", "support4", "support2"]].assign(
        姓名="张三", 备注="=cmd()", support9=99
    )
    other = other.rename(columns={"who": "编号"})
    other.to_parquet(tmp_path / "波次 二.parquet")
    out = tmp_path / f"得分.{kind}"
    assert main([*call(tmp_path / "波次 二.parquet", stored, out)[:-1], "编号"]) == 0
    found = pd.read_parquet(out) if kind == "parquet" else pd.read_csv(out)
    expected = psm.load_scoring_model(stored).score(frame, id="who")
    assert found["编号"].tolist() == expected["who"].tolist()
    np.testing.assert_allclose(found["support"], expected["support"], rtol=1e-14)
    assert found.loc[7, "flags"] == "all_missing"
    report = json.loads(Path(f"{out}.run.json").read_text("utf-8"))
    assert report["other_columns"] == ["姓名", "备注", "support9"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_distinct_values_in_an_item(stored: Path, tmp_path: Path, kind: str, capsys) -> None:
    n = 1_000_000
    frame = pd.DataFrame({item: np.full(n, 3, dtype=np.int8) for item in ITEMS})
    frame["support2"] = np.arange(n, dtype=np.int32) + 1000
    frame.to_parquet(tmp_path / "in.parquet", index=False)
    text = refused(call(tmp_path / "in.parquet", stored, tmp_path / f"o.{kind}")[:-2], capsys)
    assert "'support2': 1000000 answers are not codes (1, 2, 3, 4, 5): 1000, 1001, 1002, 1003, 1004 ..." in text
    assert len(text) < 600


@pytest.mark.parametrize("kind", KINDS)
def test_an_infinite_and_a_negative_answer(stored: Path, tmp_path: Path, kind: str, capsys) -> None:
    frame = people(6).astype(dict.fromkeys(ITEMS, float))
    frame.loc[0, "support1"], frame.loc[1, "support1"], frame.loc[2, "support2"] = np.inf, np.nan, -9
    frame.to_parquet(tmp_path / "in.parquet")
    out = tmp_path / f"o.{kind}"
    text = refused(call(tmp_path / "in.parquet", stored, out), capsys)
    assert "'support1': 1 answer is not a code (1, 2, 3, 4, 5): inf in row 1." in text
    assert "'support2': 1 answer is not a code (1, 2, 3, 4, 5): -9 in row 3." in text
    assert main(call(tmp_path / "in.parquet", stored, out, "--bad-values", "missing")) == 0
    assert json.loads(Path(f"{out}.run.json").read_text())["bad_answers"] == {"support1": 1, "support2": 1}


def test_formulas_are_harmless_in_csv_and_xlsx(stored: Path, tmp_path: Path) -> None:
    texts = ["=cmd()", "+1", "-2+3", "@x", "\tx", "'quoted", "普通"]
    people(7).assign(who=texts).to_parquet(tmp_path / "in.parquet")
    expected = ["'=cmd()", "'+1", "'-2+3", "'@x", "'\tx", "'quoted", "普通"]
    for kind, read in (("csv", pd.read_csv), ("xlsx", pd.read_excel)):
        assert main(call(tmp_path / "in.parquet", stored, tmp_path / f"o.{kind}")) == 0
        assert read(tmp_path / f"o.{kind}")["who"].tolist() == expected
    assert main(call(tmp_path / "in.parquet", stored, tmp_path / "o.parquet")) == 0
    assert pq.read_table(tmp_path / "o.parquet")["who"].to_pylist() == texts
