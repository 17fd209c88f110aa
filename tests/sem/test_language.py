"""The model language against lavaan: legal and odd spellings, fitted by both (tests/golden/generate/language.R)."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import ModelError, ModelSyntaxError, PsmAnalysisError, PsmAnalysisWarning

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES: dict[str, dict[str, Any]] = json.loads((GOLDEN / "values" / "language.json").read_text(encoding="utf-8"))

TAKEN_HERE_ONLY = {
    "bounds": "several functions before one variable",
    "fixed_function": "fixed() as a modifier",
    "plabel_define": "a parameter named by its row in a definition",
    "latent_is_column": "a factor may have the name of a column that the model does not use",
}
REFUSED_HERE_ONLY = {
    "label_question": "lavaan drops the variable",
    "not_identified": "lavaan returns numbers of a model that the data do not identify",
    "phantom": "a factor without indicators",
    "composite": "what it means differs between versions of lavaan",
    "groups_na_label": "lavaan ties the parameters of both groups",
    "prior_modifier": "no Bayesian estimation",
    "rv_modifier": "no random slopes",
}


def fitted(case: dict[str, Any]) -> psm.SemResult:
    data = pd.read_csv(GOLDEN / "data" / f"{case['data']}.csv")
    data = data.assign(**{new: data[old] for new, old in case.get("columns", {}).items()})
    options = {
        name: [value] if name == "group_equal" and isinstance(value, str) else value
        for name, value in case["options"].items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsmAnalysisWarning)
        return getattr(psm, case["call"])(case["model"], data, **options)  # type: ignore[no-any-return]


def estimates_of(fit: psm.SemResult) -> dict[tuple[str, ...], float]:
    labels = list(fit.group_labels)
    frame = fit.tidy()
    keys = [
        named(row.lhs, row.op, row.rhs, str(labels.index(row.group) + 1) if row.op != ":=" else "0")
        for row in frame.itertuples()
    ]
    return dict(zip(keys, frame["estimate"], strict=True))


def named(lhs: str, op: str, rhs: str, group: str) -> tuple[str, ...]:
    if op == "~~" and rhs < lhs:
        lhs, rhs = rhs, lhs
    return lhs, op, "" if op == ":=" else rhs, group


def estimates_of_lavaan(rows: list[str]) -> dict[tuple[str, ...], float]:
    found = {}
    for row in rows:
        lhs, op, *rest = row.split(" ")
        found[named(lhs, op, " ".join(rest[:-2]), rest[-2] if op != ":=" else "0")] = float(rest[-1])
    return found


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "rows" in case["outcome"]])
def test_what_lavaan_fits_is_fitted_alike(name: str) -> None:
    if name in REFUSED_HERE_ONLY:
        with pytest.raises(PsmAnalysisError):
            fitted(CASES[name])
        return
    fit, outcome = fitted(CASES[name]), CASES[name]["outcome"]
    assert fit.converged
    for measure in ("df", "npar"):
        assert fit.fit_measures[measure] == outcome[measure]
    assert fit.fit_measures["chisq"] == pytest.approx(outcome["chisq"], rel=1e-4, abs=1e-4)
    ours, theirs = estimates_of(fit), estimates_of_lavaan(outcome["rows"])
    assert ours.keys() == theirs.keys()
    assert ours == pytest.approx(theirs, rel=3e-4, abs=3e-4)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "error" in case["outcome"]])
def test_what_lavaan_refuses_is_refused(name: str) -> None:
    if name in TAKEN_HERE_ONLY:
        assert fitted(CASES[name]).converged
        return
    with pytest.raises(PsmAnalysisError) as caught:
        fitted(CASES[name])
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("model", "what"),
    [
        ("f =~ x1 + (a + 1)*x2 + x3", "arithmetic on labels"),
        ("f =~ x1 + c(1, 2)*3*x2 + x3", "two fixed values"),
        ("f =~ x1 + c(a, NA)*x2 + x3", "mixes labels and numbers"),
        ("f <~ x1 + x2", "versions of lavaan differ"),
        ("f = x1 + x2 + x3", "'=~' .is measured by."),
        ("f =~ x1 ＋ x2 + x3", "full-width form of '\\+'"),
        ("f =～ x1 + x2 + x3", "'=~' .is measured by."),
        ("f =~ x1 + x2 % x3", "Operators: "),
    ],
)
def test_the_error_says_what_to_write(model: str, what: str) -> None:
    with pytest.raises(ModelSyntaxError, match=what):
        psm.cfa(model, pd.DataFrame({"x1": [1.0]}))


def test_one_value_per_group(holzinger: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match="modifiers for 3 groups, and the data have 2"):
        psm.cfa("f =~ x1 + c(a, b, d)*x2 + x3", holzinger, group="school")
    with pytest.raises(ModelError, match="modifiers for 2 groups, and the data have 1"):
        psm.cfa("f =~ x1 + c(a, b)*x2 + x3", holzinger)


def test_functions_of_labels(holzinger: pd.DataFrame) -> None:
    fit = psm.sem("x1 ~ a*x4\nx2 ~ b*x1\nlow := min(a, b, 2)\nhigh := max(a, b)\nd := log10(a^2)", holzinger)
    rows = fit.tidy().set_index(["lhs", "op"])
    by_label = fit.tidy().set_index("label")
    a, b = by_label.loc["a"], by_label.loc["b"]
    smaller, larger = (a, b) if a["estimate"] < b["estimate"] else (b, a)
    for name, same in (("low", smaller), ("high", larger)):
        assert rows.loc[(name, ":="), "estimate"].item() == same["estimate"]
        assert rows.loc[(name, ":="), "std_error"].item() == pytest.approx(same["std_error"])
    slope = 2.0 / (abs(a["estimate"]) * 2.302585092994046)
    assert rows.loc[("d", ":="), "std_error"].item() == pytest.approx(slope * a["std_error"])
