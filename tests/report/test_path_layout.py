"""The order and the geometry of path diagrams."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from psm_analysis.report.path_geometry import Node, bent, clipped, overlaps
from psm_analysis.report.path_layers import layered
from psm_analysis.report.path_layout import Layout, lay_out
from psm_analysis.report.path_model import PathModel, read_model
from psm_analysis.report.path_text import wrap_label


def rows(*lines: str) -> PathModel:
    parts = [line.split() for line in lines]
    frame = pd.DataFrame([{"lhs": a, "op": op, "rhs": b, "std_all": 0.5, "p_value": 0.001} for a, op, b in parts])
    return read_model(frame, "std_all")


def fixed_width(text: str, size: float) -> tuple[float, float]:
    lines = text.split("\n")
    return max(map(len, lines)) * size / 130, len(lines) * size / 55


def placed(model: PathModel) -> Layout:
    return lay_out(model, {}, measure=fixed_width)


def test_exogenous_left_outcomes_right() -> None:
    model = rows("m ~ a", "m ~ b", "y ~ m", "y ~ a", "a ~~ b")
    assert layered(model) == [["a", "b"], ["m"], ["y"]]
    at = {name: node.x for name, node in placed(model).nodes.items()}
    assert at["a"] == at["b"] < at["m"] < at["y"]


def test_a_cycle_does_not_hang() -> None:
    assert sorted(name for layer in layered(rows("a ~ b", "b ~ c", "c ~ a")) for name in layer) == ["a", "b", "c"]


def test_indicators_stand_beside_their_factor() -> None:
    model = rows("f =~ x1", "f =~ x2", "g =~ y1", "g =~ y2", "g ~ f")
    nodes = placed(model).nodes
    assert nodes["x1"].x < nodes["f"].x < nodes["g"].x < nodes["y1"].x
    assert nodes["x1"].y > nodes["x2"].y


def test_indicators_of_a_mediator_are_turned_above_it() -> None:
    model = rows("m =~ i1", "m =~ i2", "m ~ a", "y ~ m", "y ~ a")
    nodes = placed(model).nodes
    assert nodes["i1"].rotated
    assert nodes["i1"].y > nodes["m"].y > nodes["a"].y


def test_second_order_factors_grow_a_tree() -> None:
    model = rows("g =~ f1", "g =~ f2", "f1 =~ a", "f1 =~ b", "f2 =~ c", "f2 =~ d")
    assert model.roots == ("g",)
    nodes = placed(model).nodes
    assert nodes["g"].x < nodes["f1"].x == nodes["f2"].x < nodes["a"].x
    assert nodes["f1"].y == pytest.approx((nodes["a"].y + nodes["b"].y) / 2)


def test_a_bifactor_stands_opposite_to_the_specific_factors() -> None:
    items = {"s1": "ab", "s2": "cd"}
    model = rows(*(f"{f} =~ {i}" for f, own in items.items() for i in own), *(f"g =~ {i}" for i in "abcd"))
    assert model.general == ("g",)
    nodes = placed(model).nodes
    assert nodes["g"].x < nodes["a"].x < nodes["s1"].x


def test_a_cross_loading_leaves_the_item_with_its_stronger_factor() -> None:
    frame = pd.DataFrame(
        [
            {"lhs": f, "op": "=~", "rhs": i, "std_all": value, "p_value": 0.01}
            for f, i, value in [("f", "a", 0.7), ("f", "b", 0.2), ("g", "b", 0.6), ("g", "c", 0.7)]
        ]
    )
    model = read_model(frame, "std_all")
    assert dict(model.owners) == {"a": "f", "b": "g", "c": "g"}
    assert len(model.edges) == 4


def test_curves_are_cut_at_the_shapes() -> None:
    box = Node("b", "b", 0, 0, 1.0, 0.5, latent=False)
    ellipse = Node("e", "e", 4, 0, 2.0, 1.0, latent=True)
    cut = clipped(bent((0, 0), (4, 0), 0.0), box, target=ellipse)
    assert cut.start == pytest.approx((0.5, 0), abs=0.02)
    assert cut.end == pytest.approx((3.0, 0), abs=0.02)
    assert np.allclose(cut.points(np.array([0.0, 1.0])), [cut.start, cut.end])


def test_overlap_is_an_area() -> None:
    assert overlaps((0, 0, 1, 1), (3, 0, 1, 1)) == 0
    assert overlaps((0, 0, 2, 2), (1, 1, 2, 2)) == 1


def test_labels_wrap_evenly() -> None:
    assert wrap_label("psm1", 12) == "psm1"
    assert wrap_label("Public service motivation", 18) == "Public service\nmotivation"
    assert wrap_label("组织支持与容错", 8) == "组织支持\n与容错"
    assert wrap_label("kept\nas it is, however long", 8) == "kept\nas it is, however long"
