"""The estimation problem as a function of the free parameters: value, gradient, information; and its constraints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from psm_analysis._options import nearest
from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.discrepancy.base import Discrepancy
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.expression import Dual, evaluate
from psm_analysis.sem.hessian import curvature
from psm_analysis.sem.implied import Directions, Implied, derive, directions, imply
from psm_analysis.sem.matrices import Layout, restrict
from psm_analysis.sem.partable import Parameter, ParameterTable
from psm_analysis.sem.syntax import Constraint


@dataclass(frozen=True, slots=True)
class Problem:
    """What is minimised over the free parameters ``x``.

    Attributes
    ----------
    layouts, discrepancies, weights
        One of each per group; the weights are shares of the sample.
    base
        Values of all parameters of the table, 0 where free.
    position
        For each parameter of the table its place in ``x``, or -1 if fixed.
    n_free
        The number of elements of ``x``.
    free, places
        Which parameters of the table are free, and the place of each of these in ``x``.
    free_layouts, positions
        The layouts of the free parameters only, for derivatives, and the places of these in ``x``.
    last
        What was found out at the point last looked at: value, gradient and Hessian are asked for one after another.
    """

    layouts: tuple[Layout, ...]
    discrepancies: tuple[Discrepancy, ...]
    weights: tuple[float, ...]
    base: Array
    position: Index
    n_free: int = field(init=False)
    free: Index = field(init=False)
    places: Index = field(init=False)
    free_layouts: tuple[Layout, ...] = field(init=False)
    positions: tuple[Index, ...] = field(init=False)
    last: dict[bytes, dict[str, Any]] = field(init=False, default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        free = np.flatnonzero(self.position >= 0)
        layouts = tuple(restrict(layout, self.position[layout.rows] >= 0) for layout in self.layouts)
        object.__setattr__(self, "n_free", int(self.position.max(initial=-1)) + 1)
        object.__setattr__(self, "free", free)
        object.__setattr__(self, "places", self.position[free])
        object.__setattr__(self, "free_layouts", layouts)
        object.__setattr__(self, "positions", tuple(self.position[layout.rows] for layout in layouts))

    def expand(self, x: Array) -> Array:
        """Return the values of all parameters at ``x`` of shape ``(..., n_free)``."""
        values = np.empty((*x.shape[:-1], len(self.base)), dtype=np.result_type(self.base, x))
        values[...] = self.base
        values[..., self.free] = x[..., self.places]
        for layout in self.layouts:
            if layout.derived.size:
                derive(layout, values)
        return values

    def implied(self, x: Array) -> list[Implied]:
        """Return the implied moments of every group."""
        found: list[Implied] = self._at(x)["implied"]
        return found

    def _at(self, x: Array) -> dict[str, Any]:
        key = x.tobytes()
        if key not in self.last:
            values = self.expand(x)
            self.last.clear()
            self.last[key] = {"implied": [imply(layout, values) for layout in self.layouts]}
        return self.last[key]

    def value(self, x: Array) -> float:
        """Return the discrepancy, ``inf`` where it is undefined."""
        known = self._at(x)
        if "value" not in known:
            parts = zip(self.weights, self.discrepancies, known["implied"], strict=True)
            total = float(sum(weight * discrepancy.value(implied) for weight, discrepancy, implied in parts))
            known["value"] = total if math.isfinite(total) else math.inf
        found: float = known["value"]
        return found

    def derivatives(self, x: Array, *, information: bool = True) -> tuple[Array, Array]:
        """Return the gradient and (if asked) the expected information of one observation at ``x``."""
        known = self._at(x)
        if "gradient" not in known:
            known["gradient"] = self._gradient(x)
        if information and "information" not in known:
            known["information"] = self._information(x)
        return known["gradient"].copy(), known["information"].copy() if information else np.zeros((0, 0))

    def _gradient(self, x: Array) -> Array:
        total = np.zeros(self.n_free)
        for layout, discrepancy, weight, implied, place in self._groups(x):
            gradient = discrepancy.gradient(implied, _directions(layout, implied))
            total += np.bincount(place, weight * gradient, self.n_free)
        return total

    def _information(self, x: Array) -> Array:
        total = np.zeros((self.n_free, self.n_free))
        for layout, discrepancy, weight, implied, place in self._groups(x):
            total += self._gathered(weight * discrepancy.information(implied, _directions(layout, implied)), place)
        return total

    def _groups(self, x: Array) -> Iterator[tuple[Layout, Discrepancy, float, Implied, Index]]:
        parts = (self.free_layouts, self.discrepancies, self.weights, self.implied(x), self.positions)
        return zip(*parts, strict=True)

    def _gathered(self, block: Array, place: Index) -> Array:
        """Return the matrix of the free parameters to which a block of one group adds up."""
        n = self.n_free
        return np.bincount((place[:, None] * n + place).ravel(), block.ravel(), n * n).reshape(n, n)

    def hessian(self, x: Array) -> Array:
        """Return the Hessian of the discrepancy at ``x``; half of it is the observed information of one observation.

        For ordinal variables it is that of Gauss and Newton, without second derivatives of the moments.
        """
        total = self.curvature(x)
        for layout, discrepancy, weight, implied, place in self._groups(x):
            total += self._gathered(weight * discrepancy.bend(implied, _directions(layout, implied)), place)
        return total

    def curvature(self, x: Array) -> Array:
        """Return what the second derivatives of the moments of continuous variables contribute to the Hessian."""
        total = np.zeros((self.n_free, self.n_free))
        for layout, discrepancy, weight, implied, place in self._groups(x):
            if discrepancy.curved:
                G, g = discrepancy.slopes(implied)
                block = curvature(layout, implied, _directions(layout, implied), G=G, g=g)
                total += self._gathered(weight * block, place)
        return total

    def moment_jacobians(self, x: Array) -> list[Array]:
        """Return of each group the derivatives of its moments by the free parameters, for least squares."""
        found = []
        for layout, discrepancy, _, implied, place in self._groups(x):
            assert isinstance(discrepancy, LeastSquares)
            jacobian = discrepancy.moments.jacobian(implied, _directions(layout, implied))
            slopes = np.zeros((self.n_free, len(jacobian)))
            np.add.at(slopes, place, jacobian.T)
            found.append(np.ascontiguousarray(slopes.T))
        return found


def _directions(layout: Layout, implied: Implied) -> Directions:
    """Return the derivatives by the free parameters, worked out once for gradient, information and Hessian."""
    if "directions" not in implied.memo:
        implied.memo["directions"] = directions(layout, implied)
    found: Directions = implied.memo["directions"]
    return found


def expand_complex(problem: Problem, points: Any) -> Any:
    """Return the values of all parameters at complex ``points``, for derivatives by complex steps."""
    return replace(problem, base=problem.base.astype(complex)).expand(points)


def positions(parameters: Sequence[Parameter]) -> Index:
    """Return the place of each parameter among the free ones; those that share a name share the place."""
    places: dict[str, int] = {}
    return np.array([places.setdefault(p.shared, len(places)) if p.free else -1 for p in parameters], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class ConstraintSystem:
    """Definitions and constraints as differentiable functions of the free parameters.

    ``labels`` maps each label to a parameter of the table.
    """

    labels: Mapping[str, int]
    definitions: tuple[Constraint, ...]
    equalities: tuple[Constraint, ...]
    inequalities: tuple[Constraint, ...]

    def defined(self, problem: Problem, x: Array) -> tuple[Array, Array]:
        """Return values of the definitions and their Jacobian, shapes ``(..., d)`` and ``(..., d, n_free)``."""
        if not self.definitions:
            return _stack([], x)
        names = self._names(problem, x)
        found = [names[definition.lhs] for definition in self.definitions]
        return _stack([(dual.value, dual.gradient) for dual in found], x)

    def equal(self, problem: Problem, x: Array) -> tuple[Array, Array]:
        """Return ``left - right`` of the equality constraints, and the Jacobian."""
        return self._differences(problem, x, self.equalities)

    def unequal(self, problem: Problem, x: Array) -> tuple[Array, Array]:
        """Return what must not be negative for the inequality constraints, and the Jacobian."""
        values, jacobian = self._differences(problem, x, self.inequalities)
        sign = np.array([1.0 if c.op == ">" else -1.0 for c in self.inequalities])
        return values * sign, jacobian * sign[:, None]

    def _differences(self, problem: Problem, x: Array, chosen: Sequence[Constraint]) -> tuple[Array, Array]:
        if not chosen:
            return _stack([], x)
        names = self._names(problem, x)
        found = []
        for constraint in chosen:
            left, left_slope = evaluate(constraint.left, names, size=problem.n_free)
            right, right_slope = evaluate(constraint.right, names, size=problem.n_free)
            found.append((left - right, left_slope - right_slope))
        return _stack(found, x)

    def _names(self, problem: Problem, x: Array) -> dict[str, Dual]:
        values = problem.expand(x)
        unit = np.eye(problem.n_free)
        names = {}
        for label, row in self.labels.items():
            place = problem.position[row]
            slope = unit[place] if place >= 0 else np.zeros(problem.n_free)
            names[label] = Dual(values[..., row], np.broadcast_to(slope, x.shape))
        for definition in self.definitions:
            names[definition.lhs] = Dual(*evaluate(definition.right, names, size=problem.n_free))
        return names


def _stack(found: list[tuple[Array, Array]], x: Array) -> tuple[Array, Array]:
    if not found:
        return np.zeros((*x.shape[:-1], 0)), np.zeros((*x.shape[:-1], 0, x.shape[-1]))
    return np.stack([value for value, _ in found], axis=-1), np.stack([slope for _, slope in found], axis=-2)


def constraint_system(table: ParameterTable) -> ConstraintSystem:
    """Collect labels and constraints of a table.

    Raises
    ------
    ModelError
        If a constraint uses a label that the model does not have, or defines one twice.
    """
    labels: dict[str, int] = {}
    asked = frozenset().union(*(c.left.labels() | c.right.labels() for c in table.constraints))
    for i, parameter in enumerate(table.parameters):
        if parameter.label:
            labels.setdefault(parameter.label, i)
        if (place := f".p{i + 1}.") in asked:
            labels[place] = i
    known = set(labels)
    for constraint in table.constraints:
        needed = constraint.right.labels() | (constraint.left.labels() if constraint.op != ":=" else frozenset())
        for label in sorted(needed - known):
            raise ModelError(
                f"The label {label!r} is not in the model.",
                where=f"line {constraint.line} of the model: {constraint.lhs} {constraint.op} {constraint.rhs}",
                remedy=f"{nearest(label, known)}Give a parameter this label with '{label}*', above this line.",
            )
        if constraint.op == ":=":
            if constraint.lhs in known:
                raise ModelError(f"{constraint.lhs!r} is defined twice.", where=f"line {constraint.line} of the model")
            known.add(constraint.lhs)
    by_op = {op: tuple(c for c in table.constraints if c.op == op) for op in (":=", "==", "<", ">")}
    inequalities = tuple(c for c in table.constraints if c.op in "<>")
    return ConstraintSystem(labels, by_op[":="], by_op["=="], inequalities)
