"""The result of a model with exploratory blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psm_analysis._options import BootstrapInterval, BootstrapKind
from psm_analysis.errors import OptionError
from psm_analysis.sem.exploratory import Block
from psm_analysis.sem.result import SemResult

if TYPE_CHECKING:
    from psm_analysis.sem.bootstrap_result import BootstrapResult


@dataclass(frozen=True, slots=True, repr=False)
class ExploratoryResult(SemResult):
    """A fitted model with exploratory blocks (ESEM): as :class:`SemResult`, the blocks rotated.

    Attributes
    ----------
    rotation
        Full name of the rotation, such as ``geominQ``, or ``none``.
    blocks
        Name, factors and items of each exploratory block.
    """

    rotation: str
    blocks: tuple[Block, ...]

    def bootstrap(
        self,
        n: int,
        *,
        seed: int,
        ci: BootstrapInterval = "percentile",
        kind: BootstrapKind = "ordinary",
        level: float = 0.95,
        processes: int = 1,
        progress: bool = False,
    ) -> BootstrapResult:
        """Not available: the factors of replicates would change places and signs."""
        raise OptionError(
            "Exploratory blocks cannot be bootstrapped.",
            where="bootstrap",
            remedy="Use the standard errors of the fit; estimator='MLR' has robust ones.",
        )
