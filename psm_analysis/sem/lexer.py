"""Cuts a model text into tokens that know their line and character."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from psm_analysis._model_names import PLAIN_NAME
from psm_analysis.errors import ModelSyntaxError

OPERATORS = ("=~", "~*~", "~~", ":=", "==", "<~", "~", "|", "<", ">")

_PATTERN = re.compile(
    rf"""
    (?P<space>[^\S\n]+)
  | (?P<comment>[\#!][^\n]*)
  | (?P<end>[\n;])
  | (?P<string>"[^"\n]*"|'[^'\n]*')
  | (?P<quoted>`[^`\n]+`)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>{PLAIN_NAME})
  | (?P<operator>=~|~\*~|~~|:=|==|<~|~|\||<|>)
  | (?P<power>\*\*)
  | (?P<sign>[-+*/^(),:?])
    """,
    re.VERBOSE,
)
OTHER_NAMES = "A name with a blank, a hyphen or the like, or a digit at its front, stands in backquotes: `item 1`."
_TRAILING = {"+", "*", "-", "/", "^", ",", "(", "?", ":", *OPERATORS}
_LEADING = {"+", "*", "/", "^", ")", ",", "?"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the model text and its place (line and character count from 1)."""

    kind: str
    text: str
    line: int
    character: int
    quoted: bool = False


def syntax_error(what: str, token: Token, text: str, *, remedy: str = "") -> ModelSyntaxError:
    """Return an error that shows the line of the model text with a caret under the token."""
    line = text.split("\n")[token.line - 1]
    caret = " " * (token.character - 1) + "^"
    return ModelSyntaxError(
        what,
        where=f"line {token.line}, character {token.character} of the model",
        remedy=f"{remedy}\n    {line}\n    {caret}",
    )


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a model text, without spaces and comments.

    Raises
    ------
    ModelSyntaxError
        At a character that the language does not have.

    Examples
    --------
    >>> [token.text for token in tokenize("f =~ x1 + 0.5*x2  # a comment")]
    ['f', '=~', 'x1', '+', '0.5', '*', 'x2']
    """
    tokens = []
    position, line, start = 0, 1, 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            bad = Token("bad", text[position], line, position - start + 1)
            raise syntax_error(
                f"The character {bad.text!r} has no meaning here.", bad, text, remedy=_replacement(bad.text)
            )
        kind, piece = str(match.lastgroup), match.group()
        if kind not in ("space", "comment"):
            shown = piece[1:-1] if kind in ("string", "quoted") else "^" if kind == "power" else piece
            plain = {"quoted": "name", "power": "sign"}.get(kind, kind)
            tokens.append(Token(plain, shown, line, position - start + 1, quoted=kind == "quoted"))
        position = match.end()
        if piece == "\n":
            line, start = line + 1, position
    return tokens


def _replacement(character: str) -> str:
    """Say what to write in the place of a character that the language does not have."""
    plain = unicodedata.normalize("NFKC", character)
    if character == "=":
        return "Write '=~' (is measured by), '~' (is regressed on), '~~' (covaries with), '==' or ':=' (defines)."
    if plain != character and plain.isascii():
        return f"It is the full-width form of {plain!r}: type the half-width one."
    return f"Operators: {'  '.join(OPERATORS)}. {OTHER_NAMES}"


def statements(tokens: list[Token]) -> list[list[Token]]:
    """Group tokens into statements: one ends with its line unless an operator or a bracket is still open."""
    found: list[list[Token]] = [[]]
    depth = 0
    for position, token in enumerate(tokens):
        if token.kind != "end":
            found[-1].append(token)
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0
            continue
        following = next((other for other in tokens[position:] if other.kind != "end"), None)
        open_line = token.text == "\n" and found[-1] and _continues(found[-1][-1], following, depth)
        if not open_line and found[-1]:
            found.append([])
            depth = 0
    return [statement for statement in found if statement]


def _continues(last: Token, following: Token | None, depth: int) -> bool:
    if following is None:
        return False
    if last.kind in ("operator", "sign") and last.text in _TRAILING:
        return True
    return depth > 0 or (following.kind == "sign" and following.text in _LEADING)
