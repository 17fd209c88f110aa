"""What every result has in common: views that say what is doubtful, and a repr without a place in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import psm_analysis as psm
from psm_analysis._results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Doubtful(Result):
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        return pd.DataFrame({"estimate": [0.12345]})

    def glance(self) -> pd.DataFrame:
        return pd.DataFrame({"nobs": [7]})


def test_warnings_are_shown_with_the_numbers() -> None:
    result = Doubtful(("a < b is doubtful.", "And so is this."))
    assert str(result).endswith("0.123\n\nWarning: a < b is doubtful.\n\nWarning: And so is this.")
    assert "<em>Warning: a &lt; b is doubtful.</em>" in result._repr_html_()
    assert "Warning" not in Doubtful(()).summary() + Doubtful(())._repr_html_()


def test_a_repr_is_one_line_that_says_how_to_look_at_the_result() -> None:
    data = pd.DataFrame(
        np.random.default_rng(1).normal(size=(60, 4)) + np.arange(60)[:, None] / 20, columns=list("abcd")
    )
    results = [psm.cfa("f =~ a + b + c + d", data), psm.efa(data, 1), psm.alpha(data), psm.mardia(data)]
    for result in [*results, Doubtful(())]:
        assert repr(result) == f"<{type(result).__name__}: print() shows it, tidy() and glance() are data frames>"
