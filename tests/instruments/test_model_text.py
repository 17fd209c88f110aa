"""Model texts of the instruments."""

from __future__ import annotations

import pytest

from psm_analysis.errors import InstrumentError, OptionError
from psm_analysis.instruments.registry import get_instrument

SIX = ("policy_making", "public_interest", "compassion", "self_sacrifice", "social_justice", "civic_duty")


def test_correlated_factors() -> None:
    text = get_instrument("psm16").model()
    assert text.splitlines()[0] == "aps =~ psm1 + psm2 + psm3 + psm4"
    assert len(text.splitlines()) == 4


def test_one_factor_has_every_item_once() -> None:
    text = get_instrument("olbi").model("one-factor")
    assert text.startswith("burnout =~ ")
    assert sorted(text.removeprefix("burnout =~ ").split(" + ")) == sorted(get_instrument("olbi").item_ids)


def test_second_order() -> None:
    assert get_instrument("wleis16").model("second-order").splitlines()[-1] == "ei =~ sea + oea + uoe + roe"


def test_second_order_of_two_dimensions_is_made_identified() -> None:
    assert get_instrument("olbi").model("second-order").splitlines()[-1] == "burnout =~ 1*exhaustion + 1*disengagement"


def test_bifactor_is_orthogonal_with_unit_variances() -> None:
    lines = get_instrument("psm16").model("bifactor").splitlines()
    assert lines[0].startswith("psm =~ NA*psm1 + psm2")
    assert sum(" ~~ 1*" in line for line in lines) == 5
    assert sum(" ~~ 0*" in line for line in lines) == 10


def test_structure_only_wants_a_mapping() -> None:
    with pytest.raises(InstrumentError, match="items="):
        get_instrument("psm_structure").model()
    with pytest.raises(InstrumentError, match="items="):
        get_instrument("psm24").model("one-factor")


def test_structure_with_a_mapping() -> None:
    own = {f"q{number}": name for number, name in enumerate(SIX * 2)}
    text = get_instrument("psm_structure").model("second-order", items=own)
    assert text.splitlines()[0] == "policy_making =~ q0 + q6"
    assert text.splitlines()[-1] == "psm =~ " + " + ".join(SIX)


def test_own_column_names_for_known_items() -> None:
    own = {f"Q5_{number}": f"turnover{number}" for number in (1, 2, 3)}
    assert get_instrument("turnover3").model(items=own) == "turnover =~ Q5_1 + Q5_2 + Q5_3"


def test_bad_mappings_are_refused() -> None:
    with pytest.raises(InstrumentError, match="Did you mean 'compassion'"):
        get_instrument("psm_structure").model(items={"q1": "compasion"})
    with pytest.raises(InstrumentError, match="No column is mapped to understand"):
        get_instrument("ei_structure").model(items={"q1": "perceive", "q2": "use", "q3": "regulate"})


def test_one_dimension_has_no_second_order() -> None:
    with pytest.raises(InstrumentError, match="two dimensions"):
        get_instrument("turnover3").model("second-order")


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(OptionError, match="bifactor"):
        get_instrument("psm16").model("bi-factor")  # type: ignore[arg-type]
