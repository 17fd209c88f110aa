"""Conventions found by comparing random models with lavaan 0.6-14 on R 4.2.2, whose values are given here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sem.models import HOLZINGER

import psm_analysis as psm
from psm_analysis.errors import DataError, ModelError

TWO = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"
PATHS = "y1 ~ x1 + x2\ny5 ~ y1 + x1"
MIMIC = "f =~ y1 + y2 + y3\nf ~ x1 + x2\ng =~ y5 + y6 + y7\ng ~ f + x3"


def test_interval_of_the_rmsea_of_the_mean_and_variance_adjusted_test(holzinger: pd.DataFrame) -> None:
    m = psm.cfa(HOLZINGER, holzinger, estimator="MLMVS").fit_measures
    assert m["rmsea_ci_lower_scaled"] == pytest.approx(0.068, abs=5e-4)
    assert m["rmsea_ci_upper_scaled"] == pytest.approx(0.110, abs=5e-4)
    assert m["rmsea_pvalue_scaled"] == pytest.approx(0.001, abs=5e-4)


@pytest.mark.parametrize(
    ("estimator", "chisq", "gfi"),
    [("GLS", 33.9141944, 0.997428339), ("WLS", 33.1862036, 0.997948858), ("ULSMV", 37.5753938, 0.998880294)],
)
@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_least_squares_weights_groups_by_n_less_one(
    holzinger: pd.DataFrame, estimator: str, chisq: float, gfi: float
) -> None:
    fit = psm.cfa(TWO, holzinger, estimator=estimator, group="school", group_equal=["loadings"])  # type: ignore[arg-type]
    assert fit.fit_measures["chisq"] == pytest.approx(chisq, rel=1e-6)
    assert fit.fit_measures["gfi_lisrel"] == pytest.approx(gfi, abs=1e-7)


@pytest.mark.parametrize(
    ("estimator", "fixed_x", "chisq", "npar"),
    [
        ("ML", None, 0.950174908, 6),
        ("GLS", None, 0.920010192, 9),
        ("GLS", True, 0.943348500, 6),
        ("WLS", None, 1.210650845, 9),
        ("WLS", True, 1.189279493, 6),
        ("WLSMV", None, 0.024489506, 9),
        ("WLSMV", True, 0.041768318, 6),
    ],
)
def test_exogenous_variables_are_fixed_by_default_unless_least_squares_fits_them(
    democracy: pd.DataFrame, estimator: str, fixed_x: bool | None, chisq: float, npar: int
) -> None:
    m = psm.sem(PATHS, democracy, estimator=estimator, fixed_x=fixed_x).fit_measures  # type: ignore[arg-type]
    assert m["chisq"] == pytest.approx(chisq, abs=1e-6)
    assert m["npar"] == npar


def test_a_singular_weight_matrix_is_refused(holzinger: pd.DataFrame) -> None:
    data = holzinger.assign(boy=(holzinger["sex"] == 1).astype(int))
    with pytest.raises(DataError, match="covariance matrix of the moments, whose inverse WLS needs, is singular"):
        psm.sem("x1 ~ boy + x2", data, estimator="WLS", fixed_x=False, meanstructure=True)


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_scores_given_covariates_do_not_depend_on_the_mean_structure(democracy: pd.DataFrame) -> None:
    plain, means = (psm.sem(MIMIC, democracy, meanstructure=value) for value in (False, True))
    expected = np.array([[3.39795608, 3.85048604], [4.78422959, 4.75804405], [9.14766914, 9.53786164]])
    bartlett = np.array([[3.12054864, 3.66480387], [2.35762260, 6.85512285], [8.83614084, 10.27667522]])
    assert plain.factor_scores().to_numpy()[:3] == pytest.approx(expected, abs=1e-4)
    assert plain.factor_scores(method="bartlett").to_numpy()[:3] == pytest.approx(bartlett, abs=1e-4)
    assert plain.factor_scores().to_numpy() == pytest.approx(means.factor_scores().to_numpy(), abs=1e-6)


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_modification_indices_of_residual_covariances_beside_paths(democracy: pd.DataFrame) -> None:
    found = psm.sem(MIMIC, democracy).modification_indices().set_index(["lhs", "op", "rhs"])
    assert found.loc[("f", "~~", "g"), ["mi", "epc"]].tolist() == pytest.approx([0.414, -0.701], abs=5e-4)


def test_an_exogenous_variable_may_become_an_outcome(democracy: pd.DataFrame) -> None:
    fit = psm.sem("y1 ~ x1\ny5 ~ y1", democracy)
    row = fit.modification_indices().set_index(["lhs", "op", "rhs"]).loc[("x1", "~", "y5")]
    larger = psm.sem("y1 ~ x1\ny5 ~ y1\nx1 ~ y5\nx1 ~~ x1", democracy)
    fall = fit.fit_measures["chisq"] - larger.fit_measures["chisq"]
    assert row["mi"] == pytest.approx(fall, rel=0.2)


def test_modification_indices_of_ordinal_variables_given_an_exogenous_one(holzinger: pd.DataFrame) -> None:
    """lavaan multiplies the scores by (n - 1)/n; it has no path to the variable that all moments are conditional on."""
    names = [f"x{i}" for i in range(1, 7)]
    thirds = holzinger[names].apply(lambda c: np.digitize(c, c.quantile([0.3, 0.7])))
    fit = psm.sem(f"{TWO}\nvisual ~ ageyr\ntextual ~ visual", thirds.assign(ageyr=holzinger["ageyr"]), ordered=names)
    found = fit.modification_indices().set_index(["lhs", "op", "rhs"])
    assert fit.fit_measures["chisq"] == pytest.approx(27.928, abs=5e-4)
    expected = {
        ("textual", "~", "ageyr"): (16.147, -0.195677),
        ("textual", "=~", "x3"): (6.13039, -0.323019),
        ("x2", "~~", "x3"): (4.90144, 0.178422),
    }
    for key, (index, change) in expected.items():
        assert found.loc[key, "mi"] * (300 / 301) == pytest.approx(index, rel=1e-4)
        assert found.loc[key, "epc"] * (300 / 301) == pytest.approx(change, rel=1e-4)
    assert ("ageyr", "~", "textual") not in found.index


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        ("ML", (-1.9960593, -0.9969171, -3.7730897, 4.0774826)),
        ("MLM", (-2.0285782, -0.9433554, -3.4528582, 4.0295096)),
        ("GLS", (2.7763159, 4.7362513, -4.2971028, 3.5935854)),
    ],
)
def test_standardized_residuals(holzinger: pd.DataFrame, estimator: str, expected: tuple[float, ...]) -> None:
    z = psm.cfa(HOLZINGER, holzinger, estimator=estimator).residuals("standardized")  # type: ignore[arg-type]
    assert z.loc[["x2", "x3", "x7", "x9"], "x1"].tolist() == pytest.approx(expected, abs=1e-3)


def test_equal_names_a_parameter_of_the_first_group(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa("f =~ x4 + x5 + x6 + equal('f=~x5')*x7", holzinger, group="school")
    loadings = fit.tidy().query("op == '=~'")["estimate"].round(3).tolist()
    assert loadings == [1.0, 0.588, 0.715, 0.588, 1.0, 1.087, 1.034, 0.588]
    assert fit.fit_measures["chisq"] == pytest.approx(81.007, abs=5e-4)
    both = psm.cfa("f =~ x4 + x5 + x6 + equal(c('f =~ x5', 'f =~ x5.g2'))*x7", holzinger, group="school")
    loadings = both.tidy().query("op == '=~'")["estimate"].tolist()
    assert loadings[1] == loadings[3] != loadings[5] == loadings[7]


def test_equal_follows_what_its_parameter_equals_or_is_fixed_at(holzinger: pd.DataFrame) -> None:
    model = "f =~ x4 + x5 + equal('f=~x5')*x6\ng =~ x7 + equal('f=~x6')*x8 + equal('g=~x7')*x9"
    loadings = psm.cfa(model, holzinger).tidy().query("op == '=~'")["estimate"].tolist()
    assert loadings[1] == loadings[2] == loadings[4]
    assert loadings[5] == 1.0
    with pytest.raises(ModelError, match="names no parameter"):
        psm.cfa("f =~ x4 + x5 + equal('f=~x9')*x6", holzinger)


@pytest.mark.parametrize("estimator", ["ML", "GLS", "ULS"])
def test_moments_instead_of_rows(holzinger: pd.DataFrame, estimator: str) -> None:
    items = holzinger[[f"x{i}" for i in range(1, 10)]]
    moments = psm.cfa(HOLZINGER, sample_cov=items.cov(), sample_nobs=301, estimator=estimator)  # type: ignore[arg-type]
    rows = psm.cfa(HOLZINGER, holzinger, estimator=estimator)  # type: ignore[arg-type]
    for column in ("estimate", "std_error"):
        assert moments.tidy()[column].to_numpy() == pytest.approx(rows.tidy()[column].to_numpy(), abs=1e-6)
    means = psm.cfa(HOLZINGER, sample_cov=items.cov(), sample_mean=items.mean(), sample_nobs=301)
    assert means.fit_measures["npar"] == 30
    assert means.tidy().query("lhs == 'x1' and op == '~1'")["estimate"].item() == pytest.approx(items["x1"].mean())


def test_a_saturated_model_has_a_scaled_test_of_nothing(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa("f =~ x4 + x5 + x6", holzinger, estimator="MLR")
    m = fit.fit_measures
    assert (m["df_scaled"], m["cfi_scaled"], m["tli_scaled"]) == (0.0, 1.0, 1.0)
    assert m["chisq_scaled"] == pytest.approx(0.0, abs=1e-6)
    assert m["baseline_chisq_scaled"] == pytest.approx(434.804, abs=5e-3)
    assert "nan" not in fit.summary()


# Values of lavaan whose EM was iterated to 1e-12.
GAPS = {"x1": (7, 0), "x2": (5, 1), "x6": (11, 3), "ageyr": (13, 4)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"estimator": "MLR", "fixed_x": False},
            (0.900181133, 0.825316982, 0.090151558, 0.133788225, 0.999545404, 0.998465737),
        ),
        (
            {"estimator": "MLR", "fixed_x": True},
            (0.897864611, 0.821263069, 0.091476844, 0.136182940, 0.996824206, 0.989281694),
        ),
        (
            {"fixed_x": False, "group": "school"},
            (0.923753714, 0.866568999, 0.083482719, 0.130509517, 0.999546853, 0.998470627),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_robust_fit_and_gfi_of_incomplete_rows_with_covariates(
    holzinger: pd.DataFrame, options: dict[str, object], expected: tuple[float, ...]
) -> None:
    data = holzinger.astype({"ageyr": float})
    number = np.arange(1, len(data) + 1)
    for name, (step, rest) in GAPS.items():
        data.loc[number % step == rest, name] = np.nan
    model = "v =~ x1 + x2 + x3 + x6\nv ~ ageyr + sex"
    m = psm.sem(model, data, missing="fiml", **options).fit_measures  # type: ignore[arg-type]
    names = ("cfi_robust", "tli_robust", "rmsea_robust", "rmsea_ci_upper_robust", "gfi_lisrel", "agfi_lisrel")
    assert [m[name] for name in names] == pytest.approx(expected, rel=1e-6)


def test_errors_of_mlm_by_the_observed_information_are_those_of_mlr(holzinger: pd.DataFrame) -> None:
    expected = [0.132077906, 0.141087031, 0.065685592, 0.061378004, 0.130444740, 0.266375897]  # lavaan 0.6-14, MLR
    for options in ({"estimator": "MLM", "information": "observed"}, {"estimator": "MLR"}):
        loadings = psm.cfa(HOLZINGER, holzinger, **options).tidy().query("op == '=~' and std_error > 0")  # type: ignore[arg-type]
        assert loadings["std_error"].to_numpy() == pytest.approx(expected, rel=5e-6)


@pytest.mark.parametrize(("group", "freed"), [(None, "x1 ~~ x4"), ("school", "x1 ~~ c(0, NA)*x4")])
def test_indices_of_least_squares_are_exact_where_moments_are_linear(
    holzinger: pd.DataFrame, group: str | None, freed: str
) -> None:
    linear = "v =~ 1*x1 + 0.7*x2 + 0.8*x3\nt =~ 1*x4 + 1.1*x5 + 0.9*x6\n"
    fits = [psm.cfa(model, holzinger, estimator="GLS", group=group) for model in (linear, linear + freed)]
    indices = fits[0].modification_indices().query("lhs == 'x1' and op == '~~' and rhs == 'x4'")
    row = indices.iloc[0] if group is None else indices.query("group == 'Grant-White'").iloc[0]
    assert row["mi"] == pytest.approx(fits[0].fit_measures["chisq"] - fits[1].fit_measures["chisq"], abs=1e-8)
    estimates = fits[1].tidy().query("lhs == 'x1' and op == '~~' and rhs == 'x4'")["estimate"]
    assert row["epc"] == pytest.approx(estimates.iloc[-1], rel=1e-8)


@pytest.mark.parametrize(
    ("estimator", "loading", "variances", "scaled"),
    [
        ("GLS", (0.55213003, 0.10512012), (0.15231557, 0.17261447, 0.25235690), None),
        ("ULSMV", (0.50609112, 0.11225627), (0.22886852, 0.27361318, 0.40084061), (41.9838588, 1.88816184)),
        ("WLSMV", (0.61138528, 0.11593226), (0.15334448, 0.17844536, 0.27031777), (29.982831018, 0.906931554)),
    ],
)
@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_precision_of_least_squares_weights_groups_by_size(
    holzinger: pd.DataFrame,
    estimator: str,
    loading: tuple[float, float],
    variances: tuple[float, ...],
    scaled: tuple[float, float] | None,
) -> None:
    """Groups of 108, 165 and 28 rows; with 28 rows it shows whether a group counts for n or n - 1."""
    data = holzinger.assign(part=np.array(["a", "b", "b", "c"])[holzinger["ageyr"] % 4])
    names = [f"x{i}" for i in range(1, 7)]
    ordered = names if estimator == "WLSMV" else []
    for name in ordered:
        cuts = np.quantile(data[name], [0.3, 0.7])
        data[name] = 1 + np.searchsorted(cuts, holzinger[name], side="right")
    fit = psm.cfa(TWO, data, estimator=estimator, group="part", group_equal=["loadings"], ordered=ordered)  # type: ignore[arg-type]
    tidy = fit.tidy().set_index(["lhs", "op", "rhs", "group"])
    row = tidy.loc["visual", "=~", "x2", "a"]
    assert (row["estimate"], row["std_error"]) == pytest.approx(loading, rel=2e-5)
    of = "visual" if ordered else "x1"
    errors = [tidy.loc[(of, "~~", of, group), "std_error"] for group in ("b", "a", "c")]
    assert errors == pytest.approx(variances, rel=2e-5)
    if scaled:
        m = fit.fit_measures
        assert (m["chisq_scaled"], m["chisq_scaling_factor"]) == pytest.approx(scaled, rel=2e-6)


def test_standardized_residuals_of_wls_have_the_variances_of_the_rows(holzinger: pd.DataFrame) -> None:
    z = psm.cfa(TWO, holzinger, estimator="WLS").residuals("standardized")
    expected = [-0.838513713, 3.081813149, 2.475436258]
    assert z.loc[["x2", "x4", "x6"], "x1"].tolist() == pytest.approx(expected, rel=2e-5)
