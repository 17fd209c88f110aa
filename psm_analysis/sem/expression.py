"""Arithmetic on parameter labels: what stands right of ``:=`` and on both sides of ``==``, ``<`` and ``>``.

Expressions are evaluated on plain floats or arrays (a leading replicate axis is allowed) and differentiated exactly by
forward mode: every name carries its value and its row of derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from psm_analysis.sem.arrays import Array


@dataclass(frozen=True, slots=True)
class Dual:
    """A value and its gradient; the gradient's last axis runs over the names."""

    value: Any
    gradient: Any


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number."""

    value: float

    def evaluate(self, names: Mapping[str, Dual]) -> Dual:
        """Return the number with a zero gradient."""
        return Dual(self.value, 0.0)

    def labels(self) -> frozenset[str]:
        """Return the labels that occur: none."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter label."""

    label: str

    def evaluate(self, names: Mapping[str, Dual]) -> Dual:
        """Return the value and gradient of the parameter with this label."""
        return names[self.label]

    def labels(self) -> frozenset[str]:
        """Return the label itself."""
        return frozenset((self.label,))


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator applied to expressions."""

    function: str
    arguments: tuple[Expression, ...]

    def evaluate(self, names: Mapping[str, Dual]) -> Dual:
        """Apply the function to the evaluated arguments."""
        return FUNCTIONS[self.function](*(argument.evaluate(names) for argument in self.arguments))

    def labels(self) -> frozenset[str]:
        """Return all labels that occur in the arguments."""
        return frozenset().union(*(argument.labels() for argument in self.arguments))


Expression = Number | Name | Call


def _scale(factor: Any, gradient: Any) -> Any:
    return gradient if isinstance(gradient, float) and gradient == 0.0 else np.asarray(factor)[..., None] * gradient


def _add(a: Dual, b: Dual) -> Dual:
    return Dual(a.value + b.value, a.gradient + b.gradient)


def _subtract(a: Dual, b: Dual) -> Dual:
    return Dual(a.value - b.value, a.gradient - b.gradient)


def _multiply(a: Dual, b: Dual) -> Dual:
    return Dual(a.value * b.value, _scale(b.value, a.gradient) + _scale(a.value, b.gradient))


def _divide(a: Dual, b: Dual) -> Dual:
    inverse = np.divide(1.0, b.value)
    value = a.value * inverse
    return Dual(value, _scale(inverse, a.gradient) - _scale(value * inverse, b.gradient))


def _power(a: Dual, b: Dual) -> Dual:
    value = np.power(np.asarray(a.value, float), b.value)
    base = _scale(b.value * np.power(np.asarray(a.value, float), np.subtract(b.value, 1.0)), a.gradient)
    if isinstance(b.gradient, float) and b.gradient == 0.0:
        return Dual(value, base)
    return Dual(value, base + _scale(value * np.log(a.value), b.gradient))


def _negate(a: Dual) -> Dual:
    return Dual(-a.value, -a.gradient)


def _unary(function: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> Callable[[Dual], Dual]:
    return lambda a: Dual(function(a.value), _scale(derivative(a.value), a.gradient))


def _chosen(*duals: Dual, better: Callable[[Any, Any], Any]) -> Dual:
    """Return the largest or smallest of some values; of equal ones the first."""
    best = duals[0]
    for other in duals[1:]:
        swap = np.asarray(better(other.value, best.value))
        best = Dual(np.where(swap, other.value, best.value), np.where(swap[..., None], other.gradient, best.gradient))
    return best


FUNCTIONS: dict[str, Callable[..., Dual]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "^": _power,
    "negate": _negate,
    "exp": _unary(np.exp, np.exp),
    "log": _unary(np.log, lambda x: np.divide(1.0, x)),
    "sqrt": _unary(np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "abs": _unary(np.abs, np.sign),
    "sin": _unary(np.sin, np.cos),
    "cos": _unary(np.cos, lambda x: -np.sin(x)),
    "tan": _unary(np.tan, lambda x: 1.0 / np.cos(x) ** 2),
    "tanh": _unary(np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "log10": _unary(np.log10, lambda x: np.divide(1.0, x * np.log(10.0))),
    "max": partial(_chosen, better=np.greater),
    "min": partial(_chosen, better=np.less),
}
CALLABLE = frozenset(name for name in FUNCTIONS if name.isidentifier() and name != "negate")
VARIADIC = frozenset(("max", "min"))


def evaluate(expression: Expression, values: Mapping[str, Dual], *, size: int) -> tuple[Array, Array]:
    """Return value and gradient of an expression.

    Parameters
    ----------
    expression
        The parsed expression.
    values
        Value and gradient of every label.
    size
        Length of the gradient.

    Returns
    -------
    tuple
        The value and its gradient, the latter of shape ``(..., size)``.

    Examples
    --------
    >>> a, b = Dual(2.0, np.array([1.0, 0.0])), Dual(3.0, np.array([0.0, 1.0]))
    >>> value, gradient = evaluate(Call("*", (Name("a"), Name("b"))), {"a": a, "b": b}, size=2)
    >>> float(value), gradient.tolist()
    (6.0, [3.0, 2.0])
    """
    with np.errstate(all="ignore"):
        result = expression.evaluate(values)
    value = np.asarray(result.value, float)
    return value, np.broadcast_to(np.asarray(result.gradient, float), (*value.shape, size))
