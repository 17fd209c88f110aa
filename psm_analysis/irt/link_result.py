"""The result of linking two calibrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from psm_analysis._options import LinkMethod, PersonScore
from psm_analysis._results import ESTIMATE, STD_ERROR, Result
from psm_analysis.irt.result import GradedResponseResult
from psm_analysis.moments.sample import FloatArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LinkResult(Result):
    """The transformation of a new calibration onto the scale of a reference: ``A theta + B``.

    Attributes
    ----------
    method, slope, intercept
        The method chosen, its A and its B.
    coefficients
        ``method, slope, slope_std_error, intercept, intercept_std_error, chosen``: all four methods, to see how far
        they agree.
    anchors
        Per anchor ``item, slope_reference, slope, displacement, rmsd``: the slope on the reference scale; how far its
        thresholds still lie from those of the reference on average; and the root mean squared difference of the
        expected answers over a standard normal trait, per point of the answer scale.
    new
        The new calibration, on its own scale.
    curves
        Expected sum of the anchors by trait: ``theta, reference, new``, on the reference scale.
    warnings
        Items left out and anchors that moved.
    """

    method: LinkMethod
    slope: float
    intercept: float
    coefficients: pd.DataFrame
    anchors: pd.DataFrame
    new: GradedResponseResult
    curves: pd.DataFrame
    warnings: tuple[str, ...]

    @property
    def parameters(self) -> pd.DataFrame:
        """Slopes and thresholds of the new calibration on the scale of the reference: item, parameter, category."""
        table = self.new.parameters[["item", "parameter", "category", ESTIMATE]].copy()
        slopes = table["parameter"] == "slope"
        table[ESTIMATE] = (self.slope * table[ESTIMATE] + self.intercept).mask(slopes, table[ESTIMATE] / self.slope)
        return table

    @property
    def intercepts(self) -> Mapping[str, FloatArray]:
        """Intercepts of the items of the new calibration on the scale of the reference."""
        moved = self.intercept / self.slope
        pairs = zip(self.new.slopes.items(), self.new.intercepts, strict=True)
        return {str(name): d - a * moved for (name, a), d in pairs}

    def person_scores(self, data: pd.DataFrame | None = None, *, method: PersonScore = "eap") -> pd.DataFrame:
        """Return trait scores on the scale of the reference, with standard errors.

        Parameters
        ----------
        data
            Answers to the items of the new calibration; those it was fitted to if left out.
        method
            "eap" or "map", under the distribution of the trait in the new calibration.
        """
        scores = self.new.person_scores(data, method=method)
        return scores.assign(
            **{ESTIMATE: self.slope * scores[ESTIMATE] + self.intercept, STD_ERROR: self.slope * scores[STD_ERROR]}
        )

    def tidy(self) -> pd.DataFrame:
        """Return one row per anchor."""
        return self.anchors.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: method, A and B with standard errors, anchors, items, largest displacement of an anchor."""
        row = {
            **self.coefficients[self.coefficients["chosen"]].drop(columns="chosen").iloc[0].to_dict(),
            "anchors": len(self.anchors),
            "items": len(self.new.slopes),
            "largest_displacement": float(self.anchors["displacement"].abs().max()),
        }
        return pd.DataFrame([row])
