"""Reading an instrument from TOML: every key is checked, unknown keys are refused."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from psm_analysis._options import MissingKind, ScoringRule, check_option
from psm_analysis.errors import FileError, InstrumentError, OptionError
from psm_analysis.instruments.definition_table import DefinitionTable
from psm_analysis.instruments.model import (
    Instrument,
    Item,
    MissingRule,
    Note,
    ResponseScale,
    Source,
    Subscale,
    Text,
)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")


def read_definition(path: Path) -> Instrument:
    """Return the instrument that the TOML file at `path` defines.

    Parameters
    ----------
    path
        A file in the form of those in ``psm_analysis/instruments/definitions``.

    Raises
    ------
    FileError
        If the file cannot be read.
    InstrumentError
        If the definition is no TOML, lacks a key, has an unknown one, or contradicts itself.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError("The definition is not UTF-8 text.", where=str(path), remedy="Save it as UTF-8.") from error
    except OSError as error:
        raise FileError(
            f"The definition cannot be read: {error.strerror}.", where=str(path), remedy="Check the path."
        ) from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InstrumentError(
            f"The definition is not valid TOML: {error}.", where=path.name, remedy="Correct that line."
        ) from error
    return build_instrument(content, file=path.name)


def build_instrument(content: Mapping[str, Any], *, file: str) -> Instrument:
    """Return the instrument of a parsed definition; `file` is named in errors.

    Raises
    ------
    InstrumentError
        As `read_definition`.
    """
    table = DefinitionTable(content, file)
    identity = table.name("id", _NAME)
    subscales = tuple(_subscale(part) for part in table.parts("subscales"))
    scales = tuple((_response_scale(part), part) for part in table.parts("response_scales", required=False))
    reverse = table.texts("reverse", default=())
    entries = table.items("items")
    ids = [str(entry.take("id", str)) for entry in entries]
    _check_names(table, ids=ids, subscales=subscales, scales=[scale for scale, _ in scales], reverse=reverse)
    responses = _responses(table, ids=ids, scales=scales)
    items = tuple(
        _item(entry, identity=item, subscales=subscales, reverse=reverse, response=responses[item])
        for item, entry in zip(ids, entries, strict=True)
    )
    instrument = Instrument(
        id=identity,
        version=table.take("version", str),
        construct=table.take("construct", str),
        factor=table.name("factor", _NAME),
        name=_text(table.part("name")),
        items=items,
        subscales=subscales,
        response_scales=tuple(scale for scale, _ in scales),
        scoring=_option(table, "scoring", ScoringRule, default="mean"),
        scoring_verified=table.take("scoring_verified", bool, default=False),
        missing_rule=_missing_rule(table.part("missing")),
        total=table.take("total", bool, default=True),
        source=_source(table.part("source")),
        verified=table.take("verified", bool, default=False),
        notes=tuple(_note(part) for part in table.parts("notes", required=False)),
    )
    table.finish()
    _check_factor(instrument, table)
    return instrument


def _text(table: DefinitionTable) -> Text:
    text = Text(table.take("en", str), table.take("zh", str))
    table.finish()
    return text


def _subscale(table: DefinitionTable) -> Subscale:
    items = table.texts("items", default=())
    subscale = Subscale(table.name("id", _NAME), _text(table.part("name")), items)
    table.finish()
    twice = _twice(items)
    if twice:
        table.fail("items", f"Item {twice[0]!r} is listed twice.", remedy="List it once.")
    return subscale


def _response_scale(table: DefinitionTable) -> ResponseScale:
    codes = table.take("codes", list)
    whole = all(isinstance(code, int) and not isinstance(code, bool) for code in codes)
    if not whole or len(codes) < 2 or list(codes) != sorted(set(codes)):
        table.fail("codes", f"{codes!r} is not a response scale.", remedy="Give two or more whole numbers, ascending.")
    labels = tuple(_text(part) for part in table.parts("labels"))
    if len(labels) != len(codes):
        table.fail("labels", f"{len(codes)} codes have {len(labels)} labels.", remedy="Give one label per code.")
    return ResponseScale(
        id=table.name("id", _NAME),
        codes=tuple(codes),
        labels=labels,
        verified=table.take("verified", bool, default=False),
        labels_verified=table.take("labels_verified", bool, default=False),
    )


def _responses(
    table: DefinitionTable, *, ids: list[str], scales: Iterable[tuple[ResponseScale, DefinitionTable]]
) -> dict[str, str]:
    assigned: dict[str, str] = {}
    for scale, part in scales:
        for item in part.texts("items", default=tuple(ids)):
            if item not in ids:
                part.fail("items", f"Item {item!r} is unknown.", remedy=part.known(item, ids))
            if item in assigned:
                what = f"Item {item!r} already has the scale {assigned[item]!r}."
                part.fail("items", what, remedy="Give it one scale.")
            assigned[item] = scale.id
        part.finish()
    lost = [item for item in ids if item not in assigned]
    if lost:
        table.fail("response_scales", f"Item {lost[0]!r} has no response scale.", remedy="Add one that covers it.")
    return assigned


def _item(
    table: DefinitionTable, *, identity: str, subscales: tuple[Subscale, ...], reverse: tuple[str, ...], response: str
) -> Item:
    label = _text(table.part("label")) if table.has("label") else _neutral_label(identity, subscales)
    wording = _text(table.part("wording")) if table.has("wording") else None
    item = Item(identity, label, identity in reverse, response, wording, table.take("source_code", str, default=""))
    table.finish()
    return item


def _neutral_label(identity: str, subscales: tuple[Subscale, ...]) -> Text:
    for subscale in subscales:
        if identity in subscale.items:
            number = subscale.items.index(identity) + 1
            return Text(f"{subscale.name.en} {number}", f"{subscale.name.zh}{number}")
    return Text(identity, identity)


def _missing_rule(table: DefinitionTable) -> MissingRule:
    kind = _option(table, "rule", MissingKind, default="proportion")
    minimum = float(table.take("minimum", (int, float)))
    rule = MissingRule(kind, minimum, table.take("verified", bool, default=False))
    table.finish()
    possible = 0 < minimum <= 1 if kind == "proportion" else minimum >= 1 and minimum.is_integer()
    if not possible:
        needed = "a proportion above 0 and up to 1" if kind == "proportion" else "a whole number of 1 or more"
        table.fail("minimum", f"{minimum:g} is not possible for the rule {kind!r}.", remedy=f"Give {needed}.")
    return rule


def _source(table: DefinitionTable) -> Source:
    source = Source(
        citation=table.take("citation", str),
        doi=table.take("doi", str, default=""),
        doi_verified=table.take("doi_verified", bool, default=False),
        licence=table.take("licence", str),
        permission=table.take("permission", str),
        key_source=table.take("key_source", str),
    )
    table.finish()
    if source.doi and not source.doi.startswith("10."):
        table.fail("doi", f"{source.doi!r} is not a DOI.", remedy="Write it from '10.' on, without the address.")
    return source


def _note(table: DefinitionTable) -> Note:
    note = Note(table.take("text", str), table.take("verified", bool))
    table.finish()
    return note


def _option(table: DefinitionTable, key: str, alias: Any, *, default: str) -> Any:
    value = table.take(key, str, default=default)
    try:
        return check_option(value, alias, name=key)
    except OptionError as error:
        raise InstrumentError(error.what, where=table.place(key), remedy=error.remedy) from error


def _check_names(
    table: DefinitionTable,
    *,
    ids: list[str],
    subscales: tuple[Subscale, ...],
    scales: list[ResponseScale],
    reverse: tuple[str, ...],
) -> None:
    parts, scale_ids = [part.id for part in subscales], [scale.id for scale in scales]
    for key, names in (("items", ids), ("subscales", parts), ("response_scales", scale_ids), ("reverse", reverse)):
        twice = _twice(names)
        if twice:
            table.fail(key, f"{twice[0]!r} occurs twice.", remedy="Give every one its own id, once.")
    for item in ids:
        if not _NAME.fullmatch(item):
            table.fail("items", f"{item!r} cannot be an item id.", remedy="Use letters, digits and _, a letter first.")
    for key, members in (*((f"subscales.{part.id}.items", part.items) for part in subscales), ("reverse", reverse)):
        for item in members:
            if item not in ids:
                table.fail(key, f"Item {item!r} is unknown.", remedy=table.known(item, ids))
    twice = _twice([item for part in subscales for item in part.items])
    if twice:
        table.fail("subscales", f"Item {twice[0]!r} is in two subscales.", remedy="Leave it in one.")
    empty = [part.id for part in subscales if not part.items]
    if empty and len(empty) < len(subscales):
        key = f"subscales.{empty[0]}.items"
        table.fail(key, "The subscale has no items.", remedy="List them, or drop the subscale.")


def _check_factor(instrument: Instrument, table: DefinitionTable) -> None:
    subscales = [subscale.id for subscale in instrument.subscales]
    clash = [name for name in (instrument.factor, *subscales) if name in instrument.item_ids]
    if clash:
        table.fail("items", f"{clash[0]!r} is both an item and a factor.", remedy="Rename one of them.")
    if instrument.factor in subscales and len(subscales) > 1:
        table.fail("factor", f"{instrument.factor!r} is also a subscale.", remedy="Rename one of them.")


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
