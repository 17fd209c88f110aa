"""Answers in words: ordered Categoricals are ordinal variables, wherever data are read."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning

WORDS = ["非常不同意", "不同意", "一般", "同意", "非常同意"]
MODEL = "因子 =~ 题1 + 题2 + 题3 + 题4"
ITEMS = ["题1", "题2", "题3", "题4"]


@pytest.fixture(scope="module")
def numbers() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    f = rng.normal(size=600)
    answers = {name: np.digitize(0.8 * f + 0.6 * rng.normal(size=600), [-1.0, -0.2, 0.5, 1.2]) + 1 for name in ITEMS}
    return pd.DataFrame(answers).assign(place=np.where(rng.random(600) < 0.5, "town", "village"))


@pytest.fixture(scope="module")
def words(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers.assign(**{name: in_words(numbers[name]) for name in ITEMS})


def in_words(column: pd.Series) -> pd.Categorical:
    return pd.Categorical.from_codes(column.to_numpy(dtype=int) - 1, WORDS, ordered=True)


def test_they_are_ordinal_without_being_named(numbers: pd.DataFrame, words: pd.DataFrame) -> None:
    named, found = psm.cfa(MODEL, numbers, ordered=True), psm.cfa(MODEL, words)
    assert found.estimator == "WLSMV"
    assert found.fit_measures == named.fit_measures
    assert list(found.tidy()["op"]) == list(named.tidy()["op"])


def test_named_and_found_variables_add_up(numbers: pd.DataFrame, words: pd.DataFrame) -> None:
    mixed = numbers.assign(题2=words["题2"])
    assert psm.cfa(MODEL, mixed).table.roles.ordered == ("题2",)
    assert psm.cfa(MODEL, mixed, ordered=["题1"]).table.roles.ordered == ("题1", "题2")


def test_ordered_false_takes_their_numbers_as_continuous(numbers: pd.DataFrame, words: pd.DataFrame) -> None:
    plain = psm.cfa(MODEL, words, ordered=False)
    assert plain.estimator == "ML"
    assert plain.fit_measures == psm.cfa(MODEL, numbers).fit_measures


def test_numbers_that_rise_are_kept(numbers: pd.DataFrame) -> None:
    doubled = numbers.assign(**{name: pd.Categorical(numbers[name] * 2, ordered=True) for name in ITEMS})
    falling = numbers.assign(**{name: pd.Categorical(numbers[name], [5, 4, 3, 2, 1], ordered=True) for name in ITEMS})
    assert psm.describe(doubled[ITEMS])["mean"].tolist() == pytest.approx((2 * numbers[ITEMS].mean()).tolist())
    assert psm.describe(falling[ITEMS])["mean"].tolist() == pytest.approx((6 - numbers[ITEMS].mean()).tolist())


def test_every_reader_of_items_takes_them(numbers: pd.DataFrame, words: pd.DataFrame) -> None:
    a, b = numbers[ITEMS], words[ITEMS]
    assert psm.polychoric(b).correlations.equals(psm.polychoric(a).correlations)
    one, two = psm.efa(a, 1, correlation="polychoric"), psm.efa(b, 1, correlation="polychoric")
    assert one.loadings.equals(two.loadings)
    assert psm.alpha(b).alpha == psm.alpha(a).alpha


def test_the_ladder_is_that_of_ordinal_items(numbers: pd.DataFrame, words: pd.DataFrame) -> None:
    found = psm.invariance(MODEL, words, group="place").table
    assert "thresholds" in list(found["step"])
    named = psm.invariance(MODEL, numbers, group="place", ordered=True).table
    assert found["chisq"].tolist() == named["chisq"].tolist()
    assert psm.alignment(MODEL, words, group="place").fit.table.options.theta


def test_waves(numbers: pd.DataFrame, words: pd.DataFrame) -> None:
    def long(data: pd.DataFrame) -> pd.DataFrame:
        first, second = data.iloc[:300].assign(wave=1), data.iloc[300:].assign(wave=2)
        return pd.concat([first.assign(person=range(300)), second.assign(person=range(300))])

    found = psm.longitudinal_invariance(MODEL, long(words), waves="wave", id="person").table
    named = psm.longitudinal_invariance(MODEL, long(numbers), waves="wave", id="person", ordered=True).table
    assert found["chisq"].tolist() == named["chisq"].tolist()


def test_new_rows_are_numbered_as_those_of_the_fit(words: pd.DataFrame) -> None:
    fit = psm.cfa(MODEL, words)
    some = words.iloc[:6].copy()
    for name in ITEMS:
        some[name] = some[name].cat.remove_unused_categories()
    expected = fit.factor_scores().iloc[:6]
    pd.testing.assert_frame_equal(fit.factor_scores(some), expected)
    pd.testing.assert_frame_equal(fit.factor_scores(some.astype(dict.fromkeys(ITEMS, object))), expected)
    with pytest.raises(DataError, match="'不知道', which is no category"):
        fit.factor_scores(some.assign(题1="不知道"))


def test_an_exogenous_one_enters_by_its_numbers_with_a_warning(words: pd.DataFrame) -> None:
    grade = pd.Categorical(np.resize(["low", "mid", "high"], 600), ["low", "mid", "high"], ordered=True)
    with pytest.warns(PsmAnalysisWarning, match="numbers of their categories"):
        fit = psm.sem(f"{MODEL}\n因子 ~ grade", words.assign(grade=grade))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = psm.sem(f"{MODEL}\n因子 ~ grade", words.assign(grade=np.resize([1, 2, 3], 600)))
    assert fit.fit_measures == same.fit_measures
    assert len(fit.warnings) == 1


def test_what_is_refused(words: pd.DataFrame) -> None:
    loose = words.assign(题1=words["题1"].cat.as_unordered())
    with pytest.raises(DataError, match=r"'题1' have no order.*ordered=True"):
        psm.cfa(MODEL, loose)
    with pytest.raises(DataError, match=r"'题1' have no order"):
        psm.alpha(loose[ITEMS])
    with pytest.raises(OptionError, match=r"ordinal: '题1', '题2', '题3', '题4'.*ordered=False"):
        psm.cfa(MODEL, words, estimator="ML")
    with pytest.raises(OptionError, match="ordered=False"):
        psm.cfa(MODEL, words, missing="fiml")
    with pytest.raises(DataError, match=r"ordered pd\.Categorical"):
        psm.cfa(MODEL, words.astype({"题1": object}))


def test_a_category_that_a_group_does_not_use_is_named_in_words(words: pd.DataFrame) -> None:
    answers = words["题1"].mask((words["place"] == "village") & (words["题1"] == "非常同意"), "一般")
    with pytest.raises(DataError, match="Nobody in group 'village' chose category 非常同意 of '题1'"):
        psm.cfa(MODEL, words.assign(题1=answers), group="place")
