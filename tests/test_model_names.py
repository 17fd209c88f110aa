"""Columns may be called anything: the numbers are those of plain names, from every function that writes a model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis._model_names import quoted, summed, unquoted
from psm_analysis.errors import DataError, ModelError, ModelSyntaxError
from psm_analysis.method_bias.measurement import measurement_of
from psm_analysis.sem.syntax import parse_model
from psm_analysis.workflows.measurement import fixed_text, frozen_measurement

PLAIN = [f"x{k}" for k in range(12)]
ODD = ["item 1", "工作 投入", "a.b", "3rd", "post-test", "NA", "efa", "1", "y ~ x", "Q1: I feel, that", "c", "F1"]
OTHERS = {"f1": "F 1", "f2": "因子 2", "g": "my group", "w": "the wave", "w1": "w 1", "person": "person id"}
NAMES = dict(zip(PLAIN, ODD, strict=True)) | OTHERS


@cache
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    factor = rng.normal(size=(400, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    answers = 0.7 * np.repeat(factor, 6, axis=1) + 0.7 * rng.normal(size=(400, 12))
    data = pd.DataFrame(np.clip(np.round(answers * 1.2 + 3.0), 1, 5), columns=PLAIN)
    data["g"] = np.tile(["a", "b"], 200)
    data["x1"] += data["g"] == "b"
    return data.assign(w=np.tile([1, 1, 2, 2], 100), person=np.repeat(np.arange(200), 2), w1=rng.normal(size=400))


def data(names: dict[str, str]) -> pd.DataFrame:
    return frame().rename(columns=names)


def called(names: dict[str, str], *plain: str) -> list[str]:
    return [names.get(name, name) for name in plain]


def model(names: dict[str, str]) -> str:
    f1, f2 = called(names, "f1", "f2")
    own = called(names, *PLAIN)
    return f"{quoted(f1)} =~ {summed(own[:6])}\n{quoted(f2)} =~ {summed(own[6:])}"


def esem(names: dict[str, str]) -> pd.DataFrame:
    result = psm.efa(data(names)[called(names, *PLAIN)], 2, extraction="ml")
    return psm.cfa(result.to_syntax(), data(names), rotation="oblimin").tidy()


def invariance(names: dict[str, str]) -> pd.DataFrame:
    (group,) = called(names, "g")
    return psm.invariance(model(names), data(names), group=group, partial=True).table


def over_waves(names: dict[str, str]) -> pd.DataFrame:
    wave, person = called(names, "w", "person")
    own = data(names).assign(**{person: np.arange(400) // 4 * 2 + np.arange(400) % 2})
    return psm.longitudinal_invariance(model(names), own, waves=wave, id=person, steps=("configural", "metric")).table


def second_order(names: dict[str, str]) -> pd.DataFrame:
    f1, f2, own = *called(names, "f1", "f2"), called(names, *PLAIN)
    text = f"{quoted(f1)} =~ {summed(own[:4])}\n{quoted(f2)} =~ {summed(own[4:8])}\nlast =~ {summed(own[8:])}\n"
    (group,) = called(names, "g")
    text += f"{quoted('in all')} =~ {summed([f1, f2, 'last'])}"
    return psm.invariance(text, data(names), group=group, steps=("configural", "metric", "scalar")).table


def latent_product(names: dict[str, str]) -> pd.DataFrame:
    f1, f2, own = *called(names, "f1", "f2"), called(names, *PLAIN)
    made = psm.product_indicators(data(names), {f1: own[:3], f2: own[6:9]}, name="the product", method="residual")
    outcome = f"{quoted(*called(names, 'w1'))} ~ {summed([f1, f2, 'the product'])}"
    text = f"{quoted(f1)} =~ {summed(own[:3])}\n{quoted(f2)} =~ {summed(own[6:9])}\n{made.model}\n{outcome}"
    return psm.sem(text, made.data).tidy().drop(columns=["lhs", "rhs"])


def frozen(names: dict[str, str]) -> pd.DataFrame:
    own = data(names)[called(names, *PLAIN)]
    kept = frozen_measurement(own, model(names))
    return psm.cfa(fixed_text(kept), own, meanstructure=True).tidy()


def instrument(names: dict[str, str]) -> pd.DataFrame:
    own = dict(zip(called(names, *PLAIN), [f"psm{k}" for k in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13, 14)], strict=True))
    return psm.cfa(psm.get_instrument("psm16").model("second-order", items=own), data(names)).tidy()


def pooled(names: dict[str, str]) -> pd.DataFrame:
    items = called(names, "x1", "x3", "x5", "x8")
    own = data(names)[items].mask(np.random.default_rng(2).random((400, 4)) < 0.05)
    return psm.pool(f"f =~ {summed(items)}", psm.impute(own, n=2, seed=1, burn_in=1, skip=1)).tidy()


def functioning(names: dict[str, str]) -> pd.DataFrame:
    items, (group,) = called(names, *PLAIN[:6]), called(names, "g")
    return psm.item_functioning(data(names)[items], data(names)[group])


def regressions(names: dict[str, str]) -> pd.DataFrame:
    outcome, first, second, third, cluster = called(names, "x0", "x3", "x5", "x8", "person")
    blocks = {"one": [first], "two": [second, third]}
    return psm.hierarchical_regression(data(names), outcome, blocks=blocks, cluster=cluster).tidy()


def ordinal_regression(names: dict[str, str]) -> pd.DataFrame:
    outcome, first, second = called(names, "x0", "x3", "x8")
    return psm.ordered_logit(data(names), outcome, predictors=[first, second]).tidy()


def simulated(names: dict[str, str]) -> pd.DataFrame:
    factor, outcome, own = *called(names, "f1", "w1"), called(names, *PLAIN[:4])
    loadings = " + ".join(f"0.7*{quoted(item)}" for item in own)
    path = f"{quoted(outcome)} ~ 0.3*{quoted(factor)}"
    people = psm.population(f"{quoted(factor)} =~ {loadings}\n{path}")
    text = f"{quoted(factor)} =~ {summed(own)}\n{quoted(outcome)} ~ {quoted(factor)}"
    asked = [f"{quoted(outcome)} ~ {quoted(factor)}", f"{outcome} ~ {factor}"]
    power = psm.power_curve(people, text, nobs=[100], parameters=asked, seed=1, replicates=20)
    return power.drop(columns="parameter")


def told_equal(names: dict[str, str]) -> pd.DataFrame:
    first, second, third = map(quoted, called(names, "x0", "x3", "x8"))
    text = f'f =~ {first} + {second} + equal("f =~ {second}")*{third} + {quoted(*called(names, "x5"))}'
    return psm.cfa(text, data(names)).tidy()


WRITERS = (
    esem, invariance, over_waves, second_order, latent_product, frozen, instrument, pooled, functioning,
    regressions, ordinal_regression, simulated, told_equal,
)  # fmt: skip


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_odd_names_give_the_numbers_of_plain_ones(write: Callable[[dict[str, str]], pd.DataFrame]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", psm.PsmAnalysisWarning)
        plain, odd = write({}), write(NAMES)
    numbers = plain.select_dtypes("number").columns
    assert len(numbers)
    np.testing.assert_allclose(odd[numbers], plain[numbers], rtol=1e-6, atol=1e-8)


def bias_texts(names: dict[str, str]) -> list[str]:
    """Return every model text of the search for method bias."""
    own, reversed_items = called(names, *PLAIN), called(names, "x5", "x7")
    f1, f2 = map(quoted, called(names, "f1", "f2"))
    text = f"{f1} =~ {summed(own[2:6])}\n{f2} =~ {summed(own[6:])}\n{quoted(own[5])} ~~ {quoted(own[6])}"
    found = measurement_of(text, marker=own[:2], reversed_items=reversed_items)
    first, second = found.factors
    starts = {(first, "=~", own[2]): 0.5, (own[2], "~~", own[2]): 0.4, (first, "~~", second): 0.3}
    found = replace(found, starts=starts)
    held, loads = dict.fromkeys(own, (0.5, 0.4)), dict.fromkeys(own, 0.1)
    texts = [found.text(), found.with_marker(), found.one_factor(), found.method_factor(equal=True)]
    texts += [found.correlated_uniqueness(reversed_items), found.marked(held, equal=False), found.partialled()]
    return [*texts, found.restricted(held, {(first, second): 0.3}, equal=True), found.sensitive(held, loads)]


def test_models_of_method_bias_name_the_same_variables() -> None:
    for plain, odd in zip(bias_texts({}), bias_texts(NAMES), strict=True):
        expected = [
            (NAMES.get(t.lhs, t.lhs), t.op, NAMES.get(t.rhs, t.rhs), t.modifiers) for t in parse_model(plain).terms
        ]
        assert [(t.lhs, t.op, t.rhs, t.modifiers) for t in parse_model(odd).terms] == expected


def test_a_method_factor_is_no_item() -> None:
    found = measurement_of("A =~ Method + Single + z\nB =~ b1 + b2", marker=["Marker", "m2"], reversed_items=[])
    assert (found.method_name, found.marker_name) == ("MethodFactor", "MarkerFactor")
    assert found.one_factor().startswith("SingleFactor =~ Method + Single")


def test_a_released_parameter_is_written_as_the_model_language_reads_it() -> None:
    table = invariance(NAMES)
    (released,) = [text for text in table["released"] if text]
    assert released == "`工作 投入` ~ 1"
    (term,) = parse_model(released).terms
    assert (term.lhs, term.op) == ("工作 投入", "~1")


@pytest.mark.parametrize("name", [*ODD, "~1", ".x", "x.", "2", "名", "a:b", "level"])
def test_a_quoted_name_is_read_as_the_same_variable(name: str) -> None:
    text = f"f =~ {quoted(name)} + z\n{quoted(name)} ~~ z\nz ~ {quoted(name)}\n{quoted(name)} ~ 1"
    terms = [(t.lhs, t.op, t.rhs) for t in parse_model(text).terms]
    assert terms == [("f", "=~", name), ("f", "=~", "z"), (name, "~~", "z"), ("z", "~", name), (name, "~1", "")]


@pytest.mark.parametrize(
    ("text", "written"), [("x1", "x1"), ("工作", "工作"), (".p1.", ".p1."), ("x 1", "`x 1`"), (7, "`7`")]
)
def test_only_what_must_be_is_quoted(text: object, written: str) -> None:
    assert quoted(text) == written
    assert unquoted(written) == str(text).replace(" ", "")


@pytest.mark.parametrize("name", ["a`b", "a\nb", "a\rb", ""])
def test_a_name_that_nothing_can_quote_is_a_named_error(name: str) -> None:
    with pytest.raises(ModelError, match="cannot be written in a model") as caught:
        quoted(name)
    assert "Rename" in str(caught.value)
    columns = pd.DataFrame(frame()[PLAIN[:5]].to_numpy(), columns=[name, *PLAIN[1:5]])
    with pytest.raises(ModelError, match="cannot be written in a model"):
        psm.efa(columns, 1).to_syntax()


def test_labels_and_what_is_defined_of_them_can_be_quoted() -> None:
    (defined,) = parse_model("f =~ x\ny ~ `a b`*f + c*x\n`in all` := `a b` + c").constraints
    assert (defined.lhs, defined.rhs) == ("in all", "`a b`+c")


def test_keywords_stay_keywords_without_backquotes() -> None:
    first = parse_model("f =~ NA*x1 + x2").terms[0]
    assert first.rhs == "x1"
    assert np.isnan(first.modifiers.fixed[0])
    assert [t.op for t in parse_model("y ~ 1\nz ~ 0").terms] == ["~1", "~1"]


def test_a_factor_of_an_exploratory_solution_is_no_item() -> None:
    text = psm.efa(data(NAMES)[ODD], 1).to_syntax()
    assert text.startswith("F1_factor =~ `item 1`")
    assert psm.cfa(text, data(NAMES)).converged


@pytest.mark.parametrize("text", ["f =~ item 1 + x2", "f =~ post-test + x2", "f =~ 3rd + x2", "f =~ x2 + a%b"])
def test_a_name_that_must_be_quoted_is_told_how(text: str) -> None:
    with pytest.raises(ModelSyntaxError, match="stands in backquotes: `item 1`"):
        psm.cfa(text, data(NAMES))


@pytest.mark.parametrize("model", [{"f": ["x0", "x1", "x2"]}, ["f =~ x0"], None, 3])
def test_a_model_that_is_no_text_is_a_named_error(model: object) -> None:
    with pytest.raises(ModelSyntaxError, match="The model is no text but a"):
        psm.cfa(model, frame())  # type: ignore[arg-type]


def test_columns_that_are_numbers_are_named_as_such() -> None:
    numbered = pd.DataFrame(frame()[PLAIN[:4]].to_numpy())
    text = psm.efa(numbered, 1).to_syntax()
    with pytest.raises(DataError, match=r"data\.columns\.astype\(str\)"):
        psm.cfa(text, numbered)
    numbered.columns = numbered.columns.astype(str)
    assert psm.cfa(text, numbered).converged


def test_groups_of_whole_numbers_are_called_so_although_gaps_make_them_floats() -> None:
    own = frame().assign(g=np.where(frame()["g"] == "b", 2.0, 1.0))
    own.loc[0, "g"] = np.nan
    fit = psm.cfa("f =~ x0 + x2 + x3", own, group="g")
    assert fit.group_labels == ["2", "1"]
    assert len(fit.factor_scores(own.iloc[1:9])) == 8
    blocks = "group: 1\nf =~ x0 + x2 + x3\ngroup: 2\nf =~ x0 + x2 + x3"
    assert psm.cfa(blocks, own, group="g").converged
