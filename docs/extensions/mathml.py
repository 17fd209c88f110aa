"""Formulas as MathML, made by docutils when the pages are built: no script and no network is needed to read them."""

from __future__ import annotations

from typing import Any

from docutils.nodes import SkipNode, math, math_block
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def to_mathml(tex: str, *, as_block: bool) -> str:
    """Return a formula as a MathML element.

    Raises
    ------
    docutils.utils.math.MathError
        If the formula has a command that docutils does not know.
    """
    rows = tex if not as_block or r"\\" not in tex or r"\begin" in tex else rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return str(tex2mathml(rows, as_block=as_block))


def visit_inline(writer: Any, node: math) -> None:
    """Write a formula inside a line."""
    _write(writer, node, tag="span", as_block=False)


def visit_block(writer: Any, node: math_block) -> None:
    """Write a formula on a line of its own."""
    _write(writer, node, tag="div", as_block=True)


def _write(writer: Any, node: Any, *, tag: str, as_block: bool) -> None:
    try:
        formula = to_mathml(node.astext(), as_block=as_block)
    except MathError as error:
        LOGGER.warning("The formula %r cannot be shown: %s", node.astext(), error, location=node)
        formula = writer.encode(node.astext())
    writer.body.append(f'<{tag} class="math">{formula}</{tag}>')
    raise SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
