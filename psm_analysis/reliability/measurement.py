"""Which items measure which factor, from a model text or a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psm_analysis.errors import ModelError
from psm_analysis.sem.syntax import parse_model


def measurement_items(model: str | Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return factor -> items; factors measured by other factors (second order) are left out.

    Parameters
    ----------
    model
        lavaan text, of which the ``=~`` lines are used, or a mapping of factor to items.

    Raises
    ------
    ModelSyntaxError
        If the text cannot be read.
    ModelError
        If no factor is measured by items.

    Examples
    --------
    >>> measurement_items("f =~ a + b; g =~ c + d; h =~ f + g; g ~ f")
    {'f': ('a', 'b'), 'g': ('c', 'd')}
    """
    members: dict[str, list[str]] = {}
    if isinstance(model, str):
        for term in parse_model(model).terms:
            if term.op == "=~" and term.rhs not in members.setdefault(term.lhs, []):
                members[term.lhs].append(term.rhs)
    elif not isinstance(model, Mapping):
        raise ModelError(
            f"The model is of type {type(model).__name__}, neither text nor a mapping.",
            where="argument 'model'",
            remedy="Give 'f =~ x1 + x2 + x3' or {'f': ['x1', 'x2', 'x3']}.",
        )
    else:
        members = {str(factor): [str(item) for item in items] for factor, items in model.items()}
    first_order = {f: tuple(items) for f, items in members.items() if not any(item in members for item in items)}
    if not first_order:
        raise ModelError(
            "No factor is measured by items.", where="argument 'model'", remedy="Add lines such as 'f =~ x1 + x2 + x3'."
        )
    return first_order
