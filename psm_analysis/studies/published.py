"""Where the printed matrices of published studies are, and how they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from psm_analysis.errors import StudyError

_PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (_PACKAGE / "data" / "published", _PACKAGE.parent / "data" / "published")
PRINTED_COLUMNS = ("table", "quantity", "printed", "where", "not_recomputed")


def published_folder(study_id: str) -> Path:
    """Return the folder with the transcribed figures of a published study.

    An installed package carries them inside itself (``psm_analysis/data/published``); a checkout has them in its
    ``data/published``. There is no other place, and nothing is downloaded.

    Raises
    ------
    StudyError
        If neither place has the study.

    Examples
    --------
    >>> sorted(path.name for path in published_folder("byrne_mbi").glob("*.csv"))
    ['covariance.csv', 'means.csv', 'printed.csv']
    """
    for place in PLACES:
        if (place / study_id).is_dir():
            return place / study_id
    raise StudyError(
        "The transcribed figures of the study are not there.",
        where=f"data/published/{study_id}",
        remedy="Reinstall the package, or take data/published from the project's repository.",
    )


def read_matrix(study_id: str, name: str) -> pd.DataFrame:
    """Read a symmetric matrix of which the lower triangle is given, as it was printed.

    Parameters
    ----------
    study_id
        Folder in data/published.
    name
        File name without its ending.

    Returns
    -------
    pandas.DataFrame
        The full matrix with names on both axes.

    Raises
    ------
    StudyError
        If the file is missing or not the lower triangle of a matrix.

    Examples
    --------
    >>> read_matrix("hom_kinicki_2001", "correlations").loc["FACES", "Duty"]
    np.float64(0.46)
    """
    frame = _read(study_id, name, dtype=None).set_index("variable")
    below = np.tril(np.ones(frame.shape, dtype=bool)) if frame.shape[0] == frame.shape[1] else None
    values = frame.to_numpy(dtype=float)
    if below is None or list(frame.index) != list(frame.columns) or not (np.isfinite(values) == below).all():
        raise StudyError(
            "This is not the lower triangle of a matrix with the same names on both axes.",
            where=f"data/published/{study_id}/{name}.csv",
            remedy="Give the diagonal and what is below it, and leave the cells above empty.",
        )
    lower = np.where(below, values, 0.0)
    full = lower + np.tril(lower, -1).T
    return pd.DataFrame(full, index=list(frame.columns), columns=list(frame.columns))


def read_values(study_id: str, name: str) -> pd.Series:
    """Read one printed value per variable, e.g. means or standard deviations.

    Examples
    --------
    >>> read_values("hom_kinicki_2001", "sds")["Duty"]
    np.float64(0.38)
    """
    frame = _read(study_id, name, dtype=None).set_index("variable")
    return pd.Series(frame.iloc[:, 0].to_numpy(dtype=float), index=[str(v) for v in frame.index], name=frame.columns[0])


def read_printed(study_id: str) -> pd.DataFrame:
    """Read the printed results as text: ``table, quantity, printed, where, not_recomputed`` (a reason, or empty).

    Examples
    --------
    >>> read_printed("byrne_mbi").iloc[0][["table", "quantity", "printed"]].tolist()
    ['model1', 'chisq', '1012.654']
    """
    frame = _read(study_id, "printed", dtype=str)
    if tuple(frame.columns) != PRINTED_COLUMNS:
        raise StudyError(
            f"The columns are {', '.join(frame.columns)}.",
            where=f"data/published/{study_id}/printed.csv",
            remedy=f"They must be {', '.join(PRINTED_COLUMNS)}.",
        )
    return frame


def printed_of(study_id: str, table: str) -> dict[str, str]:
    """Return the printed text of every quantity of one table that can be recomputed."""
    frame = read_printed(study_id)
    rows = frame[(frame["table"] == table) & (frame["not_recomputed"] == "")]
    return dict(zip(rows["quantity"], rows["printed"], strict=True))


def covariance_from(correlations: pd.DataFrame, sds: pd.Series) -> pd.DataFrame:
    """Return the covariance matrix D R D of correlations R and standard deviations D.

    Examples
    --------
    >>> R = pd.DataFrame([[1.0, 0.5], [0.5, 1.0]], ["x", "y"], ["x", "y"])
    >>> covariance_from(R, pd.Series({"x": 2.0, "y": 3.0})).loc["x", "y"]
    np.float64(3.0)
    """
    scale = sds.loc[list(correlations.columns)].to_numpy(dtype=float)
    return correlations * np.outer(scale, scale)


def _read(study_id: str, name: str, *, dtype: type | None) -> pd.DataFrame:
    path = published_folder(study_id) / f"{name}.csv"
    if not path.is_file():
        raise StudyError(
            "A file of the study is missing.",
            where=f"data/published/{study_id}/{name}.csv",
            remedy="Reinstall the package, or take data/published from the project's repository.",
        )
    return pd.read_csv(path, dtype=dtype, keep_default_na=dtype is None)
