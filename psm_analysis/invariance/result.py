"""The result of a ladder of invariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from psm_analysis._results import Result
from psm_analysis.errors import OptionError
from psm_analysis.invariance.blocks import Blocks
from psm_analysis.invariance.effect_sizes import dmacs, latent_means
from psm_analysis.invariance.partial import Release
from psm_analysis.sem.result import SemResult

if TYPE_CHECKING:
    from psm_analysis.invariance.permutation import PermutationTest


@dataclass(frozen=True, slots=True, repr=False)
class InvarianceResult(Result):
    """Fits of increasing equality over groups or waves, and what was decided at each.

    Attributes
    ----------
    steps
        The fit of each step by name; with partial release, the last one of the step.
    table
        One row per step; see :meth:`tidy`.
    releases
        Parameters whose equality was given up, in order.
    rule
        The rule of decision, as text.
    blocks
        The groups or waves, and the names of their parameters in the fits.
    warnings
        What is doubtful in the fits, with the step.
    """

    steps: Mapping[str, SemResult]
    table: pd.DataFrame
    releases: tuple[Release, ...]
    rule: str
    blocks: Blocks
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per step.

        Columns: ``step, equal, released, chisq, df, p`` (of the model; scaled if the estimator is), ``cfi, rmsea, srmr,
        statistic, df_diff, p_value`` (of the difference test), ``delta_cfi, delta_rmsea, delta_srmr`` against the step
        before, and ``decision`` (``holds``, ``partial``, ``fails`` or ``no solution``: the ladder ends there).
        """
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the rule, the highest step that holds, how many parameters were released."""
        row = {"rule": self.rule, "steps": len(self.steps), "highest": self.highest, "released": len(self.releases)}
        return pd.DataFrame([row])

    @property
    def highest(self) -> str:
        """The last step before the first that fails or has no solution."""
        found = ""
        for step, decision in zip(self.table["step"], self.table["decision"], strict=True):
            if decision in ("fails", "no solution"):
                break
            found = str(step)
        return found

    def latent_means(self, step: str = "scalar", *, level: float = 0.95) -> pd.DataFrame:
        """Return latent means of each group or wave less those of the first, with intervals and standardized sizes.

        Raises
        ------
        OptionError
            If the step is not there or does not free latent means.
        """
        fit = self._step(step)
        equal = str(self.table.set_index("step").loc[step, "equal"]).split(", ")
        if "intercepts" not in equal or "means" in equal:
            raise OptionError(
                f"Latent means are not free at the step {step!r}.",
                where="argument 'step'",
                remedy="Use 'scalar' or 'strict'.",
            )
        return latent_means(fit, self.blocks, level=level)

    def dmacs(self, step: str = "scalar") -> pd.DataFrame:
        """Return dMACS effect sizes of non-invariance of the indicators released at a step (others are 0)."""
        return dmacs(self._step(step), self.blocks)

    def permutation_test(self, n: int = 1000, *, seed: int) -> PermutationTest:
        """Test the steps by permuting group labels: exact for small and unequal groups (Jorgensen et al., 2018).

        Parameters
        ----------
        n
            Number of permutations.
        seed
            Makes the permutations; the same seed gives the same p values.

        Returns
        -------
        PermutationTest
            p values of chi-square, CFI, RMSEA and SRMR (unscaled): of the first step itself, of later ones of their
            change.

        Raises
        ------
        OptionError
            For waves, whose rows are the same persons, or rows with weights or in clusters.

        References
        ----------
        Jorgensen, T. D., Kite, B. A., Chen, P.-Y., & Short, S. D. (2018). Permutation randomization methods for testing
        measurement equivalence. Psychological Methods, 23, 708-728. In R: ``semTools::permuteMeasEq``, whose p values
        are ``#{...} / n``.
        """
        from psm_analysis.invariance.permutation import permutation_test

        if self.blocks.kind != "group":
            raise OptionError(
                "Waves of the same persons are not exchangeable.",
                where="permutation_test",
                remedy="Use the difference tests of the ladder.",
            )
        return permutation_test(self.steps, n=n, seed=seed)

    def released(self) -> pd.DataFrame:
        """Return the released parameters: ``step, parameter, statistic, df, p_value`` of the score test."""
        columns = ["step", "parameter", "statistic", "df", "p_value"]
        return pd.DataFrame([[getattr(r, name) for name in columns] for r in self.releases], columns=columns)

    def _step(self, step: str) -> SemResult:
        if step not in self.steps:
            raise OptionError(
                f"There is no step {step!r}.", where="argument 'step'", remedy=f"It can be: {', '.join(self.steps)}."
            )
        return self.steps[step]
