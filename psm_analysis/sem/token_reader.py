"""Reads a statement token by token: signs, errors that point at their place, arithmetic expressions."""

from __future__ import annotations

from psm_analysis.errors import ModelSyntaxError
from psm_analysis.sem.expression import CALLABLE, VARIADIC, Call, Expression, Name, Number, evaluate
from psm_analysis.sem.lexer import Token, syntax_error


class TokenReader:
    """Reads one statement, token by token."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.tokens, self.text, self.at = tokens, text, 0

    def error(self, what: str, token: Token | None = None, *, remedy: str = "") -> ModelSyntaxError:
        """Return an error at the token, or behind the statement's last token."""
        if token is None and self.at >= len(self.tokens):
            last = self.tokens[-1]
            token = Token("end", "", last.line, last.character + len(last.text))
        return syntax_error(what, token or self.tokens[self.at], self.text, remedy=remedy)

    def peek(self, ahead: int = 0) -> str:
        """Return the text of a coming sign or operator, or nothing."""
        at = self.at + ahead
        if at < len(self.tokens) and self.tokens[at].kind in ("sign", "operator"):
            return self.tokens[at].text
        return ""

    def take(self, kind: str, *, expected: str) -> Token:
        """Return the next token, which must be of this kind."""
        if self.at >= len(self.tokens) or self.tokens[self.at].kind != kind:
            raise self.error(f"Expected {expected}.")
        self.at += 1
        return self.tokens[self.at - 1]

    def skip(self, sign: str) -> None:
        """Pass over a sign that must stand here."""
        if self.peek() != sign:
            raise self.error(f"Expected {sign!r}.")
        self.at += 1

    def done(self) -> bool:
        """Tell whether the statement is read to its end."""
        return self.at >= len(self.tokens)

    def expression(self, strength: int) -> Expression:
        """Read an arithmetic expression by precedence climbing."""
        if self.peek() in ("-", "+"):
            negative = self.peek() == "-"
            self.at += 1
            operand = self.expression(3)
            node: Expression = Call("negate", (operand,)) if negative else operand
        else:
            node = self.operand()
        while (level := {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}.get(self.peek(), 0)) > strength:
            sign = self.peek()
            self.at += 1
            node = Call(sign, (node, self.expression(level - 1 if sign == "^" else level)))
        return node

    def numeric(self) -> float:
        """Read arithmetic on numbers, such as ``-.5``, ``1/2`` or ``(2 + sqrt(2))``, up to a ``*`` outside brackets."""
        first = self.at
        node = self.expression(2)
        while self.peek() == "/":
            self.at += 1
            node = Call("/", (node, self.expression(2)))
        if node.labels():
            raise self.error(
                "A modifier is a label, or arithmetic on numbers; this is arithmetic on labels.",
                self.tokens[first],
                remedy="Give the parameter a label of its own, and constrain it: 'a == b + c'.",
            )
        return float(evaluate(node, {}, size=0)[0])

    def is_numeric(self) -> bool:
        """Tell whether arithmetic on numbers begins here."""
        token, sign = self.tokens[self.at], self.peek()
        if sign == "-":
            following = self.tokens[self.at + 1 : self.at + 2]
            return bool(following) and (following[0].kind == "number" or following[0].text in {"(", *CALLABLE})
        return token.kind == "number" or sign == "(" or (token.text in CALLABLE and self.peek(1) == "(")

    def operand(self) -> Expression:
        """Read a number, a label, a function call or something in brackets."""
        if self.done():
            raise self.error("The expression ends too early.")
        token = self.tokens[self.at]
        self.at += 1
        if token.text == "(" and token.kind == "sign":
            inner = self.expression(0)
            self.skip(")")
            return inner
        if token.kind == "number":
            return Number(float(token.text))
        if token.kind != "name":
            raise self.error(f"{token.text!r} cannot stand in an expression.", token)
        if self.peek() != "(":
            return Name(token.text)
        if token.text not in CALLABLE:
            raise self.error(
                f"The function {token.text}() is not known.", token, remedy=f"Known: {', '.join(sorted(CALLABLE))}."
            )
        self.at += 1
        arguments = [self.expression(0)]
        while token.text in VARIADIC and self.peek() == ",":
            self.at += 1
            arguments.append(self.expression(0))
        self.skip(")")
        return Call(token.text, tuple(arguments))
