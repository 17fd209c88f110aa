"""The model language of lavaan (Rosseel, 2012): text in, frozen terms out, errors that point into the text.

Operators: ``=~`` (is measured by), ``~`` (is regressed on), ``~~`` (covaries with), ``~ 1`` (intercept), ``|``
(thresholds), ``~*~`` (scaling factors), ``:=`` (defines), ``==  <  >`` (constrain). Modifiers stand before a ``*``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

from psm_analysis._model_names import KEYWORDS, quoted
from psm_analysis.errors import ModelSyntaxError
from psm_analysis.sem.expression import Expression, Name
from psm_analysis.sem.lexer import OPERATORS, OTHER_NAMES, Token, statements, tokenize
from psm_analysis.sem.token_reader import TokenReader

CONSTRAINTS = frozenset((":=", "==", "<", ">"))
BLOCKS = frozenset(("group", "level", "block", "class"))
INTERCEPTS = ("`0", "`1")
"""An intercept of 0, and a free one, where names of variables stand, of which none has a backquote."""


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What stands before the ``*`` of a term; one value for all groups, or one per group (``nan`` is NA: free)."""

    fixed: tuple[float, ...] = ()
    start: tuple[float, ...] = ()
    label: tuple[str, ...] = ()
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    equal: tuple[str, ...] = ()
    efa: str = ""

    def merged(self, later: Modifiers) -> Modifiers:
        """Return these modifiers with those of a later mention of the same term on top."""
        given = {f.name: getattr(later, f.name) for f in fields(later) if getattr(later, f.name) not in ((), "")}
        return replace(self, **given)


@dataclass(frozen=True, slots=True)
class Term:
    """One parameter as written: ``lhs op rhs`` in a block, with its modifiers."""

    lhs: str
    op: str
    rhs: str
    modifiers: Modifiers
    block: int
    line: int

    @property
    def key(self) -> tuple[int, str, str, str]:
        """What makes the term unique."""
        return self.block, self.lhs, self.op, self.rhs


@dataclass(frozen=True, slots=True)
class Constraint:
    """``lhs := rhs``, ``lhs == rhs``, ``lhs < rhs`` or ``lhs > rhs`` on labels."""

    lhs: str
    op: str
    rhs: str
    left: Expression
    right: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A ``group:`` or ``level:`` block; block 0 is what stands before the first header."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class ParsedModel:
    """A model text after parsing."""

    terms: tuple[Term, ...]
    constraints: tuple[Constraint, ...]
    blocks: tuple[Block, ...]


def parse_model(text: str) -> ParsedModel:
    """Parse a model text; that of a text parsed before is remembered.

    Parameters
    ----------
    text
        The model in lavaan's language.

    Returns
    -------
    ParsedModel
        Terms in the order of the text (a term named twice keeps its first place and gathers all modifiers),
        constraints, and blocks.

    Raises
    ------
    ModelSyntaxError
        With the line, the character and a caret under the place.

    Examples
    --------
    >>> model = parse_model("f =~ x1 + a*x2; f ~~ 1*f; double := 2*a")
    >>> [(term.lhs, term.op, term.rhs) for term in model.terms]
    [('f', '=~', 'x1'), ('f', '=~', 'x2'), ('f', '~~', 'f')]
    >>> model.constraints[0].rhs
    '2*a'
    """
    if not isinstance(text, str) or not text.strip():
        raise ModelSyntaxError(
            "The model is empty." if isinstance(text, str) else f"The model is no text but a {type(text).__name__}.",
            where="argument 'model'",
            remedy="Give it as text, such as 'f =~ x1 + x2 + x3'.",
        )
    return _parsed(text)


@lru_cache(maxsize=64)
def _parsed(text: str) -> ParsedModel:
    terms: dict[tuple[int, str, str, str], Term] = {}
    constraints: list[Constraint] = []
    blocks = [Block("", "")]
    for tokens in statements(tokenize(text)):
        reader = _Reader(tokens, text)
        if tokens[0].text in BLOCKS and len(tokens) > 1 and tokens[1].text == ":":
            blocks.append(reader.block())
        elif (operator := reader.operator()).text in CONSTRAINTS:
            constraints.append(reader.constraint(operator))
        else:
            for term in reader.formula(operator, block=len(blocks) - 1):
                before = terms.get(term.key)
                terms[term.key] = replace(before, modifiers=before.modifiers.merged(term.modifiers)) if before else term
    if not terms:
        raise ModelSyntaxError(
            "The model has no relation.", where="argument 'model'", remedy="Write at least one of =~, ~ or ~~."
        )
    return ParsedModel(tuple(terms.values()), tuple(constraints), tuple(blocks))


def parse_constraints(text: str) -> tuple[Constraint, ...]:
    """Parse lines of constraints that stand alone, such as ``a == b; c == 0``.

    Examples
    --------
    >>> [(c.lhs, c.op, c.rhs) for c in parse_constraints("a == b; c == 2*d")]
    [('a', '==', 'b'), ('c', '==', '2*d')]
    """
    found = []
    for tokens in statements(tokenize(text)):
        reader = _Reader(tokens, text)
        if (operator := reader.operator()).text not in CONSTRAINTS:
            raise reader.error("This is not a constraint.", operator, remedy="Write labels and '=='.")
        found.append(reader.constraint(operator))
    if not found:
        raise ModelSyntaxError("There is no constraint.", remedy="Write lines such as 'a == b'.")
    return tuple(found)


class _Reader(TokenReader):
    """Reads one statement of a model."""

    def operator(self) -> Token:
        """Return the operator of the statement."""
        found = [token for token in self.tokens if token.kind == "operator"]
        if not found:
            raise self.error(
                "This statement has no operator.", self.tokens[0], remedy=f"Use one of {'  '.join(OPERATORS)}."
            )
        if len(found) > 1:
            raise self.error(
                f"A second operator {found[1].text!r} in one statement.",
                found[1],
                remedy="Begin a new line, or end the one before with ';'.",
            )
        if found[0].text == "<~":
            raise self.error(
                "Composites ('<~') are not available: versions of lavaan differ in what they mean.",
                found[0],
                remedy="Write '=~' for a factor, or make the composite a column of the data.",
            )
        return found[0]

    def block(self) -> Block:
        """Read a header such as ``level: within``."""
        kind = self.tokens[0].text
        self.at = 2
        if self.done() or len(self.tokens) > 3:
            at = self.tokens[min(2, len(self.tokens) - 1)]
            raise self.error(f"Expected one value after '{kind}:'.", at, remedy="Put several words in quotes.")
        return Block(kind, self.tokens[2].text)

    def formula(self, operator: Token, *, block: int) -> list[Term]:
        """Read ``lhs op rhs + rhs ...``."""
        lefts = self.sides(operator, left=True)
        self.skip(operator.text)
        rights = self.sides(operator, left=False)
        terms = []
        for lhs, before in lefts:
            for rhs, modifiers in rights:
                terms.append(_term(lhs, operator, rhs, before.merged(modifiers), block=block))
        return terms

    def sides(self, operator: Token, *, left: bool) -> list[tuple[str, Modifiers]]:
        """Read terms joined by ``+`` up to the operator or the end."""
        found = [self.term(operator, left=left)]
        while not self.done() and not (left and self.peek() == operator.text):
            if self.peek() != "+":
                raise self.error(
                    "Expected '+' between terms." if self.peek() != "-" else "A term cannot be subtracted.",
                    remedy=f"Join variables by '+', and put modifiers before '*'. {OTHER_NAMES}",
                )
            self.at += 1
            found.append(self.term(operator, left=left))
        return found

    def term(self, operator: Token, *, left: bool) -> tuple[str, Modifiers]:
        """Read ``modifier * modifier * variable``."""
        modifiers = Modifiers()
        while True:
            if self.done() or self.peek() in ("+", "*", operator.text):
                raise self.error(f"Expected a variable {'before' if left else 'after'} {operator.text!r}.")
            first = self.at
            factor = self.factor()
            if self.peek() in ("*", "?"):
                as_start = self.peek() == "?"
                self.at += 1
                found = self.modifier(factor, self.tokens[first], as_start=as_start)
                if modifiers.fixed and found.fixed:
                    found = self.product(modifiers, found, self.tokens[first])
                modifiers = modifiers.merged(found)
                continue
            return self.variable(factor, operator, self.tokens[first], left=left), modifiers

    def product(self, before: Modifiers, found: Modifiers, token: Token) -> Modifiers:
        """Return the product of two fixed values of one term, such as ``2*3*x``."""
        if len(before.fixed) > 1 or len(found.fixed) > 1:
            raise self.error("The term has two fixed values.", token, remedy="Keep one of them.")
        return replace(found, fixed=(before.fixed[0] * found.fixed[0],))

    def factor(self) -> tuple[str, tuple[object, ...]]:
        """Read a number, a name, a text, or a call such as ``start(0.5)`` or ``c(a, b)``."""
        if self.done():
            raise self.error("Expected a variable or a number.")
        if self.is_numeric():
            return "number", (self.numeric(),)
        token = self.tokens[self.at]
        if token.kind not in ("name", "string"):
            raise self.error("Expected a variable or a number.")
        self.at += 1
        if token.kind == "string":
            return "string", (token.text,)
        if self.peek() == "(":
            return "call", (token.text, *self.arguments())
        if token.text in KEYWORDS and not token.quoted:
            return "number", (float("nan"),)
        return "name", (token.text,)

    def arguments(self) -> list[object]:
        """Read the values between brackets; ``c(...)`` inside another call is flattened."""
        self.skip("(")
        values: list[object] = []
        while self.peek() != ")":
            kind, content = self.factor()
            if kind == "call" and content[0] != "c":
                raise self.error(f"The modifier {content[0]}() cannot stand inside another.")
            values.extend(content[1:] if kind == "call" else content)
            if self.peek() == ",":
                self.at += 1
            elif self.peek() != ")":
                raise self.error("Expected ',' or ')'.")
        self.skip(")")
        return values

    def modifier(self, factor: tuple[str, tuple[object, ...]], token: Token, *, as_start: bool) -> Modifiers:
        """Turn what stands before a ``*`` into modifiers."""
        kind, content = factor
        name = str(content[0]) if kind == "call" else ("start" if as_start else "c")
        values = content[1:] if kind == "call" else content
        if not values:
            raise self.error(f"The modifier {name}() is empty.", token)
        numbers = tuple(value for value in values if isinstance(value, float))
        texts = tuple(value for value in values if isinstance(value, str))
        if name in ("start", "lower", "upper", "fixed") and not texts:
            return replace(Modifiers(), **{name: numbers})  # type: ignore[arg-type]
        if name in ("label", "equal") and not numbers:
            return Modifiers(label=texts) if name == "label" else Modifiers(equal=texts)
        if name == "efa" and len(texts) == 1:
            return Modifiers(efa=texts[0])
        if name == "c" and not texts:
            return Modifiers(fixed=numbers)
        if name == "c" and not numbers:
            return Modifiers(label=texts)
        if name == "c":
            raise self.error(
                "c() mixes labels and numbers.",
                token,
                remedy="Use two modifiers, a label and a value for every group: c(a, b)*c(NA, 1)*x.",
            )
        if as_start:
            raise self.error("Before '?' stands a starting value, a number.", token, remedy="Write a label with '*'.")
        raise self.error(
            f"The modifier {name}() is not known or has a wrong value.",
            token,
            remedy="Known: a number, NA, a label, c(), start(), equal(), label(), lower(), upper(), efa().",
        )

    def variable(self, factor: tuple[str, tuple[object, ...]], operator: Token, token: Token, *, left: bool) -> str:
        """Return the name of the variable, ``a:b`` for an interaction, or one of INTERCEPTS."""
        kind, content = factor
        if kind == "number" and operator.text == "~" and not left and content[0] in (0.0, 1.0):
            return INTERCEPTS[content[0] == 1.0]
        if kind != "name":
            shown = token.text if kind != "call" else f"{token.text}(...)"
            raise self.error(
                f"{shown!r} is not a variable.",
                token,
                remedy=f"Modifiers need a '*' and a variable behind them. {OTHER_NAMES}",
            )
        if self.peek() == ":":
            self.at += 1
            return f"{content[0]}:{self.take('name', expected='a variable after the colon').text}"
        return str(content[0])

    def constraint(self, operator: Token) -> Constraint:
        """Read a definition or a constraint."""
        split = self.tokens.index(operator)
        sides = []
        for tokens in (self.tokens[:split], self.tokens[split + 1 :]):
            if not tokens:
                raise self.error(f"Nothing stands on one side of {operator.text!r}.", operator)
            part = _Reader(tokens, self.text)
            expression = part.expression(0)
            if not part.done():
                raise part.error("This does not belong to an expression.")
            sides.append((_source(tokens), expression))
        (source, left), (shown, right) = sides
        if operator.text == ":=":
            if not isinstance(left, Name):
                raise self.error("Left of ':=' stands the name of what is defined.", self.tokens[0])
            source = left.label
        return Constraint(source, operator.text, shown, left, right, operator.line)


def _source(tokens: list[Token]) -> str:
    return "".join(quoted(token.text) if token.quoted else token.text for token in tokens)


def _term(lhs: str, operator: Token, rhs: str, modifiers: Modifiers, *, block: int) -> Term:
    if rhs in INTERCEPTS:
        if rhs == INTERCEPTS[0] and not modifiers.fixed:
            modifiers = replace(modifiers, fixed=(0.0,))
        return Term(lhs, "~1", "", modifiers, block, operator.line)
    return Term(lhs, operator.text, rhs, modifiers, block, operator.line)
