"""Power by the RMSEA against semTools 0.5-6, the printed tables, and the definition."""

from __future__ import annotations

import pytest
from scipy import stats

import psm_analysis as psm


def test_power_equals_that_of_semtools() -> None:
    """semTools 0.5-6: findRMSEApower(.05, .08 | .01, df, n = 200); findRMSEApower(0, .05, df, n = 200)."""
    df = (5, 10, 20, 50, 100)
    close = [0.199433, 0.293721, 0.454368, 0.769105, 0.954950]
    not_close = [0.124100, 0.191336, 0.313827, 0.608239, 0.870136]
    exact = [0.188158, 0.266449, 0.399739, 0.683950, 0.903875]
    assert [psm.rmsea_power(d, 200) for d in df] == pytest.approx(close, abs=1e-6)
    assert [psm.rmsea_power(d, 200, alternative=0.01) for d in df] == pytest.approx(not_close, abs=1e-6)
    assert [psm.rmsea_power(d, 200, null=0.0, alternative=0.05) for d in df] == pytest.approx(exact, abs=1e-6)
    assert psm.rmsea_power(50, 400, n_groups=2) == pytest.approx(0.770322, abs=1e-6)


def test_smallest_samples_are_those_of_the_printed_table() -> None:
    """MacCallum, Browne and Sugawara (1996), Table 4, power .80; their search stopped within 0.3 percent.

    The exact numbers are those of semTools 0.5-6, findRMSEAsamplesize(), and of a search by R's pchisq() one by one.
    """
    df = (2, 4, 6, 8, 10, 20, 30, 40, 50, 75, 100)
    close = [3488, 1807, 1238, 954, 782, 435, 314, 252, 214, 161, 132]
    not_close = [2382, 1426, 1069, 875, 750, 474, 366, 307, 268, 210, 178]
    for d, printed, other in zip(df, close, not_close, strict=True):
        assert psm.rmsea_sample_size(d) == pytest.approx(printed, rel=0.003, abs=1)
        assert psm.rmsea_sample_size(d, alternative=0.01) == pytest.approx(other, rel=0.003, abs=1)
    exact = [3494, 1803, 1238, 953, 782, 434, 314, 252, 214, 160, 132]
    exact_not_close = [2382, 1428, 1069, 874, 750, 474, 367, 307, 268, 210, 178]
    assert [psm.rmsea_sample_size(d) for d in df] == exact
    assert [psm.rmsea_sample_size(d, alternative=0.01) for d in df] == exact_not_close
    n = psm.rmsea_sample_size(10)
    assert psm.rmsea_power(10, n) >= 0.80 > psm.rmsea_power(10, n - 1)


def test_nested_models_equal_semtools() -> None:
    """semTools 0.5-6: findRMSEApowernested()."""
    found = psm.rmsea_difference_power((22, 20), 200, alternative=(0.06, 0.05))
    assert found == pytest.approx(0.569501, abs=1e-6)
    small = psm.rmsea_difference_power((22, 20), 500, null=(0.05, 0.045), alternative=(0.07, 0.05))
    assert small == pytest.approx(0.839859, abs=1e-6)


def test_precision_is_the_interval_at_the_expected_chi_square() -> None:
    low, high = psm.rmsea_precision(50, 300)
    chisq = 50 + 299 * 50 * 0.05**2
    assert stats.ncx2.cdf(chisq, 50, 299 * 50 * low**2) == pytest.approx(0.95, abs=1e-8)
    assert stats.ncx2.cdf(chisq, 50, 299 * 50 * high**2) == pytest.approx(0.05, abs=1e-8)
    n = psm.rmsea_precision_sample_size(50, width=0.04)
    widths = [psm.rmsea_precision(50, size)[1] - psm.rmsea_precision(50, size)[0] for size in (n - 1, n)]
    assert widths[1] <= 0.04 < widths[0]


@pytest.mark.parametrize("power", [0.0, 0.04, 1.0, 1.2])
def test_an_impossible_power_is_refused(power: float) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="is not possible"):
        psm.rmsea_sample_size(10, power=power)


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(psm.PsmAnalysisError, match="df=0"):
        psm.rmsea_power(0, 200)
    with pytest.raises(psm.PsmAnalysisError, match="cannot be told apart"):
        psm.rmsea_power(10, 200, null=0.05, alternative=0.05)
    with pytest.raises(psm.PsmAnalysisError, match="restriction that worsens fit"):
        psm.rmsea_difference_power((20, 22), 200, alternative=(0.06, 0.05))
    with pytest.raises(psm.PsmAnalysisError, match="ten million"):
        psm.rmsea_sample_size(1, null=0.05, alternative=0.0501)
