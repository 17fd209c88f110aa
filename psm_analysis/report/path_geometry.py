"""Shapes of a path diagram, in inches: nodes, quadratic curves, and where one meets the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Side = Literal["left", "right", "top", "bottom"]
Point = tuple[float, float]
STEPS = np.linspace(0.0, 1.0, 81)


@dataclass(frozen=True, slots=True)
class Node:
    """A drawn variable: an ellipse or a box around (x, y); a rotated one has its text turned by a quarter."""

    name: str
    text: str
    x: float
    y: float
    width: float
    height: float
    latent: bool
    side: Side = "right"
    rotated: bool = False

    def contains(self, points: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Say for points of shape (n, 2) whether they lie inside the shape widened by `margin`."""
        across = np.abs(points[:, 0] - self.x) / (self.width / 2 + margin)
        along = np.abs(points[:, 1] - self.y) / (self.height / 2 + margin)
        return across**2 + along**2 <= 1 if self.latent else np.maximum(across, along) <= 1


@dataclass(frozen=True, slots=True)
class Curve:
    """A quadratic Bézier curve; a straight line has its control point in the middle."""

    start: Point
    control: Point
    end: Point

    def points(self, at: np.ndarray = STEPS) -> np.ndarray:
        """Return the points of the curve at parameters between 0 and 1, of shape (n, 2)."""
        t = np.asarray(at, dtype=float)[:, None]
        start, control, end = (np.asarray(point) for point in (self.start, self.control, self.end))
        return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)

    def between(self, first: float, last: float) -> Curve:
        """Return the stretch of the curve between two parameters (de Casteljau)."""
        a, b, c = (np.asarray(point) for point in (self.start, self.control, self.end))

        def blossom(s: float, t: float) -> Point:
            point = (1 - s) * ((1 - t) * a + t * b) + s * ((1 - t) * b + t * c)
            return float(point[0]), float(point[1])

        return Curve(blossom(first, first), blossom(first, last), blossom(last, last))


def bent(start: Point, end: Point, bend: float) -> Curve:
    """Return the curve from `start` to `end` that bends to the left by `bend` times their distance.

    Examples
    --------
    >>> bent((0.0, 0.0), (2.0, 0.0), 0.5).points(np.array([0.5])).tolist()
    [[1.0, 1.0]]
    """
    (x0, y0), (x1, y1) = start, end
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    return Curve(start, (middle[0] - 2 * bend * (y1 - y0), middle[1] + 2 * bend * (x1 - x0)), end)


def through(start: Point, apex: Point, end: Point) -> Curve:
    """Return the curve from `start` to `end` that passes through `apex` half-way.

    Examples
    --------
    >>> through((0.0, 0.0), (1.0, 1.0), (2.0, 0.0)).control
    (1.0, 2.0)
    """
    control = tuple(2 * apex[axis] - (start[axis] + end[axis]) / 2 for axis in (0, 1))
    return Curve(start, (control[0], control[1]), end)


def clipped(curve: Curve, source: Node, *, target: Node) -> Curve:
    """Return the part of a curve outside the shapes of its two ends."""
    fine = np.linspace(0.0, 1.0, 401)
    points = curve.points(fine)
    inside_source, inside_target = source.contains(points), target.contains(points)
    first = fine[inside_source].max() if inside_source.any() else 0.0
    last = fine[inside_target].min() if inside_target.any() else 1.0
    return curve.between(float(first), float(last)) if first < last else curve


def overlaps(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> float:
    """Return the area that two boxes (x, y, width, height), given by their centres, have in common.

    Examples
    --------
    >>> overlaps((0, 0, 2, 2), (1, 0, 2, 2))
    2.0
    """
    sides = [
        min(first[axis] + first[axis + 2] / 2, second[axis] + second[axis + 2] / 2)
        - max(first[axis] - first[axis + 2] / 2, second[axis] - second[axis + 2] / 2)
        for axis in (0, 1)
    ]
    return float(max(sides[0], 0.0) * max(sides[1], 0.0))
