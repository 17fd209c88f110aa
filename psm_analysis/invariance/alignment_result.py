"""The result of an alignment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from psm_analysis._options import check_choice
from psm_analysis._results import Result
from psm_analysis.invariance.alignment_factor import AlignedFactor
from psm_analysis.invariance.alignment_items import explained, invariant_groups
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.tables import inference_frame


@dataclass(frozen=True, slots=True, repr=False)
class AlignmentResult(Result):
    """Factors of many groups, aligned.

    Attributes
    ----------
    fit
        The configural fit.
    factors
        Each factor: means, variances, parameters, and their covariance matrices.
    method, metric, reference
        How means and variances are identified: ``fixed`` or ``free``; ``reference`` or ``product``; the group.
    items
        One row per loading and intercept (or threshold); see :meth:`noninvariance`.
    warnings
        What is doubtful.
    """

    fit: SemResult
    factors: tuple[AlignedFactor, ...]
    method: str
    metric: str
    reference: str
    items: pd.DataFrame
    warnings: tuple[str, ...]

    def tidy(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return the mean and variance of every factor in every group.

        Columns: ``factor, group, nobs, estimate`` (the mean), ``std_error, statistic, p_value, ci_low, ci_high,
        variance, variance_std_error``.
        """
        nobs = [group.nobs for group in self.fit.sample.groups]
        frames = []
        for found in self.factors:
            G = len(found.means)
            errors = np.sqrt(np.maximum(np.diagonal(found.covariance), 0.0))
            names = pd.DataFrame({"factor": found.factor, "group": self.fit.group_labels, "nobs": nobs})
            means = inference_frame(found.means, errors[:G], level)
            frames.append(
                pd.concat([names, means], axis=1).assign(variance=found.variances, variance_std_error=errors[G:])
            )
        return pd.concat(frames, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: method, groups, simplicity function, and the share of parameters that are not invariant."""
        groups = len(self.fit.group_labels)
        return pd.DataFrame(
            [
                {
                    "method": self.method,
                    "metric": self.metric,
                    "reference": self.reference,
                    "n_groups": groups,
                    "loss": float(self.items["loss"].sum()),
                    "noninvariant": float(self.items["n_noninvariant"].sum() / (groups * len(self.items))),
                }
            ]
        )

    def noninvariance(self) -> pd.DataFrame:
        """Return what each loading and intercept (or threshold) contributes, and in which groups it differs.

        Columns: ``item, factor, parameter, estimate`` (average of the aligned values of the invariant groups),
        ``r_squared`` (share of its variation over groups that factor means and variances explain), ``loss`` (what it
        adds to the simplicity function), ``n_noninvariant, groups`` (names of the groups that differ).
        """
        return self.items.copy()

    def parameters(self) -> pd.DataFrame:
        """Return every aligned loading and intercept: ``item, factor, parameter, group, estimate, std_error``."""
        frames = []
        for found in self.factors:
            for (item, kind), values, spread in zip(
                found.names, found.parameters, found.parameter_covariance, strict=True
            ):
                part = {"item": item, "factor": found.factor, "parameter": kind, "group": self.fit.group_labels}
                errors = np.sqrt(np.maximum(np.diagonal(spread), 0.0))
                frames.append(pd.DataFrame(part | {"estimate": values, "std_error": errors}))
        return pd.concat(frames, ignore_index=True)

    def differences(self, factor: str, *, level: float = 0.95) -> pd.DataFrame:
        """Return the difference of the means of a factor between all pairs of groups.

        Columns: ``group, other, estimate`` (group less other), ``std_error, statistic, p_value, ci_low, ci_high``.

        Raises
        ------
        OptionError
            If there is no such factor.
        """
        check_choice(factor, [found.factor for found in self.factors], name="factor")
        found = next(found for found in self.factors if found.factor == factor)
        labels = self.fit.group_labels
        pairs = list(combinations(range(len(labels)), 2))
        a, b = np.array(pairs).T
        V = found.covariance
        errors = np.sqrt(np.maximum(V[a, a] + V[b, b] - 2.0 * V[a, b], 0.0))
        names = pd.DataFrame({"group": [labels[i] for i in a], "other": [labels[i] for i in b]})
        return pd.concat([names, inference_frame(found.means[a] - found.means[b], errors, level)], axis=1)


def item_rows(found: AlignedFactor, labels: list[str]) -> Iterator[dict[str, object]]:
    """Yield of each parameter of a factor how invariant it is."""
    scales = np.sqrt(found.variances)
    averages = found.parameters.mean(axis=1)
    for k, (item, kind) in enumerate(found.names):
        same = invariant_groups(found.parameters[k], found.parameter_covariance[k])
        slope = averages[found.item[k]]
        if kind == "loading":
            predicted = scales * averages[k]
        else:
            predicted = averages[k] + (1.0 if kind == "intercept" else -1.0) * found.means * slope
        yield {
            "item": item,
            "factor": found.factor,
            "parameter": kind,
            "estimate": float(found.parameters[k][same].mean()),
            "r_squared": explained(found.configural[k], predicted),
            "loss": float(found.contributions[k]),
            "n_noninvariant": int((~same).sum()),
            "groups": ", ".join(label for label, kept in zip(labels, same, strict=True) if not kept),
        }
