"""Whether the parts of a scoring model fit together: what a file may lack although every field has its type."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, get_args

from psm_analysis._options import ScoringMethod
from psm_analysis.scoring.packing import FACTOR

if TYPE_CHECKING:
    from psm_analysis.scoring.model import Scale, ScoringModel


def contradiction_in(model: ScoringModel) -> str:
    """Return a sentence about the first thing that does not fit, empty if all does."""
    items, scales = model.item_ids, [scale.id for scale in model.scales]
    if model.method not in get_args(ScoringMethod):
        return f"The method '{model.method}' is not known."
    if not items or len(set(items)) < len(items) or not scales or len(set(scales)) < len(scales):
        return "Items and scales must be there, each once."
    for item in model.items:
        if len(item.codes) < 2 or not _rising(item.codes):
            return f"The codes of item '{item.id}' do not rise."
    for scale in model.scales:
        found = _contradiction_of(scale, items, method=model.method)
        if found:
            return found
    answers, scores = model.check.answers, model.check.scores
    widths = {len(row) for row in answers} == {len(items)} and {len(row) for row in scores} == {len(scales)}
    return "" if widths and len(answers) == len(scores) else "It has no check scores of all items and scales."


def _contradiction_of(scale: Scale, items: tuple[str, ...], *, method: str) -> str:
    if not scale.items or set(scale.items) - set(items):
        return f"The scale '{scale.id}' uses no items, or one that the model does not have."
    if len(scale.weights) != (len(scale.items) if method in FACTOR else 0):
        return f"The scale '{scale.id}' does not have the weights of its method."
    if len(scale.responses) != (len(scale.items) if method == "eap" else 0):
        return f"The scale '{scale.id}' does not have the item parameters of its method."
    for response in scale.responses:
        if len(response.categories) != len(response.intercepts) + 1 or not _rising(response.categories):
            return f"The item parameters of scale '{scale.id}' do not fit its categories."
    if not scale.norms or any(len(norms.quantiles) != 99 for norms in scale.norms):
        return f"The scale '{scale.id}' has no norms of 99 percentiles."
    return ""


def _rising(numbers: tuple[int, ...]) -> bool:
    return all(a < b for a, b in pairwise(numbers))
