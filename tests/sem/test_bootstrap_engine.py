"""The engine of the bootstrap: clusters, studentised intervals, processes, interruption, statistics of fits."""

from __future__ import annotations

import signal
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sem.models import HOLZINGER

import psm_analysis as psm
from psm_analysis.sem import bootstrap_job
from psm_analysis.sem.bootstrap import bootstrap
from psm_analysis.sem.bootstrap_batch import BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_gradient import Moments, group_gradient
from psm_analysis.sem.bootstrap_resample import Units, bootstrap_units, drawn_units, weighted_moments
from psm_analysis.sem.bootstrap_scoring import scored
from psm_analysis.sem.chunks import run_chunks

MEDIATION = "m ~ a*x\ny ~ b*m + c*x\nab := a*b"
FACTOR = "f =~ p + q + r + s"


def mediation(n: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.5 * x + rng.normal(size=n)
    return pd.DataFrame({"x": x, "m": m, "y": 0.4 * m + 0.2 * x + rng.normal(size=n)})


def clustered(groups: int = 1, seed: int = 3) -> pd.DataFrame:
    """Return items of one factor in clusters of unequal size."""
    rng = np.random.default_rng(seed)
    frames = []
    for g in range(groups):
        sizes = rng.integers(2, 12, size=30)
        unit = np.repeat(np.arange(30), sizes)
        factor = 0.6 * rng.normal(size=30)[unit] + 0.8 * rng.normal(size=len(unit))
        noise = 0.5 * rng.normal(size=(30, 4))[unit] + 0.5 * rng.normal(size=(len(unit), 4))
        frame = pd.DataFrame(factor[:, None] * [1.0, 0.9, 0.8, 0.7] + noise, columns=list("pqrs"))
        frames.append(frame.assign(unit=unit + 100 * g, g="AB"[g]))
    return pd.concat(frames, ignore_index=True)


def test_percentile_and_bca_equal_a_naive_loop() -> None:
    data = mediation(40)
    fit, drawn = psm.sem(MEDIATION, data), drawn_units([40], 0, 60, seed=8)[0]

    def ab(rows: pd.DataFrame) -> float:
        return float(psm.sem(MEDIATION, rows).tidy().set_index("lhs").loc["ab", "estimate"])

    draws = np.array([ab(data.iloc[rows]) for rows in drawn])
    left_out = np.array([ab(data.drop(index=i)) for i in range(40)])
    estimate = ab(data)
    gap = left_out.mean() - left_out
    a = (gap**3).sum() / (6.0 * (gap**2).sum() ** 1.5)
    z0 = stats.norm.ppf((draws < estimate).mean())
    shares = [stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in stats.norm.ppf([0.025, 0.975])]
    for ci, places in (("percentile", [0.025, 0.975]), ("bca", shares)):
        row = fit.bootstrap(60, seed=8, ci=ci).tidy().set_index("lhs").loc["ab"]  # type: ignore[arg-type]
        expected = np.quantile(draws, places, method="weibull")
        assert row[["ci_low", "ci_high"]].to_list() == pytest.approx(expected.tolist(), abs=1e-8)


def test_studentized_intervals_equal_a_naive_loop() -> None:
    data = mediation(60)
    fit, drawn = psm.sem(MEDIATION, data), drawn_units([60], 0, 60, seed=2)[0]
    own = fit.tidy().set_index("lhs").loc["ab"]
    rows = [psm.sem(MEDIATION, data.iloc[i]).tidy().set_index("lhs").loc["ab"] for i in drawn]
    t = np.array([(row["estimate"] - own["estimate"]) / row["std_error"] for row in rows])
    high, low = np.quantile(t, [0.025, 0.975], method="weibull")
    found = fit.bootstrap(60, seed=2, ci="studentized")
    row = found.tidy().set_index("lhs").loc["ab"]
    expected = [own["estimate"] - low * own["std_error"], own["estimate"] - high * own["std_error"]]
    assert row[["ci_low", "ci_high"]].to_list() == pytest.approx(expected, abs=1e-7)
    effects = psm.indirect_effects(fit, bootstrap=found).tidy().set_index("effect").loc["x -> m -> y"]
    assert effects[["ci_low", "ci_high"]].to_list() == pytest.approx(expected, abs=1e-7)
    assert effects["std_all_ci_low"] < effects["std_all"] < effects["std_all_ci_high"]


def test_studentized_intervals_of_a_robust_fit_use_its_errors() -> None:
    data = mediation(60)
    fit, drawn = psm.sem(MEDIATION, data, estimator="MLR"), drawn_units([60], 0, 4, seed=2)[0]
    found = bootstrap(fit, 4, seed=2, ci="studentized")
    again = psm.sem(MEDIATION, data.iloc[drawn[1]], estimator="MLR")
    np.testing.assert_allclose(found.vcov[1], again.free_vcov, atol=1e-8)


@pytest.mark.parametrize("groups", [1, 2])
def test_cluster_bootstrap_equals_a_naive_loop(groups: int) -> None:
    data = clustered(groups)
    more: dict[str, Any] = {"group": "g", "group_equal": ["loadings"]} if groups > 1 else {}
    fit = psm.cfa(FACTOR, data, cluster="unit", **more)
    found = bootstrap(fit, 5, seed=4, kind="cluster")
    drawn = drawn_units([30] * groups, 0, 5, seed=4)
    for i in range(5):
        parts = []
        for g in range(groups):
            mine = data[data["g"] == "AB"[g]]
            labels = mine["unit"].unique()
            parts += [mine[mine["unit"] == labels[k]] for k in drawn[g][i]]
        again = psm.cfa(FACTOR, pd.concat(parts), meanstructure=True, **more)
        np.testing.assert_allclose(found.values[i], again.estimates, atol=1e-8)
        assert found.chisq[i] == pytest.approx(again.fit_measures["chisq"], abs=1e-7)


def test_cluster_bootstrap_sees_dependence_that_rows_do_not_show() -> None:
    data = clustered()
    robust = psm.cfa(FACTOR, data, cluster="unit")
    ours = robust.bootstrap(800, seed=1, kind="cluster").tidy()
    means = ours[ours["op"] == "~1"].iloc[:4]
    expected = robust.tidy().loc[means.index, "std_error"]
    plain = psm.cfa(FACTOR, data, meanstructure=True).tidy().loc[means.index, "std_error"]
    assert (means["std_error"] / expected).between(0.85, 1.15).all()
    assert (means["std_error"] > 1.25 * plain).all()
    bca = robust.bootstrap(100, seed=1, kind="cluster", ci="bca")
    assert len(bca.jackknife[0]) == 30


def test_members_keep_the_order_of_the_draws() -> None:
    unit = Units(np.zeros((5, 1)), np.array([1, 0, 1, 2, 0]))
    assert unit.members(np.array([2, 0, 0])).tolist() == [3, 1, 4, 1, 4]
    assert unit.frequencies(np.array([[2, 0, 0]])).tolist() == [[0.0, 2.0, 0.0, 1.0, 2.0]]
    assert unit.without(np.array([1])).tolist() == [[0.0, 1.0, 0.0, 1.0, 1.0]]


def test_numbers_do_not_depend_on_processes() -> None:
    fit = psm.sem(MEDIATION, mediation(80))
    one, two = bootstrap(fit, 30, seed=5, batch=8), bootstrap(fit, 30, seed=5, batch=8, processes=2)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_allclose(one.values, bootstrap(fit, 30, seed=5).values, atol=1e-10)


def test_ctrl_c_leaves_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def interrupted(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return fit_batch(*given)

    fit = psm.sem(MEDIATION, mediation(80))
    monkeypatch.setattr(bootstrap_job, "fit_batch", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background ignores it
    try:
        with pytest.warns(psm.PsmAnalysisWarning, match="stopped: it has 20 of 50 replicates"):
            found = bootstrap(fit, 50, seed=5, batch=10)
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.n == len(found.values) == 20
    monkeypatch.undo()
    np.testing.assert_allclose(found.values, bootstrap(fit, 20, seed=5, batch=10).values)


def test_ctrl_c_before_anything_is_done_goes_on() -> None:
    class Stopped:
        def run(self, start: int, stop: int) -> int:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_chunks(Stopped(), 10, batch=5)


def test_progress_is_shown_on_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    fit = psm.sem(MEDIATION, mediation(80))
    fit.bootstrap(20, seed=1, progress=True)
    assert "replicate" in capsys.readouterr().err


def test_the_gradient_of_factor_models_is_the_general_one(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER + "speed ~ visual", holzinger, group="school", group_equal=["loadings", "intercepts"])
    problem = BatchProblem.of(fit)
    moments = [Moments(g.cov[None], g.mean[None] + 0.1) for g in fit.sample.groups]
    z = np.random.default_rng(1).normal(size=(1, problem.basis.shape[1])) * 0.02
    values = problem.values(z, moments)
    layout, free = fit.problem.layouts[1], problem.free[1]
    fast = group_gradient(layout, free, values, sample=moments[1], means=True)
    h = 1e-6
    for k, row in enumerate(free.rows):
        ends = []
        for sign in (1.0, -1.0):
            moved = values.copy()
            moved[0, row] += sign * h
            ends.append(problem.chisq(moved, moments)[0] / fit.sample.groups[1].nobs)
        assert fast[0, k] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=2e-6)


def test_damped_scoring_finds_the_same_minima(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, holzinger)
    problem, unit = BatchProblem.of(fit), bootstrap_units(fit, "ordinary")[0]
    frequencies = unit.frequencies(drawn_units([unit.count], 0, 4, seed=1)[0])
    moments = [weighted_moments(unit.rows, frequencies)]
    z, done = scored(problem, moments)
    assert done.all()
    np.testing.assert_allclose(problem.values(z, moments), fit_batch(problem, moments).values, atol=1e-7)


def test_statistics_of_fits(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, holzinger)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", psm.PsmAnalysisWarning)
        found = psm.bootstrap_statistic(fit, psm.reliability, n=12, seed=3)
        cfi = psm.bootstrap_statistic(fit, lambda one: one.fit_measures["cfi"], n=12, seed=3)
    rows = drawn_units([301], 0, 12, seed=3)[0][7]
    again = psm.cfa(HOLZINGER, holzinger.iloc[rows])
    expected = psm.reliability(again).loc["textual", "omega"]
    assert found.draws["textual omega"].iloc[7] == pytest.approx(expected, abs=1e-6)
    assert cfi.draws["statistic"].iloc[7] == pytest.approx(again.fit_measures["cfi"], abs=1e-7)
    table = found.tidy().set_index("term")
    assert table.loc["textual omega", "std_error"] == pytest.approx(found.draws["textual omega"].std())
    assert found.glance()["used"].iloc[0] == 12


def test_statistics_of_ordinal_fits_and_bca() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(150, 1)) + rng.normal(size=(150, 3))
    data = pd.DataFrame(np.digitize(rows, [-1.0, 0.5]), columns=list("abc"))
    fit = psm.cfa("f =~ a + b + c", data, ordered=True)
    found = psm.bootstrap_statistic(fit, psm.reliability, n=6, seed=1).tidy()
    assert np.isfinite(found["ci_low"]).all()
    small = psm.sem(MEDIATION, mediation(30))
    row = psm.bootstrap_statistic(small, lambda one: one.r_squared["y"], n=80, seed=1, ci="bca").tidy().iloc[0]
    assert row["ci_low"] < row["estimate"] < row["ci_high"]


def test_what_cannot_be_done_is_refused(holzinger: pd.DataFrame) -> None:
    fit, data = psm.sem(MEDIATION, mediation(50)), clustered()
    with pytest.raises(psm.PsmAnalysisError, match="no clusters to draw"):
        fit.bootstrap(10, seed=1, kind="cluster")
    with pytest.raises(psm.PsmAnalysisError, match="Use kind='cluster'"):
        psm.cfa(FACTOR, data, cluster="unit").bootstrap(10, seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="n=1"):
        psm.bootstrap_statistic(fit, psm.reliability, n=1, seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="no standard error of its own"):
        psm.bootstrap_statistic(fit, psm.reliability, n=10, seed=1, ci="studentized")
    blocks = psm.sem('efa("b")*f + efa("b")*g =~ x1 + x2 + x3 + x4 + x5 + x6', holzinger)
    with pytest.raises(psm.PsmAnalysisError, match="exploratory blocks, or of two levels"):
        psm.bootstrap_statistic(blocks, lambda one: one.fit_measures["cfi"], n=10, seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="not made of numbers"):
        psm.bootstrap_statistic(fit, lambda one: one.estimator, n=10, seed=1)


@pytest.mark.slow
def test_errors_of_latent_paths_equal_the_delta_method() -> None:
    people = psm.population(
        "X =~ 0.8*a + 0.8*b + 0.7*c; Y =~ 0.8*d + 0.7*e + 0.7*h; X ~~ 1*X; Y ~ 0.4*X", standardized=True
    )
    fit = psm.sem("X =~ a + b + c\nY =~ d + e + h\nY ~ X", people.generate(3000, seed=1))
    found = fit.bootstrap(2000, seed=1).tidy()
    free = found["std_error"] > 0
    assert (found["std_error"] / fit.tidy()["std_error"])[free].between(0.9, 1.1).all()
