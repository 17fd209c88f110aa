"""Codebooks as TOML: every mistake is found in one pass and named with its key.

The keys::

    name = "Township survey 2024"            # required
    version = "1"
    instruments = ["psm16", "own_scale.toml"]  # ids, or definitions beside the codebook; required
    profile = "plain"                        # layout of the export
    missing_codes = [-9, 99]                 # "no answer" in every column
    missing_texts = ["不知道"]
    omitted = ["psm7"]                       # items that were not asked
    response_time_items = 60                 # questions covered by the response time

    [responses]                              # lowest and highest code offered, where the instrument says otherwise
    wleis16 = [1, 5]

    [codes.agreement]                        # named lists: answer as written in the file -> code
    "非常同意" = 5

    [answers]                                # instrument -> named list
    psm16 = "agreement"

    [items]                                  # column of the file -> item; items not named here are columns of their id
    Q1 = "psm1"
    Q2 = { item = "psm2", codes = "agreement", missing = [9], reverse = false, already_reversed = false }

    [variables.gender]                       # every other column
    role = "group"                           # id wave weight group cluster covariate response_time attention
    column = "Q40"                           # default: the name of the variable
    label = { en = "Gender", zh = "性别" }
    codes = { "男" = 1, "女" = 2 }
    values = { 1 = { en = "male", zh = "男" }, 2 = { en = "female", zh = "女" } }
    missing = [9]
    correct = [3]                            # attention checks only
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from psm_analysis._options import ColumnRole, nearest
from psm_analysis.errors import FileError, InstrumentError, PsmAnalysisError
from psm_analysis.instruments.model import Instrument, Text
from psm_analysis.instruments.registry import get_instrument
from psm_analysis.survey.codebook import Codebook, ItemColumn, Variable
from psm_analysis.survey.profile import profile_ids

_TOP = {
    "name": str,
    "version": str,
    "instruments": list,
    "profile": str,
    "missing_codes": list,
    "missing_texts": list,
    "omitted": list,
    "response_time_items": int,
    "responses": dict,
    "codes": dict,
    "answers": dict,
    "items": dict,
    "variables": dict,
}
_ITEM = {"item": str, "codes": (str, dict), "missing": list, "reverse": bool, "already_reversed": bool}
_VARIABLE = {
    "role": str,
    "column": str,
    "label": (str, dict),
    "codes": (str, dict),
    "values": dict,
    "missing": list,
    "correct": list,
}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Collects the mistakes of one codebook while its parts are read."""

    table: dict[str, Any]
    folder: Path
    mistakes: list[str] = field(default_factory=list)

    def wrong(self, key: str, text: str) -> None:
        self.mistakes.append(f"{key}: {text}")

    def check_keys(self, table: Mapping[str, Any], allowed: Mapping[str, Any], *, at: str) -> dict[str, Any]:
        """Return the entries of `table` that are known and of the right type."""
        good = {}
        for key, value in table.items():
            place = f"{at}.{key}" if at else key
            if key not in allowed:
                self.wrong(place, f"is not a known key. {nearest(key, allowed)}".rstrip())
            elif not isinstance(value, allowed[key]) or (allowed[key] is int and isinstance(value, bool)):
                self.wrong(place, f"must be {_kind(allowed[key])}, not {value!r}.")
            else:
                good[key] = value
        return good

    def numbers(self, values: Iterable[Any], *, at: str) -> tuple[float, ...]:
        good = [float(value) for value in values if _is_number(value)]
        for value in values:
            if not _is_number(value):
                self.wrong(at, f"must hold numbers, not {value!r}.")
        return tuple(good)

    def texts(self, values: Iterable[Any], *, at: str) -> tuple[str, ...]:
        for value in values:
            if not isinstance(value, str):
                self.wrong(at, f"must hold texts, not {value!r}.")
        return tuple(value for value in values if isinstance(value, str))

    def code_list(self, value: str | dict[str, Any] | None, *, at: str) -> dict[str, float]:
        """Return answer -> code, from a table or from the name of one."""
        lists = self.table.get("codes", {})
        if value is None:
            return {}
        if isinstance(value, str):
            if not isinstance(lists, dict) or not isinstance(lists.get(value), dict):
                self.wrong(at, f"names the list {value!r}, but there is no [codes.{value}]. {nearest(value, lists)}")
                return {}
            return self.code_list(dict(lists[value]), at=f"codes.{value}")
        for answer, code in value.items():
            if not _is_number(code):
                self.wrong(f"{at}.{answer}", f"must be a number, not {code!r}.")
        return {str(answer): float(code) for answer, code in value.items() if _is_number(code)}

    def text(self, value: str | dict[str, Any], *, at: str) -> Text:
        """Return a label given as one text or as {en = ..., zh = ...}."""
        if isinstance(value, str):
            return Text(value, value)
        parts = self.check_keys(value, {"en": str, "zh": str}, at=at)
        first = next(iter(parts.values()), "")
        return Text(parts.get("en", first), parts.get("zh", first))


def read_codebook(path: str | Path) -> Codebook:
    """Read a codebook from a TOML file and check all of it.

    Parameters
    ----------
    path
        The TOML file; its keys are described at the top of this module.

    Returns
    -------
    Codebook

    Raises
    ------
    FileError
        If the file is missing or is not TOML, or with every mistake in it at once, each with its key.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "codebook.toml"
    >>> _ = file.write_text('name = "Pilot"\\ninstruments = ["turnover3"]\\nmissing_codes = [9]\\n')
    >>> codebook = read_codebook(file)
    >>> codebook.item_ids, codebook.missing_codes
    (('turnover1', 'turnover2', 'turnover3'), (9.0,))
    """
    path = Path(path)
    try:
        content = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(content)
    except FileNotFoundError as error:
        beside = [entry.name for entry in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        raise FileError(
            "There is no such codebook.", where=str(path), remedy=f"{nearest(path.name, beside)}Check the path."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        what = f"The codebook cannot be read: {error}."
        raise FileError(what, where=str(path), remedy="Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"The codebook is not TOML: {error}.", where=path.name, remedy="Mend that line.") from error
    return codebook_from_table(table, source=path.name, folder=path.parent)


def codebook_from_table(table: dict[str, Any], *, source: str, folder: Path) -> Codebook:
    """Make a codebook from the table that a TOML file holds.

    Raises
    ------
    FileError
        With every mistake at once, each with its key.
    """
    reader = _Reader(table, folder)
    top = reader.check_keys(table, _TOP, at="")
    for key in ("name", "instruments"):
        if key not in table:
            reader.wrong(key, "is missing.")
    instruments = _offered(reader, top, instruments=_instruments(reader, top.get("instruments", [])))
    if top.get("profile", "plain") not in profile_ids():
        reader.wrong("profile", f"{top['profile']!r} is not known. It can be: {', '.join(profile_ids())}.")
    codebook = Codebook(
        name=top.get("name", ""),
        version=top.get("version", ""),
        instruments=instruments,
        items=_items(reader, top, instruments=instruments),
        variables=_variables(reader, top.get("variables", {})),
        missing_codes=reader.numbers(top.get("missing_codes", []), at="missing_codes"),
        missing_texts=reader.texts(top.get("missing_texts", []), at="missing_texts"),
        profile=top.get("profile", "plain"),
        response_time_items=top.get("response_time_items"),
    )
    _check_columns(reader, codebook)
    if reader.mistakes:
        count = len(reader.mistakes)
        raise FileError(
            f"The codebook has {count} mistake{'s' * (count > 1)}:\n  - " + "\n  - ".join(reader.mistakes) + "\n",
            where=source,
            remedy="Mend them and try again.",
        )
    return codebook


def _instruments(reader: _Reader, names: list[Any]) -> tuple[Instrument, ...]:
    found = []
    for name in reader.texts(names, at="instruments"):
        try:
            found.append(get_instrument(reader.folder / name if name.endswith(".toml") else name))
        except (InstrumentError, FileError) as error:
            reader.wrong("instruments", str(error))
        except PsmAnalysisError as error:
            reader.wrong("instruments", f"{name!r}: {error}")
    return tuple(found)


def _items(reader: _Reader, top: dict[str, Any], *, instruments: tuple[Instrument, ...]) -> tuple[ItemColumn, ...]:
    owner = {item: instrument.id for instrument in reversed(instruments) for item in instrument.item_ids}
    omitted = reader.texts(top.get("omitted", []), at="omitted")
    stated = _stated_items(reader, top.get("items", {}), owner=owner)
    for item in omitted:
        if item not in owner:
            reader.wrong("omitted", f"{item!r} is not an item of the instruments. {nearest(item, owner)}".rstrip())
    answers = _by_instrument(reader, top, key="answers", instruments=instruments)
    lists = {name: reader.code_list(value, at=f"answers.{name}") for name, value in answers.items()}
    items = []
    for instrument in instruments:
        for item in instrument.item_ids:
            if owner[item] != instrument.id or item in omitted:
                continue
            column, table = stated.get(item, (item, {}))
            at = f"items.{column}"
            items.append(
                ItemColumn(
                    item=item,
                    column=column,
                    codes=reader.code_list(table.get("codes"), at=f"{at}.codes") or lists.get(instrument.id, {}),
                    missing=reader.numbers(table.get("missing", []), at=f"{at}.missing"),
                    reverse=table.get("reverse"),
                    already_reversed=table.get("already_reversed", False),
                )
            )
    return tuple(items)


def _stated_items(
    reader: _Reader, table: dict[str, Any], *, owner: Mapping[str, str]
) -> dict[str, tuple[str, dict[str, Any]]]:
    stated: dict[str, tuple[str, dict[str, Any]]] = {}
    for column, value in table.items():
        at = f"items.{column}"
        if not isinstance(value, str | dict):
            reader.wrong(at, f"must be an item id or a table, not {value!r}.")
            continue
        entry = reader.check_keys({"item": value} if isinstance(value, str) else value, _ITEM, at=at)
        item = entry.get("item", column)
        if item not in owner:
            if owner:
                reader.wrong(at, f"{item!r} is not an item of the instruments. {nearest(item, owner)}".rstrip())
        elif item in stated:
            reader.wrong(at, f"the item {item!r} already has the column {stated[item][0]!r}.")
        else:
            stated[item] = (column, entry)
    return stated


def _by_instrument(
    reader: _Reader, top: dict[str, Any], *, key: str, instruments: tuple[Instrument, ...]
) -> dict[str, Any]:
    known = [instrument.id for instrument in instruments]
    wanted: Any = {"responses": list, "answers": (str, dict)}[key]
    return reader.check_keys(top.get(key, {}), dict.fromkeys(known, wanted), at=key)


def _offered(reader: _Reader, top: dict[str, Any], *, instruments: tuple[Instrument, ...]) -> tuple[Instrument, ...]:
    """Return the instruments with the codes that this questionnaire offered."""
    stated = _by_instrument(reader, top, key="responses", instruments=instruments)
    changed = []
    for instrument in instruments:
        codes: list[Any] = stated.get(instrument.id, [])
        whole = all(isinstance(code, int) and not isinstance(code, bool) for code in codes)
        fits = whole and len(codes) == 2 and codes[0] < codes[1]
        changed.append(instrument.with_response(codes[0], codes[1]) if fits else instrument)
        if instrument.id in stated and not fits:
            reader.wrong(f"responses.{instrument.id}", f"must be the lowest and the highest code, not {codes!r}.")
    return tuple(changed)


def _variables(reader: _Reader, table: dict[str, Any]) -> tuple[Variable, ...]:
    variables = []
    for name, entry in table.items():
        at = f"variables.{name}"
        if not isinstance(entry, dict):
            reader.wrong(at, f"must be a table with a role, not {entry!r}.")
            continue
        good = reader.check_keys(entry, _VARIABLE, at=at)
        role = good.get("role", "covariate")
        if "role" not in entry:
            reader.wrong(f"{at}.role", f"is missing. It can be: {', '.join(get_args(ColumnRole))}.")
        elif role not in get_args(ColumnRole):
            reader.wrong(f"{at}.role", f"{role!r} is not known. It can be: {', '.join(get_args(ColumnRole))}.")
        if role == "attention" and not good.get("correct"):
            reader.wrong(f"{at}.correct", "is missing: the codes that pass the check.")
        variables.append(
            Variable(
                name=name,
                column=good.get("column", name),
                role=role,
                label=reader.text(good.get("label", name), at=f"{at}.label"),
                codes=reader.code_list(good.get("codes"), at=f"{at}.codes"),
                values={
                    str(code): reader.text(label, at=f"{at}.values.{code}")
                    for code, label in good.get("values", {}).items()
                },
                missing=reader.numbers(good.get("missing", []), at=f"{at}.missing"),
                correct=reader.numbers(good.get("correct", []), at=f"{at}.correct"),
            )
        )
    return tuple(variables)


def _check_columns(reader: _Reader, codebook: Codebook) -> None:
    for column, count in Counter(codebook.columns).items():
        if count > 1:
            reader.wrong("items and variables", f"the column {column!r} is used {count} times.")
    for name in {variable.name for variable in codebook.variables} & set(codebook.item_ids):
        reader.wrong(f"variables.{name}", "has the name of an item.")
    for role in ("id", "wave", "weight"):
        named = codebook.named(role)
        if len(named) > 1:
            reader.wrong("variables", f"only one column can have the role {role!r}, not {', '.join(named)}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(wanted: Any) -> str:
    names = {str: "a text", list: "a list", dict: "a table", int: "a whole number", bool: "true or false"}
    return " or ".join(names[kind] for kind in (wanted if isinstance(wanted, tuple) else (wanted,)))
