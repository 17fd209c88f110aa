"""How much less an item hangs together with its scale than in the reference, apart from the other items.

With Fisher's ``z = artanh r`` of the corrected item-rest correlation, the fall of item j is ``z_ref - z``. If the
people are more alike, or answer with more noise, all items of a scale fall; so what counts is the fall of an item less
the median fall of the items of its scale (an item that is out of order drags its neighbours by much less than itself).

References
----------
Cohen, J. (1988). Statistical power analysis for the behavioral sciences (2nd ed.), chapter 4: q = 0.30 is a medium
difference of two correlations; its standard error is sqrt(1 / (n_1 - 3) + 1 / (n_2 - 3)).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from psm_analysis.scoring.model import ScoringModel
from psm_analysis.workflows.drift_shift import scale_places


def discrimination(model: ScoringModel, items: pd.DataFrame, *, nobs: int) -> pd.DataFrame:
    """Return ``rest_r_fall`` (Cohen's q, apart from the scale) and ``p_rest_r`` (one-sided) of every item."""
    from scipy.special import ndtr

    old, new = (items[name].clip(-0.999, 0.999).to_numpy(float) for name in ("rest_r_reference", "rest_r"))
    fall = np.arctanh(old) - np.arctanh(new)
    own = np.array([_apart(fall, scale_places(model, j), j) for j in range(len(fall))])
    sizes = nobs, model.reference.complete_n
    error = np.sqrt(sum(1 / (n - 3) for n in sizes)) if min(sizes) > 3 else np.nan
    return pd.DataFrame({"rest_r_fall": own, "p_rest_r": ndtr(-own / error)}, index=items.index)


def _apart(fall: np.ndarray, places: list[int], j: int) -> float:
    known = fall[places][np.isfinite(fall[places])]
    return float(fall[j] - np.median(known)) if len(known) else float("nan")
