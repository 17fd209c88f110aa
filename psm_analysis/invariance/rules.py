"""Rules that decide whether a step of invariance holds.

References
----------
Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
Modeling, 14, 464-504.

Cheung, G. W., & Rensvold, R. B. (2002). Evaluating goodness-of-fit indexes for testing measurement invariance.
Structural Equation Modeling, 9, 233-255.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from psm_analysis._options import InvarianceRule, check_choice, check_option
from psm_analysis.errors import OptionError

Differences = Mapping[str, float]


def holds(rule: InvarianceRule | Mapping[str, float], change: Differences, *, step: str, nobs: int) -> bool:
    """Tell whether a step holds, from the changes ``cfi, rmsea, srmr`` against the step before and ``p`` of their test.

    ``cheung_rensvold2002``: CFI falls by .01 at most. ``chen2007``: it does not happen that CFI falls by .010 or more
    and also RMSEA rises by .015 or SRMR by .030 (metric) or .010 (later steps); up to 300 rows the limits are .005,
    .010, and .025 or .005. A mapping names limits of its own, all of which have to be met: least change of ``cfi``
    (negative), largest of ``rmsea`` and ``srmr``, least ``p``.

    Examples
    --------
    >>> holds("chen2007", {"cfi": -0.012, "rmsea": 0.004, "srmr": 0.008}, step="metric", nobs=900)
    True
    >>> holds({"cfi": -0.01, "p": 0.05}, {"cfi": -0.004, "p": 0.01}, step="metric", nobs=900)
    False
    """
    if isinstance(rule, str):
        if rule == "cheung_rensvold2002":
            return change["cfi"] >= -0.01
        small = nobs <= 300
        cfi, rmsea = (-0.005, 0.010) if small else (-0.010, 0.015)
        first = step in ("metric", "thresholds")
        srmr = (0.025 if small else 0.030) if first else (0.005 if small else 0.010)
        return not (change["cfi"] <= cfi and (change["rmsea"] >= rmsea or change["srmr"] >= srmr))
    met = [
        change[name] >= limit if name in ("cfi", "p") else change[name] <= limit
        for name, limit in rule.items()
        if not math.isnan(change[name])
    ]
    return all(met)


def check_rule(rule: InvarianceRule | Mapping[str, float]) -> None:
    """Raise an OptionError for a rule that is not known or has limits for something else."""
    if isinstance(rule, str):
        check_option(rule, InvarianceRule, name="rule")
        return
    if not isinstance(rule, Mapping) or not rule:
        raise OptionError(
            f"The rule {rule!r} is neither a name nor limits.",
            where="argument 'rule'",
            remedy="Use 'chen2007', or limits such as {'cfi': -0.01, 'rmsea': 0.015}.",
        )
    for name in rule:
        check_choice(name, ("cfi", "rmsea", "srmr", "p"), name="limit")
