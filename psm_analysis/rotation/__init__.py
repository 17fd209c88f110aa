"""Rotation of loadings: criteria, gradient projection, promax, Procrustes, congruence."""

from __future__ import annotations

from psm_analysis.rotation.methods import ROTATIONS, is_oblique
from psm_analysis.rotation.procrustes import congruence, procrustes
from psm_analysis.rotation.result import RotationResult
from psm_analysis.rotation.rotate import random_orthogonal, rotate

__all__ = ["ROTATIONS", "RotationResult", "congruence", "is_oblique", "procrustes", "random_orthogonal", "rotate"]
