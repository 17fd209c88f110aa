"""Write every table and figure of a study to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from psm_analysis._options import Language, check_option
from psm_analysis.errors import FileError
from psm_analysis.studies.registry import get_study
from psm_analysis.studies.spec import Study

Progress = Callable[[int, int, str], None]


def run_study(
    study: Study | str, *, out: str | Path = "build", lang: Language = "en", progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write the tables of a study as HTML, LaTeX, Word and CSV, and its figures.

    Files are ``out/tables/<study>_<table>.{html,tex,docx,csv}`` and ``out/figures/<study>_<figure>.*``.

    Parameters
    ----------
    study
        A study or the id of one.
    out
        Folder, made if it does not exist.
    lang
        Language of the tables and figures.
    progress
        Called as ``progress(done, total, name)`` before each table and figure, and once at the end.

    Returns
    -------
    tuple of Path
        The files, in the order they were written.

    Raises
    ------
    StudyError
        If the study is unknown or its figures are missing.
    FileError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = run_study("eaves_payne_2019", out=folder)
    >>> paths[0].name
    'eaves_payne_2019_regressions.html'
    """
    check_option(lang, Language, name="lang")
    chosen = get_study(study) if isinstance(study, str) else study
    folders = _folders(Path(out))
    total = len(chosen.tables) + len(chosen.figures)
    tell = progress or (lambda _done, _total, _name: None)
    written: list[Path] = []
    for done, table_id in enumerate(chosen.tables):
        tell(done, total, table_id)
        written += chosen.table(table_id, lang=lang).save(folders[0], f"{chosen.id}_{table_id}")
    for done, figure_id in enumerate(chosen.figures, len(chosen.tables)):
        from psm_analysis.report.figure_files import save_figure

        tell(done, total, figure_id)
        written += save_figure(chosen.figure(figure_id, lang=lang), folders[1], stem=f"{chosen.id}_{figure_id}")
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
