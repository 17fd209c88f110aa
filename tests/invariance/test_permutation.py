"""Permutation tests: batches against fits one by one, size under the hypothesis, power against drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.invariance.permutation_fits import MEASURES, permuted_measures, permuted_rows

MODEL = "f =~ a + b + c + d"
STEPS = ("configural", "metric", "scalar")


def two_groups(n: tuple[int, int], *, seed: int, drift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frames = []
    for g, size in enumerate(n):
        y = rng.normal(0.3 * g, 1.0, size=(size, 1)) * [1, 0.8, 0.9, 0.7] + rng.normal(size=(size, 4)) * 0.6
        y[:, 1] += drift * g
        frames.append(pd.DataFrame(y, columns=list("abcd")).assign(g=f"g{g}"))
    return pd.concat(frames, ignore_index=True)


def test_labels_are_exchanged_and_sizes_kept() -> None:
    rows = [np.zeros((3, 2)), np.zeros((4, 2))]
    draws = list(permuted_rows(rows, 5, seed=1))
    assert all(sorted(np.concatenate(draw)) == list(range(7)) for draw in draws)
    assert [[len(index) for index in draw] for draw in draws] == [[3, 4]] * 5
    again = list(permuted_rows(rows, 3, seed=1))
    assert all((a[0] == b[0]).all() for a, b in zip(draws, again, strict=False))


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_batches_against_fits_of_permuted_data(estimator: Any) -> None:
    data = two_groups((60, 90), seed=1)
    found = psm.invariance(MODEL, data, group="g", steps=STEPS, estimator=estimator)
    measures = permuted_measures(list(found.steps.values()), 3, seed=7)
    values = data[list("abcd")].to_numpy()
    for i, draw in enumerate(permuted_rows([values[:60], values[60:]], 3, seed=7)):
        labels = np.empty(150, dtype=object)
        labels[draw[0]], labels[draw[1]] = "g0", "g1"
        # The first group has to come first in the data, as it does in the fit.
        rows = data.assign(g=labels).sort_values("g")
        again = psm.invariance(MODEL, rows, group="g", steps=STEPS, estimator="ML")
        expected = [[again.steps[step].fit_measures[name] for name in MEASURES] for step in STEPS]
        np.testing.assert_allclose(measures[i], expected, rtol=1e-5, atol=1e-6)


def test_drift_is_found_in_small_groups_and_nothing_else() -> None:
    found = psm.invariance(MODEL, two_groups((40, 60), seed=3, drift=1.0), group="g", steps=STEPS)
    test = found.permutation_test(199, seed=1)
    table = test.tidy().set_index(["step", "measure"])
    assert table.loc[("scalar", "delta_chisq"), "p_value"] == 1 / 200
    assert table.loc[("scalar", "delta_cfi"), "p_value"] == 1 / 200
    assert table.loc[("metric", "delta_chisq"), "p_value"] > 0.05
    row = found.table.set_index("step").loc["scalar"]
    assert table.loc[("scalar", "delta_chisq"), "observed"] == pytest.approx(row["statistic"])
    assert table.loc[("scalar", "delta_cfi"), "observed"] == pytest.approx(row["delta_cfi"])
    assert table.loc[("scalar", "delta_cfi"), "critical"] == pytest.approx(
        np.quantile(test.distributions["scalar"][:, 1], 0.05)
    )
    assert test.glance()["solved"].item() == 199
    pd.testing.assert_frame_equal(test.tidy(), found.permutation_test(199, seed=1).tidy())


def test_incomplete_and_ordinal_rows_one_by_one() -> None:
    data = two_groups((80, 80), seed=5)
    data.loc[::9, "c"] = np.nan
    found = psm.invariance(MODEL, data, group="g", steps=STEPS[1:2], missing="fiml")
    test = found.permutation_test(20, seed=2).tidy()
    assert test["n"].tolist() == [20] * 4
    assert test["p_value"].between(1 / 21, 1).all()
    cut = data[list("abcd")].apply(lambda y: (y > 0).astype(int) + (y > 0.9)).assign(g=data["g"])
    ordinal = psm.invariance(MODEL, cut, group="g", steps=("metric",), ordered=list("abcd"))
    assert ordinal.permutation_test(20, seed=2).tidy()["p_value"].between(1 / 21, 1).all()


def test_refusals(golden_data: Any) -> None:
    data = two_groups((50, 50), seed=1)
    found = psm.invariance(MODEL, data, group="g", steps=STEPS[:2])
    with pytest.raises(psm.PsmAnalysisError, match="n=5 is too few"):
        found.permutation_test(5, seed=1)
    weighted = psm.invariance(MODEL, data.assign(w=1.5), group="g", steps=STEPS[:2], sampling_weights="w")
    with pytest.raises(psm.PsmAnalysisError, match="weights or in clusters are not exchangeable"):
        weighted.permutation_test(20, seed=1)
    waves = psm.longitudinal_invariance(
        "f =~ x1 + x2 + x3", golden_data("panel.csv"), waves={t: f"{{item}}_{t}" for t in ("t1", "t2")}, steps=STEPS[:2]
    )
    with pytest.raises(psm.PsmAnalysisError, match="Waves of the same persons"):
        waves.permutation_test(20, seed=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::psm_analysis.PsmAnalysisWarning")
def test_the_size_of_the_test_under_the_hypothesis() -> None:
    # Exchangeable groups: p values are uniform, so that 5 per cent of 60 samples are rejected (binomial: 0 to 9).
    rejected = np.zeros(2)
    for seed in range(60):
        data = two_groups((80, 100), seed=seed)
        data[list("abcd")] -= np.where(data["g"] == "g1", 0.3, 0.0)[:, None] * [1, 0.8, 0.9, 0.7]
        found = psm.invariance(MODEL, data, group="g", steps=STEPS[1:])
        table = found.permutation_test(39, seed=seed).tidy().query("measure.str.contains('chisq')")
        rejected += table["p_value"].to_numpy() <= 0.05
    assert (rejected <= 9).all()
