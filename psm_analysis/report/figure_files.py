"""Figures as files that are the same bytes every time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psm_analysis._files import write_atomically
from psm_analysis.errors import require
from psm_analysis.report.files import check_stem
from psm_analysis.report.style import figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNDATED: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}


def save_figure(figure: Figure, directory: str | Path, *, stem: str, dpi: int = 200) -> tuple[Path, ...]:
    """Write `stem`.png (200 dots per inch), .svg and .pdf, each whole or not at all, without dates.

    Parameters
    ----------
    figure
        A figure of this package or of matplotlib.
    directory
        Folder, made if it is missing.
    stem
        File name without ending.
    dpi
        Dots per inch of the png.

    Returns
    -------
    tuple of Path
        The three files.

    Raises
    ------
    OptionError
        If `stem` is not a plain file name.
    FileError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile, pandas as pd, psm_analysis as psm
    >>> r = pd.DataFrame([[1, 0.3], [0.3, 1]], index=["a", "b"], columns=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in psm.save_figure(psm.correlation_heatmap(r), folder, stem="heat")]
    ['heat.png', 'heat.svg', 'heat.pdf']
    """
    check_stem(stem)
    matplotlib = require("matplotlib", purpose="figures")
    paths = []
    for kind, metadata in UNDATED.items():
        stream = io.BytesIO()
        with figure_style(), matplotlib.rc_context({"svg.hashsalt": "psm_analysis", "svg.fonttype": "path"}):
            figure.savefig(
                stream, format=kind, dpi=dpi, metadata=metadata, bbox_inches="tight", pad_inches=0.08, facecolor="white"
            )
        paths.append(write_atomically(Path(directory) / f"{stem}.{kind}", stream.getvalue()))
    return tuple(paths)
