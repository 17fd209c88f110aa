"""The committed notebooks as pages: copied beside the other sources before they are read, never executed here."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def copy_notebooks(app: Any) -> None:
    """Copy ``notebooks/*.ipynb`` into ``docs/_notebooks``; files that did not change are left, removed ones go."""
    source, target = Path(app.srcdir).parent / "notebooks", Path(app.srcdir) / "_notebooks"
    target.mkdir(exist_ok=True)
    notebooks = {path.name: path.read_bytes() for path in source.glob("*.ipynb")}
    for old in target.glob("*.ipynb"):
        if old.name not in notebooks:
            old.unlink()
    for name, content in notebooks.items():
        copy = target / name
        if not copy.exists() or copy.read_bytes() != content:
            copy.write_bytes(content)


def setup(app: Any) -> dict[str, bool]:
    """Copy them when the builder starts."""
    app.connect("builder-inited", copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
