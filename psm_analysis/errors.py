"""Every error and warning of the package: each says what is wrong, where, and what to do about it."""

from __future__ import annotations

import importlib
from types import ModuleType


class PsmAnalysisError(Exception):
    """What every error of the package derives from.

    Parameters
    ----------
    what
        The thing that is wrong, in one sentence.
    where
        The place: a file, a column, a line of the model text, an argument.
    remedy
        What the reader can do about it.

    Examples
    --------
    >>> print(PsmAnalysisError("The item has one category.", where="column 'psm3'", remedy="Leave it out."))
    The item has one category. (column 'psm3') Leave it out.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(" ".join(part for part in (what, f"({where})" if where else "", remedy) if part))


class OptionError(PsmAnalysisError):
    """An argument has a value that the function does not know or cannot use."""


class DataError(PsmAnalysisError):
    """The data cannot be used as they are: a column, a value, a matrix, a group."""


class FileError(PsmAnalysisError):
    """A file cannot be found, read, or written."""


class InstrumentError(PsmAnalysisError):
    """The definition of an instrument is unknown or contradicts itself."""


class ModelSyntaxError(PsmAnalysisError):
    """The model text cannot be read; the message points at the line and the character."""


class ModelError(PsmAnalysisError):
    """The model is well written but cannot be estimated: unknown variable, not identified, contradictory."""


class ConvergenceError(PsmAnalysisError):
    """No solution was found from any start."""


class StudyError(PsmAnalysisError):
    """A study is unknown or its material is missing."""


class MissingExtraError(PsmAnalysisError):
    """An optional dependency is not installed."""


class PsmAnalysisWarning(UserWarning):
    """A doubtful result: it is computed, and kept on the result's ``warnings``."""


def require(module: str, *, extra: str = "", purpose: str = "") -> ModuleType:
    """Import `module` when it is first needed, or say in one sentence how to install it.

    Parameters
    ----------
    module
        Dotted name of the module.
    extra
        The extra of psm_analysis that brings it; empty if it belongs to the core.
    purpose
        What it is needed for, as the end of "... is needed for".

    Raises
    ------
    MissingExtraError
        If the module is not installed.

    Examples
    --------
    >>> require("math").sqrt(4)
    2.0
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module + ".").startswith(error.name + "."):
            raise
        target = f"psm_analysis[{extra}]" if extra else "psm_analysis"
        raise MissingExtraError(
            f"The package '{error.name}' is not installed" + (f" and is needed for {purpose}." if purpose else "."),
            remedy=f"Install it with: python -m pip install '{target}'",
        ) from error
