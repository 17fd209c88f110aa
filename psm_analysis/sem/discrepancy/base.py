"""The protocol of a discrepancy function of one group, and the algebra that all of them share."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import Directions, Implied


class Discrepancy(Protocol):
    """A function of the implied moments of one group that is 0 where they equal those of the sample.

    ``curved`` tells whether `slopes` exist, by which second derivatives of the moments enter the Hessian.
    """

    @property
    def curved(self) -> bool:
        """Whether the Hessian has a part from second derivatives of the moments."""

    def value(self, implied: Implied) -> float:
        """Return the discrepancy, or ``inf`` where it is not defined."""

    def slopes(self, implied: Implied) -> tuple[Array, Array]:
        """Return ``G`` and ``g`` with ``dF = tr(G dSigma) + g' dmu``."""

    def gradient(self, implied: Implied, d: Directions) -> Array:
        """Return the gradient with respect to the parameters."""

    def information(self, implied: Implied, d: Directions) -> Array:
        """Return the expected information of one observation: half the expected Hessian of the discrepancy."""

    def bend(self, implied: Implied, d: Directions) -> Array:
        """Return the Hessian of the discrepancy less what the second derivatives of the moments contribute."""


def chain(d: Directions, G: Array, g: Array) -> Array:
    """Return the gradient with respect to the parameters: ``2 u'G v + g'm`` for each."""
    gradient: Array = 2.0 * np.einsum("ik,ik->k", d.U, G @ d.V) + d.M.T @ g
    return gradient


def bilinear(d: Directions, P: Array, Q: Array) -> Array:
    """Return ``tr(P dSigma_l Q dSigma_k)`` for symmetric P and Q and all pairs of parameters."""
    UPU, UPV, VPV = _forms(d, P)
    UQU, UQV, VQV = _forms(d, Q)
    crossed = UPV * UQV.T
    return np.asarray(crossed + crossed.T + VPV * UQU + UPU * VQV)


def normal_information(d: Directions, W: Array, *, means: bool) -> Array:
    """Return ``1/2 tr(W dSigma_k W dSigma_l) + dmu_k' W dmu_l`` for all pairs of parameters.

    With rank-two derivatives the trace is ``2 [(u_k'W u_l)(v_k'W v_l) + (u_k'W v_l)(v_k'W u_l)]``.
    """
    UWU, UWV, VWV = _forms(d, W)
    information: Array = UWU * VWV + UWV * UWV.T
    return information + d.M.T @ (W @ d.M) if means else information


def _forms(d: Directions, P: Array) -> tuple[Array, Array, Array]:
    """Return ``U'P U``, ``U'P V`` and ``V'P V`` for a symmetric P."""
    whole, q = d.UV.T @ (P @ d.UV), d.M.shape[-1]
    return whole[:q, :q], whole[:q, q:], whole[q:, q:]
