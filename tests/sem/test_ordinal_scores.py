"""Factor scores of models with ordinal variables: against lavaan, brute force and each other."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

import psm_analysis as psm
from psm_analysis.errors import DataError, ModelError, OptionError
from psm_analysis.sem.ordinal_scores import Posterior, means, modes

TWO = "a =~ psm1 + psm2 + psm3 + psm4\nb =~ ei1 + ei2 + ei3 + ei4"
ITEMS = ["psm1", "psm2", "psm3", "psm4"]

# lavPredict(method = "EBM") of lavaan 0.6-14, first six rows of survey.csv; its optimiser stops at about 1e-4
LISTWISE = [
    [-0.56815, 0.16461],
    [-1.17492, -0.24912],
    [-0.18195, 0.27919],
    [0.44285, 0.61434],
    [1.05801, -1.27854],
    [-0.16380, -0.67867],
]
PAIRWISE = [
    [-0.56636, 0.16551],
    [-1.15694, -0.25585],
    [-0.18484, 0.27048],
    [0.44419, 0.61467],
    [1.06668, -1.28607],
    [-0.15611, -0.69263],
]
GENDER = [-0.58064, -1.12737, -0.18213, 0.44831, 1.12679, -0.11510]
MIXED = [-0.58678, -1.18448, -0.21602, 0.45673, 1.06002, -0.13096]


@pytest.fixture(scope="module")
def survey(golden_data) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return golden_data("survey.csv")


@pytest.fixture(scope="module")
def two(survey: pd.DataFrame) -> psm.SemResult:
    return psm.cfa(TWO, survey, ordered=True)


def test_modes_agree_with_lavaan(survey: pd.DataFrame, two: psm.SemResult) -> None:
    np.testing.assert_allclose(two.factor_scores().head(6), LISTWISE, atol=2e-4)
    assert len(two.factor_scores()) == 1121
    pairwise = psm.cfa(TWO, survey, ordered=True, missing="pairwise")
    np.testing.assert_allclose(pairwise.factor_scores().head(6), PAIRWISE, atol=2e-4)
    regressed = psm.sem("a =~ psm1 + psm2 + psm3 + psm4\na ~ gender", survey, ordered=ITEMS)
    np.testing.assert_allclose(regressed.factor_scores()["a"].head(6), GENDER, atol=2e-4)
    mixed = psm.cfa("a =~ psm1 + psm2 + psm3 + psm4", survey, ordered=["psm1", "psm2"])
    np.testing.assert_allclose(mixed.factor_scores()["a"].head(6), MIXED, atol=2e-4)


def test_method_names(two: psm.SemResult) -> None:
    scores = two.factor_scores()
    pd.testing.assert_frame_equal(two.factor_scores(method="ebm"), scores)
    pd.testing.assert_frame_equal(two.factor_scores(method="EBM"), scores)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="Bartlett"):
        two.factor_scores(method="bartlett")


def _posterior_of_one(fit: psm.SemResult, row: pd.Series, grid: np.ndarray) -> np.ndarray:
    """The density of a single factor on a grid, from the printed estimates only."""
    table = fit.tidy().set_index(["lhs", "op", "rhs"])["estimate"].sort_index()
    log_density = -0.5 * grid**2 / table["a", "~~", "a"]
    for item in ITEMS:
        if np.isnan(row[item]):
            continue
        cuts = np.concatenate([[-np.inf], table[item, "|"].to_numpy(), [np.inf]])
        code = int(row[item]) - 1
        sd = np.sqrt(table[item, "~~", item])
        z = (cuts[code : code + 2, None] - table["a", "=~", item] * grid) / sd
        log_density = log_density + np.log(np.maximum(ndtr(z[1]) - ndtr(z[0]), 1e-300))
    density = np.exp(log_density - log_density.max())
    return np.asarray(density / density.sum())


def test_one_factor_by_brute_force(survey: pd.DataFrame) -> None:
    fit = psm.cfa("a =~ psm1 + psm2 + psm3 + psm4", survey, ordered=True, missing="pairwise")
    grid = np.linspace(-5, 5, 20001)
    eap = fit.factor_scores(method="eap", std_errors=True)
    ebm = fit.factor_scores(method="ebm", std_errors=True)
    incomplete = survey[survey[ITEMS].isna().any(axis=1) & survey[ITEMS].notna().any(axis=1)].head(3)
    for label, row in pd.concat([survey.head(4), incomplete]).iterrows():
        density = _posterior_of_one(fit, row, grid)
        mean = float(density @ grid)
        assert eap.loc[label, "a"] == pytest.approx(mean, abs=1e-7)
        assert eap.loc[label, "a_std_error"] == pytest.approx(np.sqrt(density @ (grid - mean) ** 2), abs=1e-7)
        top = int(density.argmax())
        assert ebm.loc[label, "a"] == pytest.approx(grid[top], abs=3e-4)
        bend = np.diff(np.log(density[top - 1 : top + 2]), 2)[0] / (grid[1] - grid[0]) ** 2
        assert ebm.loc[label, "a_std_error"] == pytest.approx((-bend) ** -0.5, rel=1e-3)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_means_by_a_dense_grid(d: int) -> None:
    rng = np.random.default_rng(d)
    slopes = rng.normal(1.0, 0.5, size=(4, d))
    lower = rng.normal(-0.5, 0.5, size=(2, 4))
    posterior = Posterior(np.tile(np.eye(d), (2, 1, 1)), np.zeros((2, d)), slopes, lower, lower + 1.0)
    axis = np.linspace(-5.0, 5.0, 81)
    grid = np.array(list(itertools.product(axis, repeat=d)))
    mean, cov = means(posterior)
    for n in range(2):
        p = np.prod(ndtr(lower[n] + 1.0 - grid @ slopes.T) - ndtr(lower[n] - grid @ slopes.T), axis=1)
        p *= np.exp(-0.5 * (grid**2).sum(axis=1))
        expected = p @ grid / p.sum()
        np.testing.assert_allclose(mean[n], expected, atol=2e-5)
        np.testing.assert_allclose(cov[n], (grid.T * p) @ grid / p.sum() - np.outer(expected, expected), atol=5e-5)


def test_the_mode_is_a_mode_even_far_out() -> None:
    rng = np.random.default_rng(1)
    slopes = np.array([[30.0, 5.0], [2.0, -20.0], [1.0, 1.0]])
    lower = rng.normal(0.0, 60.0, size=(50, 3))
    upper = lower + rng.exponential(5.0, size=lower.shape)
    lower[:10, 0], upper[10:20, 1] = -np.inf, np.inf
    posterior = Posterior(np.tile(np.eye(2), (50, 1, 1)), np.zeros((50, 2)), slopes, lower, upper)
    v, spread = modes(posterior)
    np.testing.assert_allclose(posterior.derivatives(v)[0], 0.0, atol=1e-6)
    assert (np.linalg.eigvalsh(spread) > 0).all()


def test_derivatives_agree_with_differences() -> None:
    rng = np.random.default_rng(4)
    lower = rng.normal(-1.0, 1.0, size=(6, 5))
    posterior = Posterior(
        np.tile(np.eye(2) * 1.5, (6, 1, 1)), rng.normal(size=(6, 2)), rng.normal(size=(5, 2)), lower, lower + 1.5
    )
    v, step = rng.normal(size=(6, 2)), 1e-5
    gradient, hessian = posterior.derivatives(v)
    for k, e in enumerate(step * np.eye(2)):
        numeric = (posterior.value(v + e) - posterior.value(v - e)) / (2 * step)
        np.testing.assert_allclose(gradient[:, k], numeric, atol=1e-8)
        bend = (posterior.derivatives(v + e)[0] - posterior.derivatives(v - e)[0]) / (2 * step)
        np.testing.assert_allclose(hessian[:, k], bend, atol=1e-7)


def test_parameterizations_give_the_same_scores(survey: pd.DataFrame, two: psm.SemResult) -> None:
    """In units of the factor both are one model; scores of lavaan 0.6-14 depend on the parameterization."""
    delta, theta = (
        psm.cfa(TWO, survey, ordered=True, std_lv=True, parameterization=p).factor_scores(method=m)
        for p, m in (("delta", "ebm"), ("theta", "ebm"))
    )
    np.testing.assert_allclose(delta, theta, atol=1e-7)


def test_new_rows_are_scored_as_those_of_the_fit(survey: pd.DataFrame, two: psm.SemResult) -> None:
    own = two.factor_scores(method="eap", std_errors=True)
    new = two.factor_scores(survey.loc[[5, 0, 3]], method="eap", std_errors=True)
    pd.testing.assert_frame_equal(new, own.loc[[5, 0, 3]])
    partial = survey.loc[[0, 1]].assign(psm1=np.nan, psm2=np.nan)
    assert two.factor_scores(partial).notna().all().all()
    assert len(two.factor_scores(partial.assign(**dict.fromkeys(two.sample.names, np.nan)))) == 0
    with pytest.raises(DataError, match="'psm1' has the answer 9"):
        two.factor_scores(survey.head(2).assign(psm1=9))


def test_groups(survey: pd.DataFrame) -> None:
    fit = psm.cfa(
        "a =~ psm1 + psm2 + psm3 + psm4",
        survey,
        ordered=True,
        missing="pairwise",
        group="gender",
        group_equal=["thresholds", "loadings", "intercepts"],
    )
    own = fit.factor_scores()
    pd.testing.assert_frame_equal(fit.factor_scores(survey.iloc[::-1]), own.loc[own.index[::-1]])
    means_of = own["a"].groupby(survey["gender"]).mean()
    latent = fit.tidy().query("lhs == 'a' and op == '~1'").set_index("group")["estimate"]
    for label in fit.group_labels:
        assert means_of[int(label)] == pytest.approx(latent[label], abs=0.06)
    with pytest.raises(DataError, match="need the column 'gender'"):
        fit.factor_scores(survey.drop(columns="gender"))
    with pytest.raises(DataError, match="no group '7'"):
        fit.factor_scores(survey.assign(gender=7))


def test_second_order_scores_follow_from_the_first(survey: pd.DataFrame) -> None:
    second = psm.cfa(
        "a =~ psm1 + psm2 + psm3 + psm4\nb =~ psm5 + psm6 + psm7 + psm8\nc =~ psm9 + psm10 + psm11 + psm12\n"
        "g =~ a + b + c",
        survey,
        ordered=True,
    )
    scores = second.factor_scores(method="eap", std_errors=True)
    table = second.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    B = np.array([table["g", "=~", name] for name in "abc"])
    psi = np.array([table[name, "~~", name] for name in "abc"])
    g = table["g", "~~", "g"]
    weights = g * B @ np.linalg.inv(g * np.outer(B, B) + np.diag(psi))
    np.testing.assert_allclose(scores["g"], scores[["a", "b", "c"]] @ weights, atol=1e-8)


def test_dependent_items_are_warned_of_and_inadmissible_ones_refused(survey: pd.DataFrame) -> None:
    fit = psm.cfa("a =~ psm1 + psm2 + psm3 + psm4\npsm1 ~~ psm2", survey, ordered=True)
    with pytest.warns(psm.PsmAnalysisWarning, match="psm1, psm2"):
        fit.factor_scores()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        heywood = psm.cfa("a =~ 1*psm1 + 2*psm2 + psm3 + psm4\na ~~ 0.5*a", survey, ordered=True)
        with pytest.raises(ModelError, match="residual variance of 'psm2'"):
            heywood.factor_scores()
        parallel = psm.cfa("a =~ psm1 + psm2\nb =~ psm1 + psm3\na ~~ 1*a\nb ~~ 1*b\na ~~ 1.2*b", survey, ordered=True)
        with pytest.raises(ModelError, match="covariance matrix is not positive definite"):
            parallel.factor_scores()


def test_many_factors_have_modes_only(survey: pd.DataFrame) -> None:
    scales = {"a": ("psm", 1), "b": ("psm", 5), "c": ("psm", 9), "d": ("ei", 1), "e": ("ei", 5)}
    text = "\n".join(f"{f} =~ " + " + ".join(f"{s}{k + i}" for i in range(3)) for f, (s, k) in scales.items())
    five = psm.cfa(text, survey, ordered=True)
    with pytest.raises(OptionError, match="quadrature serves up to 4"):
        five.factor_scores(method="eap")
    assert five.factor_scores(method="ebm").shape[1] == 5


def test_continuous_scores_have_standard_errors(golden_data) -> None:  # type: ignore[no-untyped-def]
    """lavPredict(fit, se = "standard") of lavaan 0.6-14."""
    fit = psm.cfa("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6", golden_data("holzinger.csv"))
    regression = fit.factor_scores(std_errors=True)
    np.testing.assert_allclose(regression.filter(like="_std_error").iloc[7], [0.48675, 0.3322855], atol=1e-5)
    bartlett = fit.factor_scores(method="bartlett", std_errors=True)
    np.testing.assert_allclose(bartlett.filter(like="_std_error").iloc[7], [0.6060319, 0.3566292], atol=1e-5)
    pd.testing.assert_frame_equal(fit.factor_scores(method="eap"), fit.factor_scores())
