"""Write every table and figure of a study to files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from psm_analysis._options import Language, check_option
from psm_analysis.report.folder import Progress, save_all
from psm_analysis.studies.registry import get_study
from psm_analysis.studies.spec import Study


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
    return save_all(
        out,
        stem=chosen.id,
        tables={name: partial(chosen.table, name, lang=lang) for name in chosen.tables},
        figures={name: partial(chosen.figure, name, lang=lang) for name in chosen.figures},
        progress=progress,
    )
