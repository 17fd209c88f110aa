"""Many tables and figures in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from psm_analysis.errors import FileError
from psm_analysis.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[int, int, str], None]


def save_all(
    out: str | Path,
    *,
    stem: str,
    tables: Mapping[str, Callable[[], Table]],
    figures: Mapping[str, Callable[[], Figure]],
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write ``out/tables/<stem>_<name>.{html,tex,docx,csv}`` and ``out/figures/<stem>_<name>.{png,svg,pdf}``.

    Each table and figure is made when its turn comes; `progress` is called as ``progress(done, total, name)`` before
    each, and once at the end. Return the files in the order they were written.
    """
    homes = _folders(Path(out))
    total = len(tables) + len(figures)
    tell = progress or (lambda _done, _total, _name: None)
    written: list[Path] = []
    for done, (name, table) in enumerate(tables.items()):
        tell(done, total, name)
        written += table().save(homes[0], f"{stem}_{name}")
    for done, (name, figure) in enumerate(figures.items(), len(tables)):
        from psm_analysis.report.figure_files import save_figure

        tell(done, total, name)
        written += save_figure(figure(), homes[1], stem=f"{stem}_{name}")
    tell(total, total, "")
    return tuple(written)


def _folders(out: Path) -> tuple[Path, Path]:
    folders = (out / "tables", out / "figures")
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"The folder cannot be made: {error.strerror}.", where=str(folder), remedy="Choose another folder."
            ) from error
    return folders
