"""One table of a TOML definition: typed access to its keys, and errors that name file, key and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from psm_analysis._options import nearest
from psm_analysis.errors import InstrumentError

_MISSING: Any = object()
_TYPE_NAMES = {str: "text", bool: "true or false", list: "a list", dict: "a table", (int, float): "a number"}


class DefinitionTable:
    """Hands out the keys of one table; `finish` refuses those that nobody asked for."""

    __slots__ = ("_asked", "_content", "_file", "_path")

    def __init__(self, content: Mapping[str, Any], file: str, *, path: str = "") -> None:
        self._content = content
        self._file = file
        self._path = path
        self._asked: set[str] = set()

    def place(self, key: str = "") -> str:
        """Return file and key as an error names them."""
        return f"{self._file}, key '{self._path}{key}'" if key else self._file

    def fail(self, key: str, what: str, *, remedy: str) -> NoReturn:
        """Raise an InstrumentError at `key`."""
        raise InstrumentError(what, where=self.place(key), remedy=remedy)

    def known(self, value: str, names: Iterable[str]) -> str:
        """Return the nearest name and all known ones."""
        names = list(names)
        return f"{nearest(value, names)}Known: {', '.join(names) or 'none'}."

    def has(self, key: str) -> bool:
        """Return whether `key` is there."""
        return key in self._content

    def take(self, key: str, kind: Any, *, default: Any = _MISSING) -> Any:
        """Return the value of `key`, checked to be of the type `kind`."""
        self._asked.add(key)
        value = self._content.get(key, default)
        if value is _MISSING:
            self.fail(key, "The key is missing.", remedy=f"Add it; its value is {_TYPE_NAMES[kind]}.")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(key, f"{value!r} is of the wrong type.", remedy=f"Write {_TYPE_NAMES[kind]}.")
        if kind is str and key in self._content and not value.strip():
            self.fail(key, "The text is empty.", remedy="Fill it in, or leave the key out if it may be left out.")
        return value

    def name(self, key: str, pattern: re.Pattern[str]) -> str:
        """Return the text of `key`, which must be usable as a variable name."""
        value: str = self.take(key, str)
        if not pattern.fullmatch(value):
            self.fail(key, f"{value!r} cannot be a name.", remedy="Use letters, digits and _, a letter first.")
        return value

    def texts(self, key: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self.take(key, list, default=list(default))
        if not all(isinstance(value, str) for value in values):
            self.fail(key, f"{values!r} holds something other than texts.", remedy="Quote every entry.")
        return tuple(values)

    def part(self, key: str) -> DefinitionTable:
        """Return the table under `key`."""
        return DefinitionTable(self.take(key, dict), self._file, path=f"{self._path}{key}.")

    def parts(self, key: str, *, required: bool = True) -> list[DefinitionTable]:
        """Return the list of tables under `key`."""
        values = self.take(key, list, default=_MISSING if required else [])
        if required and not values:
            self.fail(key, "The list is empty.", remedy="Add an entry.")
        return [self._entry(key, number, value) for number, value in enumerate(values, start=1)]

    def items(self, key: str) -> list[DefinitionTable]:
        """Return the entries under `key`: a bare text stands for a table with that id."""
        values = [{"id": value} if isinstance(value, str) else value for value in self.take(key, list, default=[])]
        return [self._entry(key, number, value) for number, value in enumerate(values, start=1)]

    def finish(self) -> None:
        """Refuse the keys that were not asked for."""
        unknown = [key for key in self._content if key not in self._asked]
        if unknown:
            self.fail(unknown[0], "The key is unknown.", remedy=self.known(unknown[0], sorted(self._asked)))

    def _entry(self, key: str, number: int, value: Any) -> DefinitionTable:
        if not isinstance(value, dict):
            self.fail(f"{key}[{number}]", f"{value!r} is of the wrong type.", remedy="Write a table.")
        label = value.get("id", number)
        return DefinitionTable(value, self._file, path=f"{self._path}{key}.{label}.")
