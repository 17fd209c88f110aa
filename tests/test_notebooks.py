"""The notebooks: committed as they run, fit for a stranger's eyes; and the script that executes them."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
PLACE = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|Users|usr|opt)/\w|[A-Z]:\\\\|site-packages")
NUMBER = re.compile(r"[−-]?\d*\.?\d+(?:e[+-]?\d+)?")
NAMED = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("execute_notebooks", FOLDER / "execute.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell: Any) -> list[str]:
    """Return what a cell shows as text, images left out."""
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream":
            shown.append(output.text)
        else:
            data = output.get("data", {})
            shown += [data[kind] for kind in sorted(data) if kind.startswith("text/")]
    return shown


def test_numbers_tell_the_order_to_read_in() -> None:
    numbers = [path.stem[:2] for path in PATHS]
    assert numbers == sorted(set(numbers))
    assert {"01", "02", "03", "04", "05", "06", "07"} <= set(numbers)


@NAMED
def test_committed_executed_without_errors(path: Path) -> None:
    cells = code(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert len(outputs) >= 5
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


@NAMED
def test_first_cell_holds_parameters_that_are_constants(path: Path) -> None:
    first = read(path).cells[0]
    assert first.metadata.tags == ["parameters"]
    for statement in ast.parse(first.source).body:
        assert isinstance(statement, ast.Assign)
        assert isinstance(statement.value, ast.Constant)


@NAMED
def test_says_what_it_does_before_it_does_it(path: Path) -> None:
    cells = read(path).cells
    assert sum(cell.cell_type == "markdown" for cell in cells) >= 8
    assert cells[1].source.startswith("# ")


@NAMED
def test_one_call_a_cell(path: Path) -> None:
    for cell in code(read(path))[1:]:
        body = ast.parse(cell.source).body
        calling = [node for node in body if any(isinstance(part, ast.Call) for part in ast.walk(node))]
        assert len(calling) <= 1, cell.source


@NAMED
def test_shows_no_place_time_or_single_person(path: Path) -> None:
    for cell in read(path).cells:
        shown = "\n".join([cell.source, *(texts(cell) if cell.cell_type == "code" else [])])
        assert not PLACE.search(shown), cell.id
        assert not re.search(r"\bP0\d{4}\b", shown), cell.id
        assert not cell.metadata.get("execution"), cell.id


@NAMED
def test_cells_have_telling_ids(path: Path) -> None:
    ids = [cell.id for cell in read(path).cells]
    assert all(re.fullmatch(r"(md|code)-[a-z0-9-]+", name) for name in ids)
    assert len(set(ids)) == len(ids)


@NAMED
def test_runs_again_and_shows_what_was_committed(path: Path, script: ModuleType, tmp_path: Path) -> None:
    committed, fresh = read(path), read(path)
    script.override_parameters(fresh, {"out": str(tmp_path)})
    for cell in code(fresh):
        cell.outputs = []
    script.execute(fresh, path)
    for old, new in zip(code(committed), code(fresh), strict=True):
        assert len(old.outputs) == len(new.outputs), old.id
        for before, after in zip(texts(old), texts(new), strict=True):
            assert NUMBER.sub("#", after) == NUMBER.sub("#", before), old.id
            pair = [[float(x.replace("−", "-")) for x in NUMBER.findall(text)] for text in (after, before)]
            np.testing.assert_allclose(*pair, rtol=1e-3, atol=0.0101, err_msg=old.id)


def test_what_a_cell_prints_is_one_output_however_it_arrives(script: ModuleType, tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("for part in 'abc':\n    print(part, flush=True)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    script.execute(notebook, tmp_path / "parts.ipynb")
    assert [output.text for output in notebook.cells[0].outputs] == ["a\nb\nc\n"]


def broken(folder: Path) -> Path:
    cells = [nbformat.v4.new_code_cell("a = 1"), nbformat.v4.new_markdown_cell("text")]
    cells.append(nbformat.v4.new_code_cell("a / 0"))
    folder.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "05_broken.ipynb")
    return folder


def test_a_failing_notebook_is_named_and_nothing_is_written(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "build"
    (out / "tables").mkdir(parents=True)
    (out / "tables" / "old.csv").write_text("kept")
    assert script.main(["--out", str(out), "--notebooks", str(broken(tmp_path / "notebooks"))]) == 1
    told = capsys.readouterr().err
    assert "Notebook 05_broken.ipynb, cell 3 (a / 0) failed: ZeroDivisionError: division by zero" in told
    assert [path.name for path in out.rglob("*")] == ["tables", "old.csv"]


def test_parameters_are_overridden_only_where_the_notebook_has_them(script: ModuleType) -> None:
    cell = nbformat.v4.new_code_cell('LANG = "en"\ndraws = 20', metadata={"tags": ["parameters"]})
    script.override_parameters(nbformat.v4.new_notebook(cells=[cell]), {"lang": "zh", "out": "elsewhere"})
    assert cell.source == "LANG = 'zh'\ndraws = 20"
