"""The model language: every operator and modifier, and errors that point into the text."""

from __future__ import annotations

import math

import pytest

from psm_analysis.errors import ModelSyntaxError
from psm_analysis.sem.syntax import Modifiers, Term, parse_model


def terms(text: str) -> list[tuple[str, str, str]]:
    return [(t.lhs, t.op, t.rhs) for t in parse_model(text).terms]


def only(text: str) -> Term:
    found = parse_model(text).terms
    assert len(found) == 1
    return found[0]


def modifiers(text: str) -> Modifiers:
    return only(f"f =~ {text}*x").modifiers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f =~ x1 + x2", [("f", "=~", "x1"), ("f", "=~", "x2")]),
        ("y ~ x1 + f", [("y", "~", "x1"), ("y", "~", "f")]),
        ("x1 ~~ x2 + x1", [("x1", "~~", "x2"), ("x1", "~~", "x1")]),
        ("y ~ 1", [("y", "~1", "")]),
        ("y ~ 1 + x", [("y", "~1", ""), ("y", "~", "x")]),
        ("y | t1 + t2", [("y", "|", "t1"), ("y", "|", "t2")]),
        ("y ~*~ y", [("y", "~*~", "y")]),
        ("a + b ~ x + z", [("a", "~", "x"), ("a", "~", "z"), ("b", "~", "x"), ("b", "~", "z")]),
        ("y ~ x:z", [("y", "~", "x:z")]),
        ("f=~x1+x2", [("f", "=~", "x1"), ("f", "=~", "x2")]),
    ],
)
def test_operators(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "op", "lhs", "rhs"),
    [
        ("d := a*b", ":=", "d", "a*b"),
        ("a == 2*b", "==", "a", "2*b"),
        ("a < b", "<", "a", "b"),
        ("a > 0", ">", "a", "0"),
        ("a^2 == (b - 1)/2", "==", "a^2", "(b-1)/2"),
    ],
)
def test_constraints(text: str, op: str, lhs: str, rhs: str) -> None:
    (constraint,) = parse_model(f"f =~ a*x1 + b*x2\n{text}").constraints
    assert (constraint.op, constraint.lhs, constraint.rhs, constraint.line) == (op, lhs, rhs, 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", {"fixed": (1.0,)}),
        ("-0.5", {"fixed": (-0.5,)}),
        (".5", {"fixed": (0.5,)}),
        ("1e-3", {"fixed": (0.001,)}),
        ("a", {"label": ("a",)}),
        ('"a"', {"label": ("a",)}),
        ('label("a")', {"label": ("a",)}),
        ("start(0.8)", {"start": (0.8,)}),
        ("lower(0)", {"lower": (0.0,)}),
        ("upper(1)", {"upper": (1.0,)}),
        ('equal("f =~ x1")', {"equal": ("f =~ x1",)}),
        ("c(a, b)", {"label": ("a", "b")}),
        ("c(1, 0.5)", {"fixed": (1.0, 0.5)}),
        ("start(c(0.5, 0.6))", {"start": (0.5, 0.6)}),
        ("a*start(0.5)", {"label": ("a",), "start": (0.5,)}),
        ("c(a, b)*start(0.5, 0.6)", {"label": ("a", "b"), "start": (0.5, 0.6)}),
    ],
)
def test_modifiers(text: str, expected: dict[str, tuple[object, ...]]) -> None:
    assert modifiers(text) == Modifiers(**expected)  # type: ignore[arg-type]


def test_na_frees() -> None:
    assert math.isnan(modifiers("NA").fixed[0])
    first, second = modifiers("c(1, NA)").fixed
    assert first == 1.0
    assert math.isnan(second)


def test_a_question_mark_gives_a_start() -> None:
    assert only("f =~ 0.5?x").modifiers.start == (0.5,)


def test_zero_is_an_intercept_fixed_at_zero() -> None:
    assert only("y ~ 0").modifiers.fixed == only("y ~ 0*1").modifiers.fixed == (0.0,)
    assert only("y ~ 0").op == "~1"
    assert only("y ~ 2.5*1").modifiers.fixed == (2.5,)


def test_a_term_named_twice_gathers_its_modifiers() -> None:
    term, *rest = parse_model("f =~ a*x1 + x2\nf =~ start(0.7)*x1").terms
    assert term.modifiers == Modifiers(label=("a",), start=(0.7,))
    assert len(rest) == 1


def test_a_modifier_left_of_the_operator_holds_for_all_terms() -> None:
    model = parse_model('efa("b")*f + efa("b")*g =~ x1 + x2')
    assert [t.modifiers.efa for t in model.terms] == ["b"] * 4


def test_blocks() -> None:
    model = parse_model("level: within\nf =~ x1 + x2\nlevel: between\ng =~ x1")
    assert [(b.kind, b.value) for b in model.blocks] == [("", ""), ("level", "within"), ("level", "between")]
    assert [t.block for t in model.terms] == [1, 1, 2]


def test_comments_blank_lines_and_semicolons() -> None:
    text = """
    # a comment
    f =~ x1 + x2   # behind a line
    ! the other kind of comment

    g =~ y1; g =~ y2
    """
    assert terms(text) == [("f", "=~", "x1"), ("f", "=~", "x2"), ("g", "=~", "y1"), ("g", "=~", "y2")]


@pytest.mark.parametrize(
    "text",
    [
        "f =~ x1 +\n x2 + x3",
        "f =~ x1\n + x2\n + x3",
        "f =~\n x1 + x2 + x3",
        "f =~ x1 + # first\n # nothing\n x2 ! second\n + x3",
        "f =~ x1 + x2 +\n\n\n x3",
        "f =~ x1 + x2\r\n + x3\r\n",
    ],
)
def test_lines_continue_where_something_is_open(text: str) -> None:
    assert terms(text) == [("f", "=~", "x1"), ("f", "=~", "x2"), ("f", "=~", "x3")]


def test_a_bracket_keeps_the_line_open() -> None:
    assert only("f =~ c(a,\n b)*x").modifiers.label == ("a", "b")


def test_chinese_names_and_labels() -> None:
    model = parse_model("公共服务动机 =~ 题1 + 载荷*题2\n离职意向 ~ 公共服务动机\n双倍 := 2*载荷")
    assert (model.terms[0].lhs, model.terms[0].rhs) == ("公共服务动机", "题1")
    assert model.terms[1].modifiers.label == ("载荷",)
    assert model.constraints[0].lhs == "双倍"


def test_names_with_spaces_stand_in_backticks() -> None:
    assert terms("`job burnout` =~ `item 1` + x.2 + .x3 + x_4") == [
        ("job burnout", "=~", "item 1"),
        ("job burnout", "=~", "x.2"),
        ("job burnout", "=~", ".x3"),
        ("job burnout", "=~", "x_4"),
    ]


BROKEN = [
    ("f =~ x1 + x2 +", 1, 15, "Expected a variable"),
    ("f =~ x1 + x2\ny ~ x1 ~ x2", 2, 8, "second operator"),
    ("f =~ x1 + x2 x3", 1, 14, r"Expected '\+'"),
    ("f =~ x1\n  x2 + x3", 2, 3, "no operator"),
    ("f =~ x1 @ x2", 1, 9, "'@'"),
    ("f =~ foo(2)*x1", 1, 6, r"foo\(\) is not known"),
    ("f =~ c(a, 1)*x1", 1, 6, "mixes labels and numbers"),
    ("f =~ x1 - x2", 1, 9, "subtracted"),
    ("f =~ a*x1\nd := a +", 2, 9, "ends too early"),
    ("f =~ a*x1\nd := sgn(a)", 2, 6, r"sgn\(\) is not known"),
    ("f <~ x1 + x2", 1, 3, "Composites"),
    ("f =~ 3", 1, 6, "'3' is not a variable"),
    ("f =~ start()*x1", 1, 6, "empty"),
    ('f =~ x1 + "open', 1, 11, "no meaning"),
    ("f =~ a*x1\n3 := a", 2, 1, "name of what is defined"),
    ("f =~ a*x1\na == ", 2, 3, "Nothing stands"),
    ("f =~ a*x1\nd := (a + 1", 2, 12, r"Expected '\)'"),
    ("=~ x1", 1, 1, "Expected a variable before"),
    ("f = ~ x1", 1, 3, "'='"),
    ("level: a b\nf =~ x1", 1, 8, "one value"),
]


@pytest.mark.parametrize(("text", "line", "character", "what"), BROKEN, ids=[repr(b[0]) for b in BROKEN])
def test_errors_point_at_the_place(text: str, line: int, character: int, what: str) -> None:
    with pytest.raises(ModelSyntaxError, match=what) as caught:
        parse_model(text)
    assert f"line {line}, character {character} " in caught.value.where
    shown, caret = caught.value.remedy.split("\n")[-2:]
    assert shown.strip() == text.split("\n")[line - 1].strip()
    assert caret.index("^") == 4 + character - 1


@pytest.mark.parametrize("text", ["", "   \n ", "# only a comment"])
def test_an_empty_model(text: str) -> None:
    with pytest.raises(ModelSyntaxError, match=r"empty|no relation"):
        parse_model(text)


@pytest.mark.parametrize("text", [None, 3])
def test_a_model_that_is_no_text(text: object) -> None:
    with pytest.raises(ModelSyntaxError, match="no text"):
        parse_model(text)  # type: ignore[arg-type]


def test_only_constraints_are_no_model() -> None:
    with pytest.raises(ModelSyntaxError, match="no relation"):
        parse_model("a := 1 + 2")
