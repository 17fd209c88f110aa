"""The second engine: what it is given, how far it is from the native one, and what it refuses."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sem.models import DEMOCRACY, HOLZINGER

import psm_analysis as psm
from psm_analysis.errors import ConvergenceError, ModelError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.semopy_text import semopy_text

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "factors": (HOLZINGER, {}),
    "std_lv": (HOLZINGER, {"std_lv": True}),
    "orthogonal": (HOLZINGER, {"orthogonal": True}),
    "second order": (HOLZINGER + "g =~ visual + textual + speed", {}),
    "fixed values": (HOLZINGER + "visual ~~ 0.5*visual\nx1 ~~ 0.1*x4\ntextual ~~ 0*speed", {}),
    "labels": (HOLZINGER.replace("x2", "a*x2").replace("x3", "a*x3") + "d := a^2", {}),
    "covariates": (HOLZINGER + "visual ~ ageyr\nx4 ~ sex\nspeed ~ visual + ageyr", {}),
    "paths": ("x1 ~ x2 + x3\nx4 ~ x1 + x2", {}),
    "random x": ("x1 ~ x2 + x3\nx4 ~ x1 + x2", {"fixed_x": False}),
    "written x": ("x1 ~ x2 + x3\nx2 ~~ x2\nx4 ~ x1", {}),
    "covariance only": ("x1 ~~ x2\nx3 ~~ x3", {}),
    "indicator with outcome": ("f =~ x1 + x2 + x3\nx4 ~ f\nx4 ~~ x1\nx5 ~~ x2", {}),
    "lone indicator": ("f =~ x1\nf ~ x2 + x3", {}),
    "saturated": ("f =~ x1 + x2 + x3", {}),
    "a label with a space": ("`mental speed` =~ x7 + x8 + x9 + x1", {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_both_engines_agree(holzinger: pd.DataFrame, name: str) -> None:
    model, options = MODELS[name]
    check = psm.crosscheck(psm.sem(model, holzinger, **options))
    frame = check.tidy()
    assert check.agree
    assert frame["difference"].abs().max() < 1e-5
    assert frame["std_error_difference"].abs().max() < 1e-6
    assert abs(check.chisq_difference) < 1e-7
    assert check.first.engine == "native"
    assert check.second.engine == "semopy"


def test_democracy(democracy: pd.DataFrame) -> None:
    native, other = (psm.sem(DEMOCRACY, democracy, engine=engine) for engine in ("native", "semopy"))  # type: ignore[arg-type]
    a, b = native.tidy(), other.tidy()
    assert (a["estimate"] - b["estimate"]).abs().max() < 1e-5
    assert (a["std_error"] - b["std_error"]).abs().max() < 1e-5
    assert (a["std_all"] - b["std_all"]).abs().max() < 1e-5
    for measure in ("chisq", "cfi", "tli", "rmsea", "srmr", "logl", "aic", "bic"):
        assert other.fit_measures[measure] == pytest.approx(native.fit_measures[measure], rel=1e-7), measure
    assert other.fit_measures["df"] == native.fit_measures["df"] == 38
    assert "(semopy)" in other.summary()


def test_crosscheck_works_from_either_side(democracy: pd.DataFrame) -> None:
    check = psm.crosscheck(psm.sem(DEMOCRACY, democracy, engine="semopy"))
    assert (check.first.engine, check.second.engine) == ("semopy", "native")
    assert check.agree


def test_crosscheck_reports(holzinger: pd.DataFrame) -> None:
    check = psm.crosscheck(psm.cfa(HOLZINGER, holzinger))
    row = check.glance().iloc[0]
    assert row["largest_difference"] == check.largest_difference == check.tidy()["relative_difference"].max()
    assert row["chisq"] == pytest.approx(85.3055, abs=1e-4)
    text = check.summary()
    assert "native and semopy agree" in text
    assert "Chi-square" in text
    assert "differ most" in text


def test_crosscheck_disagrees_below_the_precision_of_semopy(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, holzinger)
    strict = psm.crosscheck(fit, tolerance=1e-15)
    assert not strict.agree
    assert "DO NOT AGREE" in strict.summary()
    with pytest.raises(OptionError, match="not positive"):
        psm.crosscheck(fit, tolerance=0)


def test_crosscheck_does_not_depend_on_units(holzinger: pd.DataFrame) -> None:
    scaled = holzinger.assign(x1=1000 * holzinger["x1"], x5=0.01 * holzinger["x5"])
    check = psm.crosscheck(psm.cfa(HOLZINGER, scaled, std_lv=True))
    assert check.agree
    assert check.largest_difference < 1e-5


def test_from_a_published_matrix() -> None:
    names = ["x1", "x2", "x3", "x4"]
    r = np.array([[1, 0.5, 0.4, 0.3], [0.5, 1, 0.4, 0.3], [0.4, 0.4, 1, 0.2], [0.3, 0.3, 0.2, 1]])
    frame = pd.DataFrame(r, names, names)
    assert psm.crosscheck(psm.cfa("f =~ x1 + x2 + x3 + x4", sample_cov=frame, sample_nobs=200)).agree


def test_a_heywood_case_is_not_bounded() -> None:
    names = ["x1", "x2", "x3"]
    strong = pd.DataFrame([[1, 0.9, 0.8], [0.9, 1, 0.5], [0.8, 0.5, 1]], names, names)
    with pytest.warns(PsmAnalysisWarning, match="Heywood"):
        fit = psm.cfa("f =~ x1 + x2 + x3", sample_cov=strong, sample_nobs=100, engine="semopy")
    assert fit.tidy().query("lhs == 'x1'")["estimate"].item() == pytest.approx(-0.4356, abs=1e-5)
    assert psm.crosscheck(fit).agree


@pytest.mark.parametrize(
    ("model", "options", "what"),
    [
        (HOLZINGER, {"group": "school"}, "groups"),
        (HOLZINGER, {"meanstructure": True}, "a mean structure"),
        ("f =~ x1 + a*x2 + b*x3 + x4\na == 2*b", {}, "constraints"),
        ("f =~ x1 + a*x2 + x3 + x4\na > 0", {}, "constraints"),
        ("f =~ x1 + lower(0)*x2 + x3 + x4", {}, "bounds"),
        (HOLZINGER, {"estimator": "MLR"}, "plain ML"),
        (HOLZINGER, {"se": "robust.sem"}, "plain ML"),
    ],
)
def test_what_semopy_cannot_do_is_refused(
    holzinger: pd.DataFrame, model: str, options: dict[str, Any], what: str
) -> None:
    with pytest.raises(OptionError, match=what) as caught:
        psm.cfa(model, holzinger, engine="semopy", **options)
    assert "engine='native'" in caught.value.remedy


def test_crosscheck_refuses_what_semopy_cannot_do(holzinger: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="groups"):
        psm.crosscheck(psm.cfa(HOLZINGER, holzinger, group="school"))
    with pytest.raises(OptionError, match="MLR"):
        psm.crosscheck(psm.cfa(HOLZINGER, holzinger, estimator="MLR"))


def test_crosscheck_needs_a_solution(holzinger: pd.DataFrame) -> None:
    with pytest.warns(PsmAnalysisWarning, match="No minimum"):
        fit = psm.cfa("f =~ x1 + x2 + x3 + x4\nf ~~ start(-1)*f", holzinger)
    with pytest.raises(ConvergenceError, match="nothing to compare"):
        psm.crosscheck(fit)


@pytest.mark.parametrize("model", ["f =~ x1 + x2", "f =~ NA*x1 + x2 + x3 + x4"])
def test_an_unidentified_model_is_refused_here_too(holzinger: pd.DataFrame, model: str) -> None:
    with pytest.raises(ModelError, match="not identified"):
        psm.cfa(model, holzinger, engine="semopy")


def test_text_leaves_nothing_to_semopy(holzinger: pd.DataFrame) -> None:
    fit = psm.sem("f =~ x1 + a*x2 + a*x3\ny1 ~ f + z\ny1 ~~ x1", _renamed(holzinger))
    assert semopy_text(fit.table, fit.problem, fit.sample).splitlines() == [
        "f0 =~ 1*v0",
        "f0 =~ p0*v1",
        "f0 =~ p0*v2",
        "v3 ~ p1*f0",
        "v3 ~ p2*v4",
        "v3 ~~ p3*v0",
        "v0 ~~ p4*v0",
        "v1 ~~ p5*v1",
        "v2 ~~ p6*v2",
        "v3 ~~ p7*v3",
        "f0 ~~ p8*f0",
        f"v4 ~~ {np.format_float_positional(fit.sample.groups[0].cov[4, 4], trim='-')}*v4",
        "f0 ~ 0*v0",
        "f0 ~ 0*v3",
        "v0 ~~ 0*v4",
        "v3 ~~ 0*v4",
    ]


def _renamed(data: pd.DataFrame) -> pd.DataFrame:
    return data.rename(columns={"x4": "y1", "ageyr": "z"})


def test_semopy_leaves_the_logging_of_the_caller_alone(holzinger: pd.DataFrame, capfd: Any) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), list(root.filters), root.level)
    psm.cfa(HOLZINGER, holzinger, std_lv=True, engine="semopy")
    assert (list(root.handlers), list(root.filters), root.level) == before
    assert capfd.readouterr() == ("", "")
