"""The reference: one page per part of the package, from the table of public names, before the sources are read."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import psm_analysis as psm

REPORT = (
    "Immutable tables and figures for print. All builders share the arguments of the layout: ``title`` and ``number``, "
    "a ``note`` below, ``labels`` (name of a variable to what is printed for it) and ``lang`` (``en`` or ``zh``)."
)
# Part of the package -> (section, title, what it holds). A public name of a part that is not here stops the build.
PARTS = {
    "instruments": ("survey", "Instruments", "Questionnaires as frozen definitions."),
    "survey": ("survey", "Survey files", "Reading, checking and screening a wave; synthetic surveys."),
    "scoring": ("survey", "Scoring", "From answers to scale scores."),
    "moments": ("statistics", "Moments and correlations", "Description, correlations, normality, missing data."),
    "rotation": ("statistics", "Rotation", "Criteria and gradient projection."),
    "efa": ("statistics", "Exploratory factor analysis", "Suitability, number of factors, extraction."),
    "sem": ("statistics", "Structural equation models", "Confirmatory, structural and growth models."),
    "irt": ("statistics", "Item response models", "Graded response model, person scores, information."),
    "reliability": ("statistics", "Reliability and validity", "Alpha, omega, agreement, HTMT."),
    "invariance": ("statistics", "Measurement invariance", "Ladders of equality over groups."),
    "moderation": ("statistics", "Moderation and sensitivity", "Conditional effects, simple slopes, confounders."),
    "method_bias": ("statistics", "Common method bias", "Method factors, marker variables, wording."),
    "simulation": ("statistics", "Simulation", "Populations, generated data, power."),
    "imputation": ("statistics", "Multiple imputation", "Completed data sets and pooled results."),
    "regression": ("statistics", "Regression", "Hierarchical, ordered and from printed correlations."),
    "report": ("roof", "Tables and figures", REPORT),
    "workflows": ("roof", "Workflows", "One call that needs both towers."),
    "studies": ("roof", "Studies", "The tables of a paper as functions; printed beside recomputed."),
    "errors": ("ground", "Errors", "What is raised when a call or the data are wrong, and what is warned of."),
}


def names_by_part() -> dict[str, list[str]]:
    """Return the public names of each part that has any, in the order of `PARTS`.

    Raises
    ------
    KeyError
        If a public name belongs to a part that the reference does not know.
    """
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    for name, module in sorted(psm._PUBLIC.items()):
        found[module.split(".")[0]].append(name)
    return {part: names for part, names in found.items() if names}


def file_name(part: str) -> str:
    """Return the name of the page of one part, below the folder of its section."""
    return f"{PARTS[part][0]}/{part}.rst"


def page(part: str, names: list[str]) -> str:
    """Return the text of the page of one part."""
    _, title, what = PARTS[part]
    rows = "\n   ".join(f"* - :py:obj:`{name} <psm_analysis.{name}>`\n     - {_first_line(name)}" for name in names)
    table = f".. list-table::\n   :widths: 30 70\n   :class: reference\n\n   {rows}"
    entries = "\n\n".join(_entry(name) for name in names)
    return f"{title}\n{'=' * len(title)}\n\n{what}\n\n.. py:currentmodule:: psm_analysis\n\n{table}\n\n{entries}\n"


def _first_line(name: str) -> str:
    return (inspect.getdoc(getattr(psm, name)) or "").split("\n", 1)[0]


def _entry(name: str) -> str:
    thing = getattr(psm, name)
    head = f"{name}\n{'-' * len(name)}\n\n"
    if not inspect.isclass(thing):
        return f"{head}.. autofunction:: psm_analysis::{name}"
    if issubclass(thing, BaseException):
        return f"{head}.. autoexception:: psm_analysis::{name}"
    lines = f"{head}.. autoclass:: psm_analysis::{name}\n   :members:\n   :inherited-members:"
    foreign = [key for key, value in inspect.getmembers(thing, inspect.isfunction) if _is_foreign(value)]
    return lines + (f"\n   :exclude-members: {', '.join(foreign)}" if foreign else "")


def _is_foreign(member: object) -> bool:
    """Tell whether a library that a class builds on defined the member, and documents it itself."""
    return not str(getattr(member, "__module__", "")).startswith("psm_analysis")


def write_pages(app: Any) -> None:
    """Write a page per part into ``reference/generated``; pages that did not change are left."""
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {file_name(part): page(part, names) for part, names in names_by_part().items()}
    for old in folder.rglob("*.rst"):
        if old.relative_to(folder).as_posix() not in pages:
            old.unlink()
    for name, text in pages.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Write them when the builder starts."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
