"""A scoring model as readable JSON: written whole, and believed only after it was checked."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import numpy as np

from psm_analysis._files import write_atomically
from psm_analysis.errors import FileError
from psm_analysis.instruments.model import Instrument
from psm_analysis.instruments.registry import get_instrument, list_instruments
from psm_analysis.scoring.consistency import contradiction_in
from psm_analysis.scoring.fingerprint import instrument_hash

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoringModel

SCHEMA = 2
KIND = "psm_analysis scoring model"
LARGEST = sys.float_info.max


def save(model: ScoringModel, path: str | Path, *, overwrite: bool) -> Path:
    """Write the model; see `ScoringModel.save`."""
    content: dict[str, Any] = {"kind": KIND, "schema": SCHEMA, "model": asdict(model)}
    content["sha256"] = _digest(content)
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    return write_file(path, text.encode(), overwrite=overwrite)


def load_scoring_model(path: str | Path, *, instrument: Instrument | str | None = None) -> ScoringModel:
    """Read a scoring model, and refuse it unless it gives the scores it gave when it was frozen.

    Parameters
    ----------
    path
        A JSON file written by `ScoringModel.save`.
    instrument
        Definition that the model must fit, if it is not the shipped one: an `Instrument`, or the path of a TOML file.

    Returns
    -------
    ScoringModel

    Raises
    ------
    FileError
        If the file is missing or no JSON, its schema is newer, a field is unknown or absent, its hash does not fit
        its content, its instrument is defined otherwise here (an instrument that is not shipped is compared only if it
        is given), or its check scores are not reproduced.

    Examples
    --------
    >>> try:
    ...     load_scoring_model("absent.json")
    ... except FileError as error:
    ...     print(error.where, error.remedy)
    absent.json Check the path.
    """
    file = Path(path)
    content = _content(file)
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise _refusal(file, "It is not a scoring model.")
    if content.get("schema") != SCHEMA:
        raise _refusal(file, f"It has schema {content.get('schema')!r}; this version of the package reads {SCHEMA}.")
    unknown = sorted(set(content) - {"kind", "schema", "model", "sha256"})
    if unknown:
        raise _refusal(file, f"It has the unknown field '{unknown[0]}'.")
    from psm_analysis.scoring.model import ScoringModel

    model: ScoringModel = _build(ScoringModel, content.get("model"), where="model", file=file)
    if content.get("sha256") != _digest({key: value for key, value in content.items() if key != "sha256"}):
        raise _refusal(file, "Its content does not fit its hash: it was changed after it was written.")
    _check_instrument(model, instrument, file=file)
    _check_scores(model, file)
    return model


def write_file(path: str | Path, content: bytes, *, overwrite: bool) -> Path:
    """Write `content` beside its place, then rename: the file appears whole or not at all.

    Raises
    ------
    FileError
        If it exists and `overwrite` is False, or it cannot be written.
    """
    refuse_existing(Path(path), overwrite=overwrite)
    return write_atomically(path, content, make_folder=False)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise a FileError if the file exists and may not be replaced."""
    if os.path.lexists(path) and not overwrite:
        raise FileError(
            "The file exists.", where=str(path), remedy="Choose another name, or allow it to be overwritten."
        )


def refuse_inputs(path: Path, *, inputs: Iterable[str | Path]) -> None:
    """Raise a FileError if the file is one of those that are read, under whatever name."""
    for source in inputs:
        if os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source):
            raise FileError(
                "The file is read, so it is not replaced.",
                where=str(path),
                remedy="Choose another name for what is written.",
            )


def _content(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=_fields_once, parse_constant=_no_number)
    except OSError as error:
        raise FileError(
            f"The scoring model cannot be read: {error.strerror or error}.", where=str(file), remedy="Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise _refusal(file, "It is not text in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise _refusal(file, f"It is not JSON: {error}.") from error


def _fields_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"the field '{twice[0]}' occurs twice")
    return dict(pairs)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _build(kind: Any, value: Any, *, where: str, file: Path) -> Any:
    """Make a value of a type (dataclass, tuple, number, text, or one of these or None) from JSON, strictly."""
    if isinstance(kind, UnionType):
        return None if value is None else _build(get_args(kind)[0], value, where=where, file=file)
    if is_dataclass(kind):
        return _build_record(kind, value, where=where, file=file)
    if get_origin(kind) is tuple:
        if isinstance(value, list):
            return tuple(_build(get_args(kind)[0], v, where=f"{where}[{i}]", file=file) for i, v in enumerate(value))
    elif kind is float and type(value) in (int, float) and abs(value) <= LARGEST:
        return float(value)
    elif kind is not float and type(value) is kind:
        return value
    raise _refusal(file, f"The field '{where}' has the wrong type.")


def _build_record(kind: Any, value: Any, *, where: str, file: Path) -> Any:
    if not isinstance(value, dict):
        raise _refusal(file, f"The field '{where}' has the wrong type.")
    known = [field.name for field in fields(kind)]
    for name in sorted(set(value) ^ set(known)):
        raise _refusal(file, f"The field '{where}.{name}' is {'unknown' if name in value else 'absent'}.")
    hints = get_type_hints(kind)
    return kind(**{name: _build(hints[name], value[name], where=f"{where}.{name}", file=file) for name in known})


def _check_instrument(model: ScoringModel, instrument: Instrument | str | None, *, file: Path) -> None:
    if instrument is None and model.instrument not in set(list_instruments()["id"]):
        return
    known = instrument if isinstance(instrument, Instrument) else get_instrument(instrument or model.instrument)
    if known.id != model.instrument:
        raise _refusal(file, f"It scores '{model.instrument}', not '{known.id}'.")
    if instrument_hash(known) != model.instrument_hash:
        raise _refusal(
            file,
            f"The items, keys, codes or rules of '{known.id}' (version {known.version} here, {model.version} in the "
            "model) differ from those it was made with; if it was made with a definition of your own, give that.",
        )


def _check_scores(model: ScoringModel, file: Path) -> None:
    contradiction = contradiction_in(model)
    if contradiction:
        raise _refusal(file, contradiction)
    answers, scores = (np.array(rows, dtype=float) for rows in (model.check.answers, model.check.scores))
    if not np.allclose(model.scores_of(answers), scores, rtol=1e-10, atol=1e-12, equal_nan=True):
        raise _refusal(file, "It does not give the scores it gave when it was frozen.")


def _refusal(file: Path, reason: str) -> FileError:
    return FileError(
        f"The scoring model is refused. {reason}", where=str(file), remedy="Take the original, or calibrate again."
    )
