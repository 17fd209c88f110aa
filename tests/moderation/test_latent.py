"""Product indicators against semTools 0.5-6 (indProd), latent slopes against lavaan 0.6-14 and probe2WayMC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

SMALL = pd.DataFrame(
    {"x1": [1, 2, 4, 3, 5, 2], "x2": [2, 1, 5, 3, 4, 2], "w1": [3, 1, 2, 5, 4, 4], "w2": [2, 2, 1, 5, 3, 5]}
)
FACTORS = {"X": ["x1", "x2"], "W": ["w1", "w2"]}
SEMTOOLS = {
    "double": [[-0.0555555555556, 1.3333333333333], [1.4444444444444, 2.3333333333333],
               [-1.7222222222222, -3.8333333333333], [-0.0555555555556, 0.8333333333333],
               [1.4444444444444, 0.5000000000000], [-1.0555555555556, -1.1666666666667]],
    "mean": [[0.305555555556, 0.833333333333], [1.805555555556, 1.833333333333], [-1.361111111111, -4.333333333333],
             [0.305555555556, 0.333333333333], [1.805555555556, 0.0], [-0.694444444444, -1.666666666667]],
    "residual": [[-0.0429532858274, -0.1371733966746], [0.1043151227237, 0.3331353919240],
                 [0.0184085510689, 0.0587885985748], [0.3068091844814, 0.9798099762470],
                 [-0.1288598574822, -0.4115201900238], [-0.2577197149644, -0.8230403800475]],
}  # fmt: skip
MEASURED = "X =~ x1 + x2 + x3\nW =~ w1 + w2 + w3\nY =~ y1 + y2 + y3\n"
THREE = {"X": ["x1", "x2", "x3"], "W": ["w1", "w2", "w3"]}


@pytest.fixture(scope="module")
def latent() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parent / "latent_interaction.csv")


def fitted(latent: pd.DataFrame, **options: str) -> tuple[psm.SemResult, psm.ProductIndicators]:
    products = psm.product_indicators(latent, THREE, name="XW", **options)  # type: ignore[arg-type]
    return psm.sem(f"{MEASURED}{products.model}\nY ~ X + W + XW", products.data), products


@pytest.mark.parametrize("method", ["double", "mean", "residual"])
def test_products_are_those_of_semtools(method: str) -> None:
    found = psm.product_indicators(SMALL, FACTORS, method=method)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.data[["x1.w1", "x2.w2"]], SEMTOOLS[method], atol=1e-12)


def test_all_pairs_share_residuals() -> None:
    found = psm.product_indicators(SMALL, FACTORS, pairs="all", name="XW")
    assert list(found.products) == ["x1.w1", "x1.w2", "x2.w1", "x2.w2"]
    assert found.data["x1.w2"].tolist() == pytest.approx([2.0, 1.0, -13 / 6, 0.5, 1 / 6, -1.5])
    assert found.model.splitlines()[1:] == [
        "x1.w1 ~~ x1.w2", "x1.w1 ~~ x2.w1", "x1.w2 ~~ x2.w2", "x2.w1 ~~ x2.w2",
    ]  # fmt: skip


def test_latent_slopes_are_those_of_semtools(latent: pd.DataFrame) -> None:
    fit, products = fitted(latent)
    paths = fit.tidy().query("op == '~'").set_index("rhs")
    np.testing.assert_allclose(paths["estimate"], [0.3732742244, 0.2075703176, 0.3598626747], rtol=2e-5)
    np.testing.assert_allclose(paths["std_error"], [0.05698877924, 0.05361395070, 0.07440165771], rtol=2e-4)
    slopes = psm.simple_slopes(
        fit, predictor="X", moderator="W", outcome="Y", interactions=products.interactions, values=[-1, 0, 1]
    )
    frame = slopes.tidy()
    np.testing.assert_allclose(frame["estimate"], [0.0134115497, 0.373274224, 0.733136899], rtol=2e-4)
    np.testing.assert_allclose(frame["std_error"], [0.100047836, 0.0569887792, 0.0869315009], rtol=2e-4)


@pytest.mark.parametrize(
    ("method", "pairs"), [("double", "all"), ("mean", "matched"), ("residual", "matched"), ("residual", "all")]
)
def test_every_way_finds_the_interaction(latent: pd.DataFrame, method: str, pairs: str) -> None:
    """The population coefficient is 0.3; all ways stay within two standard errors of it and of each other."""
    fit, _ = fitted(latent, method=method, pairs=pairs)
    row = fit.tidy().query("op == '~' and rhs == 'XW'").iloc[0]
    assert fit.converged
    assert abs(row["estimate"] - 0.3) < 2 * row["std_error"]


def test_a_latent_moderated_mediation(latent: pd.DataFrame) -> None:
    products = psm.product_indicators(latent, THREE, name="XW")
    text = MEASURED + products.model + "\nY ~ a*X + W + a3*XW\n"
    data = products.data.assign(z=products.data["y1"] * 0.5 + np.arange(len(latent)) % 7)
    fit = psm.sem(text + "z ~ b*Y + X\nindex := a3*b\nat1 := (a + a3*1)*b\n", data)
    found = psm.conditional_effects(
        fit, predictor="X", outcome="z", moderator="W", interactions=products.interactions, values=[1.0]
    ).tidy()
    defined = fit.tidy().query("op == ':='").set_index("lhs")
    for name, kind in (("index", "index of moderated mediation"), ("at1", "indirect")):
        row = found[found["kind"] == kind].iloc[0]
        for column in ("estimate", "std_error", "ci_low", "ci_high"):
            assert row[column] == pytest.approx(defined.loc[name, column], rel=1e-8)


def test_missing_answers_make_missing_products() -> None:
    data = SMALL.astype(float)
    data.loc[0, "x1"] = np.nan
    for method in ("double", "mean", "none"):
        found = psm.product_indicators(data, FACTORS, method=method)  # type: ignore[arg-type]
        assert found.data["x1.w1"].isna().tolist() == [True] + [False] * 5
        assert found.data["x2.w2"].notna().all()
    assert found.tidy()["n"].tolist() == [5, 6]


def test_refusals(latent: pd.DataFrame) -> None:
    for factors, match in (
        ({"X": ["x1"]}, "two factors"),
        ({"X": ["x1", "x2"], "W": ["w1"] * 2}, "named twice"),
        ({"X": ["x1", "x2"], "W": ["x2", "w1"]}, "named twice"),
        ({"X": ["x1", "x2"], "W": ["w1", "w2", "w3"]}, "as many indicators"),
        ({"X": ["x1", "x9"], "W": ["w1", "w2"]}, "'x9' is not in the data"),
        ({"X": [], "W": ["w1", "w2"]}, "two factors"),
    ):
        with pytest.raises(psm.PsmAnalysisError, match=match):
            psm.product_indicators(latent, factors)
    with pytest.raises(psm.PsmAnalysisError, match="does not vary"):
        psm.product_indicators(latent.assign(x1=1.0), THREE)
    with pytest.raises(psm.PsmAnalysisError, match="not numeric"):
        psm.product_indicators(latent.assign(x1="a"), THREE)
    once = psm.product_indicators(latent, THREE)
    with pytest.raises(psm.PsmAnalysisError, match="already"):
        psm.product_indicators(once.data, THREE)
    with pytest.raises(psm.PsmAnalysisError, match="complete rows are too few"):
        psm.product_indicators(latent.head(6), THREE, method="residual")
