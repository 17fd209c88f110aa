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

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ItemResponse

Array = NDArray[np.float64]
CHUNK = 4096
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
    tables = [_log_probabilities(item, nodes) for item in items]
    places = np.column_stack([_categories(item, answers[:, j]) for j, item in enumerate(items)])
    distinct, member = _distinct(places, [len(table) for table in tables])
    mean, error = np.full(len(distinct), np.nan), np.full(len(distinct), np.nan)
    answered = (distinct < np.array([len(item.categories) for item in items])).any(axis=1)
    for first in range(0, len(distinct), CHUNK):
        rows = slice(first, first + CHUNK)
        joint = np.broadcast_to(np.log(weights / weights.sum()), (len(distinct[rows]), n_nodes)).copy()
        for j, table in enumerate(tables):
            joint += table[distinct[rows, j]]
        posterior = np.exp(joint - joint.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        mean[rows] = (posterior * nodes).sum(axis=1)
        error[rows] = np.sqrt((posterior * (nodes - mean[rows, None]) ** 2).sum(axis=1))
    mean[~answered] = error[~answered] = np.nan
    return mean[member], error[member]


def _log_probabilities(item: ItemResponse, nodes: Array) -> Array:
    """Return log P(category) at the nodes, (categories + 1, nodes); the last row is for no answer."""
    predictor = item.slope * nodes + np.array(item.intercepts)[:, None]
    above = _normal_cdf(predictor) if item.link == "probit" else 0.5 * (1.0 + np.tanh(0.5 * predictor))
    curves = np.vstack([np.ones(len(nodes)), above, np.zeros(len(nodes))])
    found: Array = np.log(np.maximum(curves[:-1] - curves[1:], TINY))
    return np.vstack([found, np.zeros(len(nodes))])


def _normal_cdf(x: Array) -> Array:
    return np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in x.ravel()]).reshape(x.shape)


def _categories(item: ItemResponse, answers: Array) -> NDArray[np.int64]:
    place = np.searchsorted(np.array(item.categories, dtype=float), answers, side="right") - 1
    return np.where(np.isnan(answers), len(item.categories), np.maximum(place, 0)).astype(np.int64)


def _distinct(places: NDArray[np.int64], sizes: list[int]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the distinct rows and which of them each row is."""
    if math.prod(sizes) >= 2**62:
        distinct, member = np.unique(places, axis=0, return_inverse=True)
        return distinct, member.ravel()
    number = np.zeros(len(places), dtype=np.int64)
    for j, size in enumerate(sizes):
        number = number * size + places[:, j]
    _, first, member = np.unique(number, return_index=True, return_inverse=True)
    return places[first], member.ravel()
