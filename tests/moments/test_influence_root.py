"""Influence functions of many rows: their cross-product is that of the rows themselves, span by span."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.moments import polychoric
from psm_analysis.moments.influence import SPAN, influence_table
from psm_analysis.moments.ordinal import category_indicators, count_answers, pair_tables


def answers(n: int, p: int, *, share: float = 0.0, seed: int = 3) -> np.ndarray:
    """Return five-point answers of one factor, some of them missing."""
    rng = np.random.default_rng(seed)
    rows = 0.7 * rng.normal(size=(n, 1)) + 0.7 * rng.normal(size=(n, p))
    codes = np.digitize(rows, [-1.2, -0.4, 0.3, 1.1])
    return np.where(rng.random((n, p)) < share, -1, codes)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_root_has_the_cross_product_of_the_rows(weighted: bool) -> None:
    codes = answers(SPAN + 500, 4, share=0.1)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, len(codes)) if weighted else None
    moments = polychoric.ordinal_moments(codes, np.full(4, 5), weights=weights, keep="nothing")
    counts, tables = count_answers(codes, 5, weights=weights)
    row, column = polychoric.pair_indices(4)
    table = influence_table(
        np.full(4, 5),
        thresholds=moments.thresholds.reshape(4, 4),
        counts=counts,
        tables=tables,
        rho=moments.correlations[row, column],
    )
    rows, root = table.casewise(codes, weights), table.root(codes, weights)
    assert rows.shape == (len(codes), 22)
    assert root.shape == (22, 22)
    expected = rows.T @ rows
    np.testing.assert_allclose(root.T @ root, expected, rtol=1e-10, atol=1e-10 * expected.max())
    np.testing.assert_allclose(table.squares(codes, weights), np.diagonal(expected), rtol=1e-10)


def test_tables_of_spans_are_those_of_all_rows() -> None:
    codes = answers(SPAN + 500, 3, share=0.1)
    indicators = category_indicators(codes, 5)
    counts, tables = count_answers(codes, 5, weights=None)
    np.testing.assert_array_equal(counts, indicators.sum(axis=0))
    np.testing.assert_array_equal(tables, pair_tables(indicators))


@pytest.mark.parametrize("estimator", ["WLSMV", "WLSM", "ULSMV", "DWLS", "WLS"])
def test_fits_of_many_rows_are_those_of_casewise_influences(estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pd.DataFrame(answers(3000, 5), columns=list("abcde"))
    model = "f =~ a + b + c + d + e"
    plain = psm.cfa(model, data, estimator=estimator, ordered=True)
    monkeypatch.setattr(polychoric, "MANY", 1000)
    many = psm.cfa(model, data, estimator=estimator, ordered=True)
    assert many.sample.groups[0].ordinal.influence.shape == (30, 30)
    for measure, value in plain.fit_measures.items():
        assert many.fit_measures[measure] == pytest.approx(value, rel=1e-9, abs=1e-10, nan_ok=True)
    np.testing.assert_allclose(many.tidy()["std_error"], plain.tidy()["std_error"], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(many.residuals("standardized"), plain.residuals("standardized"), atol=1e-8)


def test_rows_are_kept_where_they_are_summed_by_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pd.DataFrame(answers(1500, 4), columns=list("abcd")).assign(unit=np.arange(1500) // 10)
    model = "f =~ a + b + c + d"
    plain = psm.cfa(model, data, ordered=True, cluster="unit").fit_measures
    monkeypatch.setattr(polychoric, "MANY", 1000)
    assert psm.cfa(model, data, ordered=True, cluster="unit").fit_measures == plain
