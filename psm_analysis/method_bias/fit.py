"""``method_bias``: one factor, method factor, marker sequence and reversed wording in one table."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis._options import DifferenceMethod, nearest
from psm_analysis.errors import ConvergenceError, DataError, ModelError, OptionError, PsmAnalysisWarning
from psm_analysis.method_bias.decomposition import factor_correlations, method_share, reliability_parts
from psm_analysis.method_bias.measurement import Measurement, measurement_of
from psm_analysis.method_bias.result import SENSITIVITY, MethodBias
from psm_analysis.method_bias.sensitivity import LEVELS, outer_loadings
from psm_analysis.sem.compare import compare
from psm_analysis.sem.fit import cfa, sem
from psm_analysis.sem.reported import measure_kind, measures_of, reported
from psm_analysis.sem.result import SemResult

HARMAN_LIMIT = 0.5
UNDECIDED, NONE = "undecided", "no solution"
SAME_FIT = 1e-3
NO_SOLUTION = (ConvergenceError, DataError, ModelError)
AFTER_2001: tuple[DifferenceMethod, ...] = ("satorra.bentler.2010", "satorra.2000")
PLAIN, EQUAL, FREE, WORDING = (
    "Measurement model",
    "Method factor, equal",
    "Method factor, free",
    "Correlated uniqueness",
)
MARKER_CFA, BASELINE, METHOD_C, METHOD_U, METHOD_R = "Marker CFA", "Baseline", "Method-C", "Method-U", "Method-R"


@dataclass(frozen=True, slots=True)
class _Study:
    """What is fitted, with which options, and what came of it so far (the two last are filled as it goes)."""

    measurement: Measurement
    data: pd.DataFrame
    options: Mapping[str, Any]
    alpha: float
    fits: dict[str, SemResult] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fit(self, name: str, text: str, *, regressions: bool = False) -> None:
        """Fit a model and keep it, or note why it has no solution."""
        try:
            self.needed(name, text, regressions=regressions)
        except NO_SOLUTION as error:
            self.notes.append(f"{name}: {error.what}")

    def needed(self, name: str, text: str, *, regressions: bool = False) -> SemResult:
        """Fit a model without which there is nothing to compare."""
        with python_warnings.catch_warnings(record=True) as caught:
            python_warnings.simplefilter("always")
            found = (sem if regressions else cfa)(text, self.data, std_lv=True, **self.options)
        self.notes.extend(f"{name}: {w.message}" for w in caught if issubclass(w.category, PsmAnalysisWarning))
        if not found.converged:
            raise ConvergenceError(
                "No solution was found.", where=f"the model {name!r}", remedy="Look at the model by psm.cfa."
            )
        self.fits[name] = found
        return found


def method_bias(
    model: str,
    data: pd.DataFrame,
    *,
    marker: Sequence[str] = (),
    reversed_items: Sequence[str] = (),
    alpha: float = 0.05,
    **options: Any,
) -> MethodBias:
    """Test for common method bias in every usual way, in one table with a verdict in words.

    - *Harman*: the share of the first unrotated component and the fit of one factor. Shown because reviewers ask for
      it: it misses all but overwhelming method variance (Podsakoff et al., 2003).
    - *Method factor*: an uncorrelated factor of all items, with equal and with free loadings.
    - *Marker* (Williams, Hartman & Cavazotte, 2010): the CFA with the marker; the baseline, in which the marker is
      uncorrelated and keeps the loadings and residual variances of the CFA; Method-C with equal loadings of all items
      on it; Method-U with free ones; Method-R, the better of the two with factor covariances fixed at those of the
      baseline. Method-C against the baseline tests method variance, Method-U against Method-C whether it is unequal,
      Method-R whether it biases the correlations. Reliability is decomposed by the model chosen. Method-S is that model
      with every loading on the marker at the end of its 95 or 99 % interval that is farther from zero: what the
      correlations would be with as much method variance as the data allow.
    - *Measured latent marker*: correlations of the factors with the marker partialled out.
    - *Correlated uniqueness*: residual covariances among reversed items (Marsh, 1996).

    Parameters
    ----------
    model
        The measurement model, lines with ``=~`` (and residual covariances).
    data
        One row per respondent. Items should have the same response scale: equal loadings presuppose it.
    marker
        Two or more items that have nothing to do with the subject, but were asked in the same way.
    reversed_items
        Items of reversed wording.
    alpha
        Level of the tests of differences.
    **options
        ``estimator``, ``ordered``, ``missing``, ``cluster`` ... as for :func:`cfa`; not ``group``.

    Returns
    -------
    MethodBias
        The table in ``tidy()``, ``correlations``, ``reliability``, ``verdict()``.

    Raises
    ------
    ModelError
        If the model has regressions, factors of factors, or a factor of one item.
    OptionError
        If the marker has one item or shares one with a factor; if reversed items are unknown or all there are.
    DataError
        If a marker item is not in the data or is a linear combination of the other items.
    PsmAnalysisError
        Whatever keeps the measurement model itself from being fitted: without it there is nothing to compare. Any other
        model without a solution is a row ``no solution``, with the reason in ``warnings``.

    References
    ----------
    Podsakoff, P. M., MacKenzie, S. B., Lee, J.-Y., & Podsakoff, N. P. (2003). Journal of Applied Psychology, 88,
    879-903. Williams, L. J., Hartman, N., & Cavazotte, F. (2010). Method variance and marker variables. Organizational
    Research Methods, 13, 477-514. Marsh, H. W. (1996). Journal of Personality and Social Psychology, 70, 810-819.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> style, a, b = rng.normal(size=(3, 500))
    >>> data = pd.DataFrame({f"{f}{i}": v + 0.6 * style + rng.normal(size=500) for f, v in (("a", a), ("b", b))
    ...                      for i in (1, 2, 3, 4)})
    >>> marker = {f"m{i}": style + rng.normal(size=500) for i in (1, 2, 3)}
    >>> text = "A =~ a1 + a2 + a3 + a4; B =~ b1 + b2 + b3 + b4"
    >>> found = psm.method_bias(text, data.assign(**marker), marker=["m1", "m2", "m3"])
    >>> found.chosen, found.tidy().set_index("model").loc["Method-R", "decision"]
    ('Method-C', 'biasing')
    """
    if not 0.0 < alpha < 1.0:
        raise OptionError(f"alpha={alpha} is not between 0 and 1.", where="argument 'alpha'", remedy="Use 0.05.")
    if "group" in options or "std_lv" in options:
        raise OptionError(
            "Groups and the scale of the factors are not options of method_bias.",
            where="arguments of method_bias",
            remedy="Call it for the rows of one group at a time.",
        )
    parts = measurement_of(model, marker=marker, reversed_items=reversed_items)
    study = _Study(parts, data, options, alpha)
    plain = study.needed(PLAIN, parts.text())
    _check_marker_data(data, parts)
    study = replace(study, measurement=replace(parts, starts=_solution(plain)))
    rows = [_harman(plain), _row(study, PLAIN), *_one_factor(study), *_method_factor(study)]
    if reversed_items:
        study.fit(WORDING, study.measurement.correlated_uniqueness(reversed_items))
        rows.append(_decided(study, WORDING, against=PLAIN, better="present", else_="absent"))
    chosen, reliability = "", pd.DataFrame()
    if marker:
        marked, chosen = _marker_sequence(study)
        rows += marked
        reliability = reliability_parts(study.fits[chosen], parts) if chosen else reliability
    correlations = _correlations(study, chosen)
    frame = pd.DataFrame(rows)
    for note in study.notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    return MethodBias(frame, correlations, reliability, study.fits, chosen, alpha, tuple(study.notes))


def _solution(fit: SemResult) -> dict[tuple[str, str, str], float]:
    """Return the estimates of a fit, without the residual variances of ordinal items, which are no parameters."""
    frame = fit.tidy()
    frame = frame[~((frame["op"] == "~~") & frame["lhs"].isin(fit.table.roles.ordered))]
    keys = zip(frame["lhs"], frame["op"], frame["rhs"], strict=True)
    return {(str(a), str(op), str(b)): float(v) for (a, op, b), v in zip(keys, frame["estimate"], strict=True)}


def _check_marker_data(data: pd.DataFrame, parts: Measurement) -> None:
    absent = [item for item in parts.marker if item not in data.columns]
    if absent:
        raise DataError(
            f"The marker item {absent[0]!r} is not in the data.",
            where="argument 'marker'",
            remedy=nearest(absent[0], [str(name) for name in data.columns]),
        )
    present = [item for item in parts.items if item in data.columns]
    for item in parts.marker:
        others = [*present, *(other for other in parts.marker if other != item)]
        rows = data[[item, *others]].apply(pd.to_numeric, errors="coerce").dropna().to_numpy(dtype=float)
        if len(rows) <= len(others) + 1 or rows[:, 0].std() == 0:
            continue
        design = np.column_stack([np.ones(len(rows)), rows[:, 1:]])
        rest = rows[:, 0] - design @ np.linalg.lstsq(design, rows[:, 0], rcond=None)[0]
        if rest.var() < 1e-10 * rows[:, 0].var():
            raise DataError(
                f"The marker item {item!r} is a linear combination of other items: it is correlated by construction.",
                where="argument 'marker'",
                remedy="Use items that were asked, not computed.",
            )


def _harman(plain: SemResult) -> dict[str, Any]:
    """Return the share of the first principal component of the items' correlations."""
    cov = plain.sample.groups[0].cov
    sd = np.sqrt(np.diagonal(cov))
    share = float(np.linalg.eigvalsh(cov / np.outer(sd, sd))[-1] / len(cov))
    decision = "one factor" if share > HARMAN_LIMIT else "not one factor"
    return _blank("Harman") | {"share": share, "decision": decision}


def _one_factor(study: _Study) -> list[dict[str, Any]]:
    if len(study.measurement.factors) < 2:
        return []
    study.fit("One factor", study.measurement.one_factor())
    return [_decided(study, "One factor", against=PLAIN, better="not one factor", else_="one factor")]


def _method_factor(study: _Study) -> list[dict[str, Any]]:
    parts = study.measurement
    rows = []
    for name, equal, against in ((EQUAL, True, PLAIN), (FREE, False, EQUAL)):
        study.fit(name, parts.method_factor(equal=equal))
        row = _decided(study, name, against=against, better="present", else_="absent")
        rows.append(row | {"share": _share(study, name, parts.method_name)})
    return rows


def _marker_sequence(study: _Study) -> tuple[list[dict[str, Any]], str]:
    """Fit the models with the marker; the one that is kept is blank where they have no solution."""
    parts = study.measurement
    study.fit(MARKER_CFA, parts.with_marker())
    fixed = _fixed(study)
    if fixed:
        study.fit(BASELINE, parts.baseline(fixed))
    if BASELINE not in study.fits:
        return [_row(study, name) for name in (MARKER_CFA, BASELINE, METHOD_C, METHOD_U)], ""
    study.fit(METHOD_C, parts.marked(fixed, equal=True))
    study.fit(METHOD_U, parts.marked(fixed, equal=False))
    rows = [_row(study, MARKER_CFA), _row(study, BASELINE)]
    for name, against in ((METHOD_C, BASELINE), (METHOD_U, METHOD_C)):
        row = _decided(study, name, against=against, better="present", else_="absent")
        rows.append(row | {"share": _share(study, name, parts.marker_name)})
    decisions = {row["model"]: row["decision"] for row in rows}
    chosen = (
        METHOD_U if decisions[METHOD_U] == "present" else METHOD_C if decisions[METHOD_C] == "present" else BASELINE
    )
    pairs = factor_correlations(study.fits[BASELINE], list(parts.factors))
    if pairs and METHOD_C in study.fits:
        against = METHOD_C if chosen == BASELINE else chosen
        study.fit(METHOD_R, parts.restricted(fixed, pairs, equal=against == METHOD_C))
        row = _decided(study, METHOD_R, against=against, better="biasing", else_="harmless")
        rows.append(row | {"share": _share(study, METHOD_R, parts.marker_name)})
        study.fit("Partialled", parts.partialled(), regressions=True)
    if chosen != BASELINE:
        rows += _sensitivity(study, fixed, study.fits[chosen])
    return rows, chosen


def _fixed(study: _Study) -> dict[str, tuple[float, float]]:
    """Return loadings and residual variances of the marker in the CFA, none where that has no solution."""
    if MARKER_CFA not in study.fits:
        return {}
    parts, estimates = study.measurement, _solution(study.fits[MARKER_CFA])
    return {
        item: (estimates[parts.marker_name, "=~", item], estimates.get((item, "~~", item), math.nan))
        for item in parts.marker
    }


def _sensitivity(study: _Study, fixed: Mapping[str, tuple[float, float]], retained: SemResult) -> list[dict[str, Any]]:
    """Fit Method-S: the model that was kept, with its loadings on the marker at the ends of their intervals."""
    parts, rows = study.measurement, []
    for name, level in LEVELS.items():
        loadings = outer_loadings(retained, parts.marker_name, parts.items, level=level)
        if any(math.isnan(loading) for loading in loadings.values()):
            study.notes.append(f"{name}: loadings on the marker have no interval.")
        else:
            study.fit(name, parts.sensitive(fixed, loadings))
        rows.append(_row(study, name) | {"share": _share(study, name, parts.marker_name)})
    return rows


def _correlations(study: _Study, chosen: str) -> pd.DataFrame:
    factors = list(study.measurement.factors)
    sources = {"measurement": PLAIN, "method_factor": EQUAL, "marker": chosen, "partialled": "Partialled"}
    sources |= dict(zip(SENSITIVITY, LEVELS, strict=True))
    found = {
        column: factor_correlations(study.fits[name], factors)
        for column, name in sources.items()
        if name in study.fits and name != BASELINE
    }
    pairs = list(found["measurement"])
    frame = pd.DataFrame(pairs, columns=["first", "second"])
    for column, values in found.items():
        frame[column] = [values[pair] if abs(values[pair]) <= 1.0 else math.nan for pair in pairs]
    return frame


def _share(study: _Study, name: str, factor: str) -> float:
    return method_share(study.fits[name], factor, study.measurement.items) if name in study.fits else math.nan


def _blank(name: str) -> dict[str, Any]:
    numbers = ("df", "chisq", "cfi", "rmsea", "srmr", "share")
    row: dict[str, Any] = {"model": name} | dict.fromkeys(numbers, math.nan) | {"compared_with": ""}
    row |= dict.fromkeys(("statistic", "df_diff", "p_value", "delta_cfi"), math.nan) | {"decision": ""}
    return row | dict.fromkeys(("test", "measures", "difference_test"), "")


def _row(study: _Study, name: str) -> dict[str, Any]:
    row = _blank(name)
    if name not in study.fits:
        return row | {"decision": NONE}
    now = reported(study.fits[name])
    return row | {key: now[key] for key in ("df", "chisq", "cfi", "rmsea", "srmr", "test", "measures")}


def _decided(study: _Study, name: str, *, against: str, better: str, else_: str) -> dict[str, Any]:
    """Return the row of a model, with the test of its difference from another and the decision by it."""
    row = _row(study, name) | {"compared_with": against}
    if name not in study.fits or against not in study.fits:
        return row | {"decision": NONE}
    try:
        row |= _difference(study.fits[against], study.fits[name])
    except NO_SOLUTION as error:
        study.notes.append(f"{name}: its difference from {against} has no test. {error.what}")
        return row | {"decision": UNDECIDED}
    if math.isnan(row["p_value"]):
        study.notes.append(f"{name}: its difference from {against} has no test: the scaling factor is not positive.")
        return row | {"decision": UNDECIDED}
    if row["statistic"] < -SAME_FIT:
        study.notes.append(
            f"{name}: it fits worse than {against}, which it holds: the search ended in a local minimum."
        )
        return row | {"decision": NONE}
    return row | {"decision": better if row["p_value"] < study.alpha else else_}


def _difference(one: SemResult, other: SemResult) -> dict[str, Any]:
    """Return the test of a difference; where the scaling factor of 2001 is not positive, that of 2010, then of 2000.

    Models of the same chi-square do not differ, whatever the scaling.
    """
    kind = measure_kind([one, other])
    row: dict[str, Any] = {"delta_cfi": measures_of(other, kind)["cfi"] - measures_of(one, kind)["cfi"]}
    if _same_fit(one, other):
        df = abs(other.fit_measures["df"] - one.fit_measures["df"])
        return row | {"statistic": 0.0, "df_diff": df, "p_value": 1.0, "difference_test": "standard"}
    found = compare(one, other)
    for method in AFTER_2001 if found.method == "satorra.bentler.2001" else ():
        # that of 2000 wants complete rows
        if math.isnan(found.tests[0].statistic) and not (method == "satorra.2000" and one.spec.function == "FIML"):
            found = compare(one, other, method=method)
    test = found.tests[0]
    tested = {"statistic": test.statistic, "df_diff": test.df, "p_value": test.p_value}
    return row | tested | {"difference_test": found.method}


def _same_fit(one: SemResult, other: SemResult) -> bool:
    return abs(other.fit_measures["chisq"] - one.fit_measures["chisq"]) < SAME_FIT
