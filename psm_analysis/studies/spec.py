"""What a study is: its source, its tables and figures as functions, and what was printed beside what is recomputed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from textwrap import fill
from types import MappingProxyType
from typing import Any

import pandas as pd

from psm_analysis._options import Language, check_option, nearest
from psm_analysis.errors import StudyError
from psm_analysis.report.tables import Table

TableBuilder = Callable[[Language], Table]
FigureBuilder = Callable[[Language], Any]
Comparison = Callable[[], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Study:
    """The empirical tables of a paper, each as a function of the language.

    Attributes
    ----------
    id, title, citation, doi
        Identification; `doi` is empty where none is known for certain.
    source
        Where the figures were read.
    licence
        Under which terms.
    tables
        Table id -> function(lang) that returns a report Table, in the order of the paper.
    figures
        Figure id -> function(lang) that returns a matplotlib figure.
    comparisons
        Name -> function that returns ``quantity, printed, recomputed, difference, verdict``.
    why
        Why printed and recomputed figures may differ, and what cannot be recomputed, in English and Chinese.

    Examples
    --------
    >>> from psm_analysis.studies.registry import get_study
    >>> list(get_study("hom_kinicki_2001").comparisons)
    ['paths', 'p_values']
    """

    id: str
    title: str
    citation: str
    source: str
    licence: str
    tables: Mapping[str, TableBuilder]
    doi: str = ""
    figures: Mapping[str, FigureBuilder] = field(default_factory=dict)
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    why: Mapping[Language, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("tables", "figures", "comparisons", "why"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def table(self, table_id: str, *, lang: Language = "en") -> Table:
        """Return one table, numbered by its place in the study.

        Raises
        ------
        StudyError
            If the study has no such table.
        """
        build: TableBuilder = _pick(self.tables, table_id, what="table", study=self.id)
        return build(check_option(lang, Language, name="lang")).with_number(list(self.tables).index(table_id) + 1)

    def figure(self, figure_id: str, *, lang: Language = "en") -> Any:
        """Return one figure (matplotlib)."""
        return _pick(self.figures, figure_id, what="figure", study=self.id)(check_option(lang, Language, name="lang"))

    def comparison(self, name: str | None = None) -> pd.DataFrame:
        """Return printed | recomputed | difference | verdict: of one comparison, or of all with its name in `table`."""
        if name is not None:
            compare: Comparison = _pick(self.comparisons, name, what="comparison", study=self.id)
            return compare()
        if not self.comparisons:
            raise StudyError("The study has nothing printed to compare with.", where=f"study {self.id!r}")
        return pd.concat([build().assign(table=key) for key, build in self.comparisons.items()], ignore_index=True)

    def text(self, lang: Language = "en") -> str:
        """Return the whole study as text for a terminal: its source, its tables, why figures differ."""
        head = "\n".join(part for part in (self.title, self.citation, self.doi and f"doi:{self.doi}") if part)
        tables = [self.table(table_id, lang=lang) for table_id in self.tables]
        why = self.why.get(lang, "")
        end = "" if any(why in table.note for table in tables) else fill(why, width=100) if lang == "en" else why
        return "\n\n".join(part for part in (head, *(table.to_text() for table in tables), end) if part) + "\n"


def _pick(known: Mapping[str, Any], key: str, *, what: str, study: str) -> Any:
    if key in known:
        return known[key]
    remedy = f"{nearest(key, known)}It has: {_listed(known)}."
    raise StudyError(f"The study has no {what} {key!r}.", where=f"study {study!r}", remedy=remedy)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
