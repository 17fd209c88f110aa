"""The frozen description of a questionnaire: texts, response scales, items, subscales, instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from psm_analysis._options import Language, MissingKind, ModelKind, ScoringRule, check_option, nearest
from psm_analysis.errors import InstrumentError
from psm_analysis.instruments.card import card_html, card_text
from psm_analysis.instruments.model_text import write_model

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in English and Chinese."""

    en: str
    zh: str

    def get(self, lang: Language = "en") -> str:
        """Return the text in `lang`, "en" or "zh".

        Examples
        --------
        >>> Text("Compassion", "同情心").get("zh")
        '同情心'
        """
        return self.zh if check_option(lang, Language, name="lang") == "zh" else self.en


@dataclass(frozen=True, slots=True)
class ResponseScale:
    """The codes an item can be answered with, and their labels.

    Attributes
    ----------
    verified
        Whether the codes were read in a source.
    labels_verified
        Whether the labels were read in a source; else they are ours.
    """

    id: str
    codes: tuple[int, ...]
    labels: tuple[Text, ...]
    verified: bool = False
    labels_verified: bool = False

    @property
    def minimum(self) -> int:
        """The lowest code."""
        return self.codes[0]

    @property
    def maximum(self) -> int:
        """The highest code."""
        return self.codes[-1]

    def code_labels(self, lang: Language = "en") -> dict[int, str]:
        """Return code -> label.

        Examples
        --------
        >>> ResponseScale("yes_no", (0, 1), (Text("no", "否"), Text("yes", "是"))).code_labels("zh")
        {0: '否', 1: '是'}
        """
        return {code: label.get(lang) for code, label in zip(self.codes, self.labels, strict=True)}

    def with_range(self, minimum: int, maximum: int) -> ResponseScale:
        """Return a scale of the codes `minimum` to `maximum` that keeps the labels of the two ends."""
        if minimum >= maximum:
            raise InstrumentError(
                f"A response scale from {minimum} to {maximum} has no two codes.",
                where=f"response scale '{self.id}'",
                remedy="Give a minimum below the maximum.",
            )
        codes = tuple(range(minimum, maximum + 1))
        if codes == self.codes:
            return self
        middle = tuple(Text(str(code), str(code)) for code in codes[1:-1])
        return replace(self, codes=codes, labels=(self.labels[0], *middle, self.labels[-1]), verified=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One question: `label` is short and neutral and never the wording; `wording` is there only where it is ours."""

    id: str
    label: Text
    reverse: bool
    response: str
    wording: Text | None = None
    source_code: str = ""


@dataclass(frozen=True, slots=True)
class Subscale:
    """A dimension and its items, in order; no items in an instrument of which only the structure is known."""

    id: str
    name: Text
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingRule:
    """How much of a scale must be answered for a score: a proportion of its items, or a count."""

    kind: MissingKind
    minimum: float
    verified: bool = False

    def required(self, n_items: int) -> int:
        """Return how many of `n_items` must be answered.

        Examples
        --------
        >>> MissingRule("proportion", 0.5).required(7)
        4
        """
        if self.kind == "count":
            return min(int(self.minimum), n_items)
        return max(1, -int(-self.minimum * n_items // 1))


@dataclass(frozen=True, slots=True)
class Source:
    """Where an instrument comes from, who owns it, and where its key was read."""

    citation: str
    doi: str
    doi_verified: bool
    licence: str
    permission: str
    key_source: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on an instrument; `verified` says whether it was read in a source."""

    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Instrument:
    """One version of one questionnaire.

    Attributes
    ----------
    id, version, construct, name
        What it is called and what it measures.
    factor
        Name of the total score and of the general factor in model texts.
    items, subscales, response_scales
        In the order of the definition.
    scoring, scoring_verified, missing_rule, total
        Scores are means or sums of the answered items; `total` says whether all items make one score.
    source
        Citation, DOI, licence, permission, where the key was read.
    verified
        Whether assignment of items to subscales and reverse key were read in a source.
    notes
        Conflicts between sources and other remarks.
    """

    id: str
    version: str
    construct: str
    factor: str
    name: Text
    items: tuple[Item, ...]
    subscales: tuple[Subscale, ...]
    response_scales: tuple[ResponseScale, ...]
    scoring: ScoringRule
    scoring_verified: bool
    missing_rule: MissingRule
    total: bool
    source: Source
    verified: bool
    notes: tuple[Note, ...] = ()

    @property
    def citation(self) -> str:
        """The work to cite."""
        return self.source.citation

    @property
    def doi(self) -> str:
        """Its DOI, empty if unknown."""
        return self.source.doi

    @property
    def licence(self) -> str:
        """Who owns it and under which terms."""
        return self.source.licence

    @property
    def permission(self) -> str:
        """What is known about permission to use it."""
        return self.source.permission

    @property
    def key_source(self) -> str:
        """Where the key was read."""
        return self.source.key_source

    @property
    def minimum_answered(self) -> float:
        """The proportion or count of items that must be answered for a score."""
        return self.missing_rule.minimum

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of the items, in order."""
        return tuple(item.id for item in self.items)

    @property
    def reverse_items(self) -> tuple[str, ...]:
        """The ids of the reverse-coded items."""
        return tuple(item.id for item in self.items if item.reverse)

    @property
    def structure_only(self) -> bool:
        """Whether only the dimensions are known, so that a study must map its own items to them."""
        return not any(subscale.items for subscale in self.subscales)

    def item(self, item_id: str) -> Item:
        """Return the item called `item_id`."""
        return self._find(item_id, {item.id: item for item in self.items}, kind="item")

    def subscale(self, subscale_id: str) -> Subscale:
        """Return the subscale called `subscale_id`."""
        return self._find(subscale_id, {subscale.id: subscale for subscale in self.subscales}, kind="subscale")

    def response_of(self, item_id: str) -> ResponseScale:
        """Return the response scale of an item."""
        scale = self.item(item_id).response
        return self._find(scale, {known.id: known for known in self.response_scales}, kind="response scale")

    def with_response(self, minimum: int, maximum: int, *, scale: str | None = None) -> Instrument:
        """Return the instrument as it was given in a study, with the codes `minimum` to `maximum`.

        Parameters
        ----------
        minimum, maximum
            Lowest and highest code; the codes between are the whole numbers.
        scale
            Id of the response scale to change; None changes all of them.

        Raises
        ------
        InstrumentError
            If `minimum` is not below `maximum`, or `scale` is unknown.

        Examples
        --------
        >>> from psm_analysis.instruments.registry import get_instrument
        >>> get_instrument("wleis16").with_response(1, 5).response_of("wleis1").codes
        (1, 2, 3, 4, 5)
        """
        if scale is not None:
            self._find(scale, {known.id: known for known in self.response_scales}, kind="response scale")
        scales = tuple(
            known.with_range(minimum, maximum) if scale in (None, known.id) else known for known in self.response_scales
        )
        return replace(self, response_scales=scales)

    def model(self, kind: ModelKind = "correlated", items: Mapping[str, str] | None = None) -> str:
        """Return the measurement model as lavaan text.

        Parameters
        ----------
        kind
            "one-factor", "correlated", "second-order" or "bifactor".
        items
            Own column -> item id, or own column -> subscale id; only the mapped columns are used. Needed when only the
            structure of the instrument is known.

        Raises
        ------
        InstrumentError
            If the instrument cannot give that model, or `items` does not fit it.

        Examples
        --------
        >>> from psm_analysis.instruments.registry import get_instrument
        >>> print(get_instrument("turnover3").model("one-factor"))
        turnover =~ turnover1 + turnover2 + turnover3
        >>> own = {"q1": "perceive", "q2": "perceive", "q3": "use", "q4": "use",
        ...        "q5": "understand", "q6": "understand", "q7": "regulate", "q8": "regulate"}
        >>> print(get_instrument("ei_structure").model(items=own))
        perceive =~ q1 + q2
        understand =~ q5 + q6
        use =~ q3 + q4
        regulate =~ q7 + q8
        """
        dimensions = {subscale.id: subscale.items for subscale in self.subscales}
        return write_model(dimensions, self.factor, kind=kind, items=items, where=f"instrument '{self.id}'")

    def summary(self, lang: Language = "en") -> str:
        """Return the instrument as a card: items, key, scale, scoring, citation, licence, notes.

        Examples
        --------
        >>> from psm_analysis.instruments.registry import get_instrument
        >>> print("\\n".join(get_instrument("org_support").summary().splitlines()[:5]))
        Organisational support and tolerance of error (org_support, 1)
          Items: 4
          Organisational support and tolerance of error: support1 support2 support3 support4
          Response scale: 1 Strongly disagree | 2 Disagree | 3 Neither agree nor disagree | 4 Agree | 5 Strongly agree
          Reversed items: support4
        """
        return card_text(self, lang=check_option(lang, Language, name="lang"))

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return card_html(self, lang="en")

    def _find(self, key: str, known: Mapping[str, T], *, kind: str) -> T:
        if key not in known:
            raise InstrumentError(
                f"There is no {kind} {key!r}.",
                where=f"instrument '{self.id}'",
                remedy=f"{nearest(key, known)}Known: {', '.join(known) or 'none'}.",
            )
        return known[key]
