"""How large the loadings on the marker may be: where Method-S fixes them.

References
----------
Williams, L. J., Hartman, N., & Cavazotte, F. (2010). Method variance and marker variables: A review and comprehensive
CFA marker technique. Organizational Research Methods, 13, 477-514 (Phase III).
"""

from __future__ import annotations

from collections.abc import Sequence

from psm_analysis.sem.result import SemResult

LEVELS = {"Method-S(.05)": 0.95, "Method-S(.01)": 0.99}


def outer_loadings(fit: SemResult, factor: str, items: Sequence[str], *, level: float) -> dict[str, float]:
    """Return of each item the end of the interval of its loading on the marker that is farther from zero."""
    frame = fit.tidy(level=level)
    rows = frame[(frame["op"] == "=~") & (frame["lhs"] == factor) & frame["rhs"].isin(items)]
    ends = zip(rows["rhs"], rows["ci_low"], rows["ci_high"], strict=True)
    return {str(item): float(max(low, high, key=abs)) for item, low, high in ends}
