"""Every check of drift held against its threshold: one row per check and subject."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis.scoring.model import Measurement
from psm_analysis.workflows.drift_distribution import share_p_value
from psm_analysis.workflows.drift_shift import AGAINST, ALPHA, SHIFT_LIMIT
from psm_analysis.workflows.drift_structure import Structure

COLUMNS = ["check", "subject", "reference", "value", "threshold", "p_value", "judged", "breach"]
LIMITS = {
    "shift": SHIFT_LIMIT,
    "functioning": 0.2,
    "discrimination": 0.3,
    "against": -AGAINST,
    "missing": 0.05,
    "distribution": 0.25,
    "jensen_shannon": 0.25 / (8 * log(2)),
    "mean": 0.5,
    "reliability": 0.05,
    "invariance": -0.010,
    "empty": 0.05,
    "careless": 0.12,
}
FIT = {"rmsea": (0.08, 0.015), "cfi": (0.90, -0.010), "srmr": (0.08, 0.030)}
ITEM_CHECKS = (
    "shift", "functioning", "discrimination", "against", "missing", "distribution", "jensen_shannon", "mean",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A value against its threshold; `judged` is False if it could not be computed."""

    check: str
    subject: str
    reference: float
    value: float
    threshold: float
    p_value: float
    judged: bool
    breach: bool


def check_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return the findings as a frame."""
    rows = [tuple(getattr(finding, name) for name in COLUMNS) for finding in findings]
    return pd.DataFrame(rows, columns=COLUMNS)


def item_findings(items: pd.DataFrame) -> list[Finding]:
    """Return the checks of every item."""
    m = len(items)
    found = []
    rows: list[dict[Any, Any]] = items.to_dict("records")
    for row in rows:
        n = max(int(row["nobs"]), 1)
        limit = min(LIMITS["against"], -2 / sqrt(n))
        found += [
            _beyond("shift", row, abs(row["shift"]), row["shift"], reference=0.0, p=row["p_value"], m=m),
            _beyond("functioning", row, row["dmacs"], row["dmacs"], reference=0.0, p=0.0, m=m),
            _beyond("discrimination", row, row["rest_r_fall"], row["rest_r_fall"], reference=0.0,
                    p=row["p_rest_r"], m=m),
            Finding("against", row["item"], row["rest_r_reference"], row["rest_r"], limit, np.nan,
                    bool(np.isfinite(row["rest_r"])), bool(row["rest_r_reference"] > 0 and row["rest_r"] < limit)),
            _beyond("missing", row, row["missing"] - row["missing_reference"], row["missing"],
                    reference=row["missing_reference"], p=row["p_missing"], m=m),
            _beyond("distribution", row, row["psi"], row["psi"], reference=0.0, p=row["p_distribution"], m=m),
            _beyond("jensen_shannon", row, row["jensen_shannon"], row["jensen_shannon"], reference=0.0,
                    p=row["p_distribution"], m=m),
            _beyond("mean", row, abs(row["smd"]), row["smd"], reference=0.0, p=row["p_mean"], m=m),
        ]  # fmt: skip
    return found


def _beyond(
    check: str, row: dict[Any, Any], size: float, value: float, *, reference: float, p: float, m: int
) -> Finding:
    judged = bool(np.isfinite(size))
    breach = judged and size >= LIMITS[check] and (p < ALPHA / m)
    return Finding(check, str(row["item"]), reference, value, LIMITS[check], p, judged, bool(breach))


def scale_findings(scales: pd.DataFrame) -> list[Finding]:
    """Return the check of the reliability of every scale."""
    rows: list[dict[Any, Any]] = scales.to_dict("records")
    return [_reliability(row, n_scales=len(rows)) for row in rows]


def _reliability(row: dict[Any, Any], *, n_scales: int) -> Finding:
    before, now, limit = row["alpha_reference"], row["alpha"], row["alpha_reference"] - LIMITS["reliability"]
    judged = bool(np.isfinite(now) and np.isfinite(before))
    breach = bool(judged and now <= limit and row["p_value"] < ALPHA / n_scales)
    return Finding("reliability", str(row["scale"]), before, now, limit, row["p_value"], judged, breach)


def structure_findings(structure: Structure, measurement: Measurement) -> list[Finding]:
    """Return the checks of the fit with all parameters fixed, and of the steps of invariance."""
    found = [_fit(name, structure, getattr(measurement, name)) for name in FIT]
    steps: list[dict[Any, Any]] = structure.steps.to_dict("records")
    found += [_step(step) for step in steps if step["step"] != "configural"]
    if structure.problem:
        found.append(Finding("invariance", "", np.nan, np.nan, LIMITS["invariance"], np.nan, False, False))
    return found


def _step(step: dict[Any, Any]) -> Finding:
    fails = step["decision"] == "fails"
    limit = LIMITS["invariance"]
    return Finding("invariance", step["step"], np.nan, step["delta_cfi"], limit, step["p_value"], True, fails)


def _fit(name: str, structure: Structure, reference: float | None) -> Finding:
    limit, slack = FIT[name]
    known = np.nan if reference is None else reference
    worst = min if name == "cfi" else max
    limit = limit if reference is None else worst(limit, reference + slack)
    limit = sqrt(limit**2 + structure.noise) if name == "srmr" else limit
    value, p = structure.fixed.get(name, np.nan), structure.fixed.get("pvalue", np.nan)
    beyond = value < limit if name == "cfi" else value > limit
    return Finding(name, "", known, value, limit, p, bool(np.isfinite(value)), bool(beyond and p < ALPHA))


def empty_finding(reference: float, share: float, *, n_reference: int, nobs: int) -> Finding:
    """Return the check of rows without any answer."""
    p = share_p_value(reference, share, n_old=n_reference, n_new=nobs)
    breach = share - reference >= LIMITS["empty"] and p < ALPHA
    return Finding("empty", "", reference, share, reference + LIMITS["empty"], p, True, bool(breach))


def careless_finding(reference: float | None, share: float | None, *, nobs: int) -> Finding:
    """Return the check of careless answering: more than 12 in a hundred, by a binomial test (p < .01)."""
    from scipy.special import bdtrc

    before, now = (np.nan if value is None else value for value in (reference, share))
    limit = LIMITS["careless"]
    p = np.nan if share is None else float(bdtrc(round(share * nobs) - 1, nobs, limit)) if share > 0 else 1.0
    return Finding("careless", "", before, now, limit, p, share is not None, bool(now > limit and p < ALPHA))


def explained(checks: pd.DataFrame, items: pd.DataFrame) -> set[str]:
    """Return the items whose answers changed only as their whole scale did.

    Their distribution or mean is beyond a threshold, nothing else is, and the mean moved by 0.2 standard deviations or
    more while the shift apart from the scale stayed below that.
    """
    broken = checks[checks["breach"]].groupby("subject")["check"].agg(set)
    level = {"distribution", "jensen_shannon", "mean"}
    moved = items[(items["smd"].abs() >= SHIFT_LIMIT) & (items["shift"].abs() < SHIFT_LIMIT)]["item"]
    return {item for item in moved if broken.get(item) and broken[item] <= level}
