"""Expressions on labels: values and exact derivatives against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from psm_analysis.sem.expression import Dual, evaluate
from psm_analysis.sem.syntax import parse_model

POINT = np.array([0.7, 1.3, 0.4])
LABELS = ("a", "b", "c")

EXPRESSIONS = {
    "a + b - c": 0.7 + 1.3 - 0.4,
    "a*b*c": 0.7 * 1.3 * 0.4,
    "a/b/c": 0.7 / 1.3 / 0.4,
    "a - b - c": 0.7 - 1.3 - 0.4,
    "a - (b - c)": 0.7 - (1.3 - 0.4),
    "a + b*c": 0.7 + 1.3 * 0.4,
    "-a^2": -(0.7**2),
    "(-a)^2": 0.7**2,
    "2^-a": 2**-0.7,
    "a^b^c": 0.7 ** (1.3**0.4),
    "a*-b": -0.7 * 1.3,
    "exp(a)*log(b) + sqrt(c)": np.exp(0.7) * np.log(1.3) + np.sqrt(0.4),
    "sin(a) + cos(b) + tan(c)": np.sin(0.7) + np.cos(1.3) + np.tan(0.4),
    "abs(a - b)": 0.6,
    "tanh(a*b)/(1 + exp(-c))": np.tanh(0.91) / (1 + np.exp(-0.4)),
    "a*b/(a*b + c)": 0.91 / 1.31,
    "1.5e-1*a + 3": 3.105,
}


def value_of(text: str, point: np.ndarray) -> tuple[float, np.ndarray]:
    right = parse_model(f"f =~ x\nd := {text}").constraints[0].right
    names = {label: Dual(point[i], np.eye(3)[i]) for i, label in enumerate(LABELS)}
    value, gradient = evaluate(right, names, size=3)
    return float(value), gradient


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_value(text: str) -> None:
    assert value_of(text, POINT)[0] == pytest.approx(EXPRESSIONS[text], rel=1e-14)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_gradient_against_central_differences(text: str) -> None:
    h = 1e-6
    numeric = [
        (value_of(text, POINT + h * unit)[0] - value_of(text, POINT - h * unit)[0]) / (2 * h) for unit in np.eye(3)
    ]
    assert value_of(text, POINT)[1] == pytest.approx(numeric, rel=1e-7, abs=1e-8)


def test_a_constant_has_no_gradient() -> None:
    value, gradient = value_of("2*3 - 1", POINT)
    assert value == 5.0
    assert gradient.tolist() == [0.0, 0.0, 0.0]


def test_labels_are_collected() -> None:
    right = parse_model("f =~ x\nd := exp(a) + b*a/2").constraints[0].right
    assert right.labels() == frozenset("ab")


def test_a_leading_axis_of_replicates_is_allowed() -> None:
    right = parse_model("f =~ x\nd := a*b^2 + log(c)").constraints[0].right
    points = np.array([POINT, POINT + 0.1, POINT * 2])
    names = {label: Dual(points[:, i], np.broadcast_to(np.eye(3)[i], (3, 3))) for i, label in enumerate(LABELS)}
    values, gradients = evaluate(right, names, size=3)
    for k, point in enumerate(points):
        value, gradient = value_of("a*b^2 + log(c)", point)
        assert values[k] == pytest.approx(value, rel=1e-14)
        assert gradients[k] == pytest.approx(gradient, rel=1e-14)
