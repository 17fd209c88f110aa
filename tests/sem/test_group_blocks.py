"""``group:`` blocks: different models in different groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import ModelError, PsmAnalysisError

DIFFERENT = """
group: 1
visual =~ x1 + a*x2 + x3
textual =~ x4 + x5 + x6
group: 2
visual =~ x1 + a*x2 + x3 + x4
textual =~ x4 + x5 + x6
x2 ~~ x5
visual ~~ 0.3*textual
"""
OTHER_FACTORS = """
group: "Grant-White"
visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
group: Pasteur
general =~ x1 + x2 + x3 + x4 + x5 + x6
"""
SAME = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"


def test_different_models_agree_with_lavaan(holzinger: pd.DataFrame) -> None:
    # lavaan 0.6-14 on R 4.2.2: cfa(DIFFERENT, data, group = "school")
    fit = psm.cfa(DIFFERENT, holzinger, group="school")
    m = fit.fit_measures
    expected = {"chisq": 32.622, "df": 16, "npar": 38, "cfi": 0.974, "srmr": 0.058, "logl": -2481.318}
    assert {name: m[name] for name in expected} == pytest.approx(expected, abs=5e-4)
    rows = fit.tidy().set_index(["lhs", "op", "rhs", "group"])[["estimate", "std_error"]]
    for key, values in {
        ("visual", "=~", "x2", "Pasteur"): (0.655, 0.112),
        ("visual", "=~", "x2", "Grant-White"): (0.655, 0.112),
        ("visual", "=~", "x4", "Grant-White"): (0.076, 0.111),
        ("x2", "~~", "x5", "Grant-White"): (-0.045, 0.063),
        ("visual", "~~", "textual", "Grant-White"): (0.3, 0.0),
        ("textual", "~~", "textual", "Pasteur"): (0.889, 0.150),
    }.items():
        assert rows.loc[key].to_list() == pytest.approx(values, abs=5e-4)
    assert ("visual", "=~", "x4", "Pasteur") not in rows.index


def test_groups_with_other_factors(holzinger: pd.DataFrame) -> None:
    # lavaan 0.6-14: chisq 70.297, df 17, npar 37, logl -2500.155; R-square of x2 0.023 and 0.284
    fit = psm.cfa(OTHER_FACTORS, holzinger, group="school")
    expected = {"chisq": 70.297, "df": 17, "npar": 37, "cfi": 0.917, "srmr": 0.067, "logl": -2500.155}
    assert {name: fit.fit_measures[name] for name in expected} == pytest.approx(expected, abs=5e-4)
    assert fit.r_squared["Pasteur"]["x2"] == pytest.approx(0.023, abs=5e-4)
    assert fit.r_squared["Grant-White"]["x2"] == pytest.approx(0.284, abs=5e-4)
    scores = fit.factor_scores()
    general = scores.loc[holzinger["school"] == "Pasteur", "general"]
    assert general.notna().all()
    assert scores.loc[holzinger["school"] == "Pasteur", "visual"].isna().all()
    first = fit.modification_indices().iloc[0]
    assert (first["lhs"], first["rhs"], first["group"]) == ("x1", "x3", "Pasteur")
    assert not (
        (fit.modification_indices()["lhs"] == "visual") & (fit.modification_indices()["group"] == "Pasteur")
    ).any()


@pytest.mark.parametrize("options", [{}, {"group_equal": ["loadings", "intercepts"]}, {"estimator": "MLR"}])
def test_the_same_model_in_every_block_is_the_model_without_blocks(
    holzinger: pd.DataFrame, options: dict[str, Any]
) -> None:
    blocks = f"group: Pasteur\n{SAME}\ngroup: 'Grant-White'\n{SAME}"
    with_blocks = psm.cfa(blocks, holzinger, group="school", **options)
    without = psm.cfa(SAME, holzinger, group="school", **options)
    pd.testing.assert_frame_equal(with_blocks.tidy(), without.tidy())
    assert dict(with_blocks.fit_measures) == dict(without.fit_measures)


def test_blocks_may_stand_in_any_order_and_share_constraints(holzinger: pd.DataFrame) -> None:
    first = "group: Pasteur\nf =~ x4 + a*x5 + x6\ngroup: 'Grant-White'\nf =~ x4 + b*x5 + x6\ngap := a - b"
    second = "group: 'Grant-White'\nf =~ x4 + b*x5 + x6\ngroup: Pasteur\nf =~ x4 + a*x5 + x6\ngap := a - b"
    one, two = (psm.cfa(text, holzinger, group="school").tidy() for text in (first, second))
    pd.testing.assert_frame_equal(one, two)
    gap = one[one["op"] == ":="]["estimate"].item()
    loadings = one.query("rhs == 'x5' and op == '=~'")["estimate"].to_numpy()
    assert gap == pytest.approx(loadings[0] - loadings[1])


def test_labels_go_before_numbers(holzinger: pd.DataFrame) -> None:
    data = holzinger.assign(wave=np.where(holzinger["school"] == "Pasteur", 2, 1))
    fit = psm.cfa("group: 2\nf =~ x4 + x5 + x6\ngroup: 1\ng =~ x4 + x5 + x6", data, group="wave")
    frame = fit.tidy()
    assert set(frame.loc[frame["lhs"] == "f", "group"]) == {"2"}


def test_moments_of_groups(holzinger: pd.DataFrame) -> None:
    parts = [holzinger.loc[holzinger["school"] == s, ["x4", "x5", "x6", "x7"]] for s in ("Pasteur", "Grant-White")]
    text = "group: 1\nf =~ x4 + x5 + x6 + x7\ngroup: 2\nf =~ x4 + x5 + x6 + x7\nx6 ~~ x7"
    fit = psm.cfa(text, sample_cov=[part.cov() for part in parts], sample_nobs=[len(part) for part in parts])
    assert fit.fit_measures["df"] == 3


@pytest.mark.parametrize(
    ("model", "options", "what"),
    [
        (f"group: 1\n{SAME}\ngroup: 2\n{SAME}", {}, "there are no groups"),
        (f"group: 1\n{SAME}", {"group": "school"}, "no relation for the group 'Grant-White'"),
        (f"group: 1\n{SAME}\ngroup: 3\n{SAME}", {"group": "school"}, "'group: 3' belongs to no group"),
        (f"group: Pasteur\n{SAME}\ngroup: Grant\n{SAME}", {"group": "school"}, "'group: Grant' belongs to no group"),
        (f"group: 1\n{SAME}\ngroup: 1\n{SAME}", {"group": "school"}, "two blocks 'group: 1'"),
        (f"x1 ~~ x4\ngroup: 1\n{SAME}\ngroup: 2\n{SAME}", {"group": "school"}, "stands before the first group"),
        (f"group: 1\n{SAME}\nx1 ~~ c(a, b)*x4\ngroup: 2\n{SAME}", {"group": "school"}, "values for several groups"),
        (f"group: 1\n{SAME}\ngroup: 2\nf =~ x1 + x2 + x3", {"group": "school"}, "'x4' is not in the model of"),
        ("group: 1\nx1 ~ x2\ngroup: 2\nx2 ~ x1", {"group": "school"}, "exogenous in one group"),
        (f"group: 1\n{SAME}\nlevel: 2\n{SAME}", {"group": "school", "cluster": "ageyr"}, "not available in two-level"),
        (f"group: 1\n{SAME}\nlevel: 2\n{SAME}", {"cluster": "ageyr"}, "levels and a block 'group: 1'"),
        (f"class: 1\n{SAME}", {}, "'class: 1' cannot be estimated"),
        (f"group: 1 2\n{SAME}", {"group": "school"}, "Expected one value after 'group:'"),
        ('group: 1\nefa("b")*f + efa("b")*g =~ x1 + x2 + x3 + x4', {"group": "school"}, "Exploratory factors"),
    ],
)
def test_what_is_refused(holzinger: pd.DataFrame, model: str, options: dict[str, Any], what: str) -> None:
    with pytest.raises(PsmAnalysisError) as caught:
        psm.cfa(model, holzinger, **options)
    assert what in str(caught.value)


def test_the_nearest_group_is_named(holzinger: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match="Did you mean 'Pasteur'"):
        psm.cfa(f"group: Pastor\n{SAME}\ngroup: 'Grant-White'\n{SAME}", holzinger, group="school")
