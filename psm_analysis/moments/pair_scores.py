"""Casewise scores of the pairs of step two, in one form for all kinds of pairs."""

from __future__ import annotations

from dataclasses import dataclass

from psm_analysis.moments.sample import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """Derivatives of the casewise log-likelihoods of one variable, the anchor, with c partners; each (N, c).

    Attributes
    ----------
    correlation
        Over the correlation.
    anchor, partner
        Over the two numbers that locate the residual of either variable (see `Margin`): lower and upper limit of an
        ordinal variable; mean and log variance, in units of its residual standard deviation, of a continuous one.
    """

    correlation: FloatArray
    anchor: tuple[FloatArray, FloatArray]
    partner: tuple[FloatArray, FloatArray]
