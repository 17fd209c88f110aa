"""Expected a posteriori scores from frozen item parameters, by patterns of answers.

References
----------
Bock, R. D., & Mislevy, R. J. (1982). Adaptive EAP estimation of ability in a microcomputer environment. Applied
Psychological Measurement, 6, 431-444.
Samejima, F. (1969). Estimation of latent ability using a response pattern of graded scores. Psychometrika Monograph 17.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from psm_analysis._equal_rows import equal_rows

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ItemResponse

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
CHUNK = 2048
BLOCK = 4096
"""Persons whose posterior is in memory at a time, and rows of a table of answers: few enough for the cache."""
TINY = 1e-300


def expected_a_posteriori(items: tuple[ItemResponse, ...], answers: Array, *, n_nodes: int) -> tuple[Array, Array]:
    """Return mean and standard deviation of a standard normal trait given the answers; NaN where there is none.

    Answers, shape (persons, items), are turned round; NaN is missing and says nothing. A code that nobody gave when
    the parameters were estimated counts as the nearest one below it that was given (or the lowest). Equal rows are
    computed once, every row by itself: the same bits whatever else is scored with it.

    Examples
    --------
    >>> from types import SimpleNamespace as Item
    >>> item = Item(link="logit", slope=1.0, intercepts=(0.0,), categories=(0, 1))
    >>> mean, error = expected_a_posteriori((item,), np.array([[1.0], [0.0], [np.nan]]), n_nodes=41)
    >>> mean.round(3).tolist(), error.round(3).tolist()
    ([0.413, -0.413, nan], [0.911, 0.911, nan])
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(n_nodes)
    curves = [_log_probabilities(item, nodes) for item in items]
    places = [_places(item, answers[:, j]) for j, item in enumerate(items)]
    first, kind = equal_rows(places)
    patterns = np.array([place[first] for place in places])
    mean, error = _posterior(patterns, curves, nodes=nodes, weights=weights / weights.sum())
    nothing = (patterns == np.array([[len(curve) - 1] for curve in curves])).all(axis=0)
    mean[nothing] = error[nothing] = np.nan
    return mean[kind], error[kind]


def _posterior(patterns: Integers, curves: list[Array], *, nodes: Array, weights: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of the trait given patterns, (items, patterns), some thousand at a time."""
    tables, prior = _tables(curves), np.log(weights)
    mean, error = np.empty((2, patterns.shape[1]))
    for start in range(0, patterns.shape[1], CHUNK):
        rows = slice(start, start + CHUNK)
        joint = np.broadcast_to(prior, (len(mean[rows]), len(nodes))).copy()
        for own, table in tables:
            joint += table[_numbers(patterns[own, rows], curves[own])]
        joint -= joint.max(axis=1, keepdims=True)
        posterior = np.exp(joint, out=joint)
        mass = posterior.sum(axis=1)
        mean[rows] = (posterior * nodes).sum(axis=1) / mass
        distance = nodes - mean[rows, None]
        distance *= distance
        distance *= posterior
        error[rows] = np.sqrt(distance.sum(axis=1) / mass)
    return mean, error


def _tables(curves: list[Array]) -> list[tuple[slice, Array]]:
    """Return log P of all patterns of a few neighbouring items at the nodes, for blocks of items that cover all."""
    blocks: list[tuple[slice, Array]] = []
    for j, curve in enumerate(curves):
        if blocks and len(blocks[-1][1]) * len(curve) <= BLOCK:
            own, table = blocks.pop()
            joined = (table[:, None, :] + curve).reshape(-1, curve.shape[1])
            blocks.append((slice(own.start, j + 1), joined))
        else:
            blocks.append((slice(j, j + 1), curve))
    return blocks


def _numbers(patterns: Integers, curves: list[Array]) -> Integers:
    """Return the rows of a table of `_tables` that patterns of its items have."""
    number = np.zeros(patterns.shape[1], dtype=np.int64)
    for place, curve in zip(patterns, curves, strict=True):
        number = number * len(curve) + place
    return number


def _log_probabilities(item: ItemResponse, nodes: Array) -> Array:
    """Return log P(category) at the nodes, (categories + 1, nodes); the last row is for no answer."""
    edges = np.vstack([np.full(len(nodes), np.inf), item.slope * nodes + np.array(item.intercepts)[:, None]])
    upper, lower = edges, np.vstack([edges[1:], -edges[:1]])
    turned = upper > -lower  # F(u) - F(l) = F(-l) - F(-u): differences of small numbers lose no digits
    upper, lower = np.where(turned, -lower, upper), np.where(turned, -upper, lower)
    F = _normal_cdf if item.link == "probit" else _logistic_cdf
    return np.vstack([np.log(np.maximum(F(upper) - F(lower), TINY)), np.zeros(len(nodes))])


def _logistic_cdf(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x > 0, 1.0, e) / (1.0 + e), dtype=float)


def _normal_cdf(x: Array) -> Array:
    return np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in x.ravel()]).reshape(x.shape)


def _places(item: ItemResponse, answers: Array) -> Integers:
    """Return the place of each answer among the categories, their number for no answer."""
    low, high = item.categories[0], item.categories[-1]
    codes = np.arange(low, high + 1)
    place = np.append(np.searchsorted(np.array(item.categories), codes, side="right") - 1, len(item.categories))
    return place[np.where(np.isnan(answers), len(codes), np.clip(answers, low, high) - low).astype(np.int64)]
