"""Sampling weights and clusters with ordinal variables and with incomplete rows.

Figures of lavaan 0.6-14 (``sampling.weights = "weight"``, ``cluster = "unit"``): chi-square, scaled chi-square, scaled
chi-square of the baseline, the loading of psm3 (last group) and its standard error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

TWO = "a =~ psm1 + psm2 + psm3 + psm4\nb =~ psm5 + psm6 + psm7 + psm8"
REGRESSED = "a =~ psm1 + psm2 + psm3 + psm4\na ~ gender\nti1 ~ a + gender"
ITEMS = [f"psm{i}" for i in range(1, 9)]
WEIGHTS, UNITS = {"sampling_weights": "weight"}, {"cluster": "unit"}

Case = tuple[str, dict[str, Any], tuple[float, ...]]
CASES: dict[str, Case] = {
    "ordinal": (
        TWO,
        {"ordered": True} | WEIGHTS,
        (7.19466061620022, 12.8816197522405, 3216.05238320843, 0.908839541246696, 0.0443270544278705),
    ),
    "pairwise": (
        TWO,
        {"ordered": True, "missing": "pairwise"} | WEIGHTS,
        (6.76542206655132, 12.1263800318488, 3482.79994330127, 0.923822180266602, 0.0433848440539646),
    ),
    "mixture": (
        TWO,
        {"ordered": ITEMS[:5]} | WEIGHTS,
        (6.10952779860539, 12.8893674609102, 2344.65671755865, 0.90993510174729, 0.0438942061505309),
    ),
    "covariates": (
        REGRESSED,
        {"ordered": [*ITEMS[:4], "ti1"]} | WEIGHTS,
        (2.17220953381053, 3.9217651901176, 1711.89183186535, 0.898021161595446, 0.0423570639064609),
    ),
    "groups": (
        TWO,
        {"ordered": True, "group": "gender"} | WEIGHTS,
        (17.13266506504, 29.8835909932727, 3250.07369164041, 0.858485228909954, 0.0727807083870082),
    ),
    "ulsmv-theta": (
        TWO,
        {"ordered": True, "estimator": "ULSMV", "parameterization": "theta"} | WEIGHTS,
        (7.86019210558653, 12.7355440258292, 2672.44947775021, 0.816879603313233, 0.0942810532875955),
    ),
    "fiml": (
        TWO,
        {"missing": "fiml"} | WEIGHTS,
        (10.9922591748987, 9.87159791662313, 2041.99578998574, 0.905002491979697, 0.0494044725628033),
    ),
    "fiml-covariates": (
        REGRESSED,
        {"missing": "fiml"} | WEIGHTS,
        (5.27271537002658, 4.53689952464881, 988.279133774268, 0.887398239114423, 0.0508159732982566),
    ),
    "fiml-groups": (
        TWO,
        {"missing": "fiml", "group": "gender"} | WEIGHTS,
        (36.822764976582, 33.1020220856528, 2059.12619516834, 0.850726017320769, 0.0743600918184072),
    ),
    "fiml-units": (
        TWO,
        {"missing": "fiml"} | UNITS,
        (9.35764580787612, 9.99641026538874, 2612.54470499232, 0.910180273635056, 0.0395898606012362),
    ),
    "fiml-units-covariates": (
        REGRESSED,
        {"missing": "fiml"} | UNITS,
        (5.00689109707562, 5.14191982346196, 1231.56627663252, 0.889247840471462, 0.0443312772306738),
    ),
    "fiml-units-weights": (
        TWO,
        {"missing": "fiml"} | UNITS | WEIGHTS,
        (10.9922591748987, 10.1799140978994, 2258.53164438427, 0.905002491979697, 0.0429512814891889),
    ),
}


@pytest.fixture(scope="module")
def survey(golden_data) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return golden_data("survey.csv")


@pytest.mark.parametrize("name", CASES)
def test_weights_and_clusters_agree_with_lavaan(survey: pd.DataFrame, name: str) -> None:
    model, options, (chisq, scaled, baseline, loading, error) = CASES[name]
    fit = psm.sem(model, survey, **options)
    assert fit.fit_measures["chisq"] == pytest.approx(chisq, rel=1e-4)
    assert fit.fit_measures["chisq_scaled"] == pytest.approx(scaled, rel=1e-4)
    assert fit.fit_measures["baseline_chisq_scaled"] == pytest.approx(baseline, rel=1e-4)
    row = fit.tidy().query("op == '=~' and rhs == 'psm3'").iloc[-1]
    assert row["estimate"] == pytest.approx(loading, abs=2e-5)
    assert row["std_error"] == pytest.approx(error, rel=2e-4)


def test_weighted_wls_of_ordinal_variables(survey: pd.DataFrame) -> None:
    fit = psm.cfa(TWO, survey, ordered=True, estimator="WLS", sampling_weights="weight")
    assert fit.fit_measures["chisq"] == pytest.approx(10.3158079965331, rel=1e-4)
    row = fit.tidy().query("op == '=~' and rhs == 'psm3'").iloc[0]
    assert row["std_error"] == pytest.approx(0.0419298243176921, rel=2e-4)


@pytest.mark.parametrize("options", [{"ordered": True, "estimator": "ULSMV"}, {"missing": "fiml"}])
def test_whole_weights_are_repeated_rows_of_one_person(survey: pd.DataFrame, options: dict[str, Any]) -> None:
    """Same estimates; repeated rows that are clusters also have the same standard errors, but for J / (J - 1).

    (ULSMV, because the weights of WLSMV are variances that take repeated rows of no known person for independent ones.)
    """
    rows = survey.dropna().head(300).reset_index(drop=True).assign(times=np.arange(300) % 3 + 1)
    rows["person"] = rows.index
    repeated = rows.loc[rows.index.repeat(rows["times"])].reset_index(drop=True)
    weighted = psm.cfa(TWO, rows, sampling_weights="times", **options).tidy()
    clustered = psm.cfa(TWO, repeated, cluster="person", **options).tidy()
    np.testing.assert_allclose(weighted["estimate"], clustered["estimate"], atol=2e-6)
    # least squares divides by N - 1, and N is 300 on one side and 600 on the other
    factor = np.sqrt(600 / 599) if "ordered" in options else np.sqrt(300 / 299)
    np.testing.assert_allclose(clustered["std_error"], weighted["std_error"] * factor, rtol=2e-5)


def test_equal_weights_change_nothing(survey: pd.DataFrame) -> None:
    for options in ({"ordered": True, "group": "gender"}, {"missing": "fiml", "estimator": "MLR"}):
        plain = psm.cfa(TWO, survey, **options)  # type: ignore[arg-type]
        same = psm.cfa(TWO, survey.assign(w=2.5), sampling_weights="w", **options)  # type: ignore[arg-type]
        for name, value in plain.fit_measures.items():
            assert same.fit_measures[name] == pytest.approx(value, rel=1e-6, abs=1e-8), name
        np.testing.assert_allclose(same.tidy()["std_error"], plain.tidy()["std_error"], rtol=1e-6)


@pytest.mark.slow
def test_errors_of_ordinal_fits_allow_for_clusters() -> None:
    """The standard errors are the spread of the estimates; those that ignore the units are too small."""
    rng = np.random.default_rng(9)
    found, stated, naive = [], [], []
    for _ in range(60):
        unit = np.repeat(np.arange(40), 15)
        common = rng.normal(size=(40, 4))[unit] * 0.6
        latent = 0.7 * rng.normal(size=(600, 1)) + common + 0.4 * rng.normal(size=(600, 4))
        frame = pd.DataFrame(np.digitize(latent, [-0.6, 0.5]), columns=list("abcd")).assign(unit=unit)
        fit = psm.cfa("f =~ a + b + c + d", frame, ordered=True, std_lv=True, cluster="unit")
        plain = psm.cfa("f =~ a + b + c + d", frame, ordered=True, std_lv=True)
        chosen = fit.tidy()["op"].isin(["=~", "|"])
        found.append(fit.tidy().loc[chosen, "estimate"])
        stated.append(fit.tidy().loc[chosen, "std_error"])
        naive.append(plain.tidy().loc[chosen, "std_error"])
    spread = np.std(found, axis=0)
    assert np.mean(stated, axis=0) / spread == pytest.approx(1.0, abs=0.25)
    assert (np.mean(naive, axis=0) / spread)[4:].max() < 0.7


def test_weighted_polychoric_correlations(survey: pd.DataFrame) -> None:
    items = survey[ITEMS[:4]].dropna().head(300)
    times = np.arange(300) % 3 + 1
    weighted = psm.polychoric(items, weights=times)
    repeated = psm.polychoric(items.loc[items.index.repeat(times)].reset_index(drop=True))
    np.testing.assert_allclose(weighted.correlations, repeated.correlations, atol=1e-8)
    np.testing.assert_allclose(weighted.thresholds, repeated.thresholds, atol=1e-10)
    for weights in (times[:10], -times, np.where(times == 1, np.nan, 1.0)):
        with pytest.raises(psm.PsmAnalysisError, match="positive numbers, one per row"):
            psm.polychoric(items, weights=weights)


def test_errors_of_weighted_polychoric_correlations(survey: pd.DataFrame) -> None:
    """The asymptotic covariance is that of the saturated model of `cfa`, which agrees with lavaan."""
    items = survey[[*ITEMS[:3], "weight"]].dropna()
    saturated = psm.cfa("psm1 ~~ psm2 + psm3\npsm2 ~~ psm3", items, ordered=True, sampling_weights="weight")
    table = saturated.tidy().query("op == '~~' and lhs != rhs")
    weighted = psm.polychoric(items[ITEMS[:3]], weights=items["weight"])
    own = weighted.tidy().query("op == '~~'")
    np.testing.assert_allclose(own["estimate"], table["estimate"], atol=1e-6)
    n = len(items)
    np.testing.assert_allclose(own["std_error"], table["std_error"] * np.sqrt((n - 1) / n), rtol=1e-5)
