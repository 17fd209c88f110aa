"""The rules of the house, enforced: towers, sizes, frozen results, banned names."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import psm_analysis

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "psm_analysis"
MODULES = sorted(PACKAGE.rglob("*.py"))

GROUND = {"errors", "_arguments", "_equal_rows", "_files", "_model_names", "_options", "_results", "_version"}
SURVEY = {"instruments": 1, "survey": 2, "scoring": 3}
STATISTICS = {"moments": 1, "rotation": 1, "sem": 2, "efa": 2, "irt": 2, "reliability": 3}
STATISTICS |= {"imputation": 4, "invariance": 4, "simulation": 4, "regression": 4, "moderation": 4, "method_bias": 4}
ROOF = {"report": 5, "workflows": 6, "studies": 6, "cli": 7, "__main__": 8, "__init__": 8}
PUBLIC = frozenset(psm_analysis.__all__)
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
HEAVY = ("scipy", "statsmodels", "matplotlib", "seaborn", "pyreadstat", "openpyxl", "great_tables", "docx", "tqdm")
NUMERIC = {"sem", "moments", "efa", "irt", "rotation", "reliability", "invariance", "simulation", "imputation"}
NUMERIC |= {"moderation"}


def part(path: Path) -> str:
    """Return the part of the package that a module belongs to."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "cli" if name.startswith("cli") else name


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """Return the parts of the package that a module imports, wherever in it, except for type checking."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("psm_analysis"):
            tail = node.module.split(".")[1:]
            names |= {tail[0]} if tail else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {a.name.split(".")[1] for a in node.names if a.name.startswith("psm_analysis.")}
    return {"cli" if name.startswith("cli") else name for name in names}


def allowed(importer: str, target: str) -> bool:
    """Tell whether one part may import another: down its own tower, never across, never a neighbour."""
    if importer == target or target in GROUND or importer == "__init__":
        return True
    if importer in GROUND:
        return False
    if importer == "report":
        return False
    for tower in (SURVEY, STATISTICS):
        if importer in tower:
            return target in tower and tower[target] < tower[importer]
    return ROOF[importer] > {**SURVEY, **STATISTICS, **ROOF}[target]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    wrong = {target for target in imported(path) if not allowed(part(path), target)}
    assert not wrong, f"{path.relative_to(ROOT)} must not import {sorted(wrong)}"


def test_the_drawing_of_the_towers_names_every_part() -> None:
    drawing = (ROOT / "docs" / "_static" / "towers.svg").read_text(encoding="utf-8")
    missing = {name for name in {**SURVEY, **STATISTICS} if name not in drawing}
    assert not missing


def test_towers_never_meet_below_the_roof() -> None:
    assert not allowed("sem", "survey")
    assert not allowed("survey", "moments")
    assert not allowed("sem", "efa")
    assert not allowed("instruments", "survey")
    assert allowed("studies", "sem")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_when_used(path: Path) -> None:
    for node in tree(path).body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            light = part(path) in NUMERIC and name.split(".")[0] == "scipy" and name != "scipy.stats"
            assert light or name.split(".")[0] not in HEAVY, f"{path.name} imports {name} at its top"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_sizes(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            assert body_lines(node) <= 60, f"{path.relative_to(ROOT)}: {node.name} has {body_lines(node)} lines"
            positional = [a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in ("self", "cls")]
            limit = 2 if node.name in PUBLIC else 4
            assert node.name.startswith("_") or len(positional) <= limit, f"{path.name}: {node.name}({positional})"


def body_lines(node: ast.FunctionDef) -> int:
    """Return the lines of a function's body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_median_sizes() -> None:
    files = sorted(path.read_text(encoding="utf-8").count("\n") for path in MODULES)
    functions = sorted(
        body_lines(node) for path in MODULES for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)
    )
    assert files[len(files) // 2] <= 200
    assert functions[len(functions) // 2] <= 12


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_names_say_what_a_module_is_for(path: Path) -> None:
    assert not BANNED & {piece.removesuffix(".py") for piece in path.relative_to(PACKAGE).parts}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_dataclasses_are_frozen_and_slotted(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            name = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(name, ast.Name) and name.id == "dataclass":
                given = (
                    {k.arg: ast.unparse(k.value) for k in decorator.keywords} if isinstance(decorator, ast.Call) else {}
                )
                assert given.get("frozen") == "True", f"{path.name}: {node.name} is not frozen"
                assert given.get("slots") == "True", f"{path.name}: {node.name} has no slots"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_exception_is_swallowed(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in ("everything", "Exception", "BaseException"), f"{path.name} line {node.lineno}"
            silent = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
            assert not silent, f"{path.name} line {node.lineno} swallows {caught}"


def test_import_is_cheap() -> None:
    code = (
        "import sys, numpy, pandas; before = set(sys.modules); import psm_analysis;"
        "print(*sorted(set(sys.modules) - before))"
    )
    added = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    own = [name for name in added if name.partition(".")[0] == "psm_analysis"]
    assert {name.partition(".")[0] for name in added} <= {"psm_analysis", *sys.stdlib_module_names}
    assert 0 < len(own) <= 8, "a name of the package is loaded when it is used"
