"""What each estimator minimises, and the standard errors and test it is paired with (as lavaan pairs them)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from psm_analysis._options import Estimator, Information, StandardErrors, TestStatistic, check_option
from psm_analysis.errors import OptionError

Function = Literal["ML", "FIML", "GLS", "ULS", "WLS", "DWLS"]


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """An estimator: discrepancy function, standard errors, test statistic, information."""

    name: Estimator
    function: Function
    se: StandardErrors
    test: TestStatistic
    information: Information = "expected"

    @property
    def likelihood(self) -> bool:
        """Whether the discrepancy is a normal likelihood (and the sample covariance has divisor N)."""
        return self.function in ("ML", "FIML")


SPECS: dict[str, EstimatorSpec] = {
    spec.name: spec
    for spec in (
        EstimatorSpec("ML", "ML", "standard", "standard"),
        EstimatorSpec("MLF", "ML", "first.order", "standard"),
        EstimatorSpec("MLM", "ML", "robust.sem", "satorra.bentler"),
        EstimatorSpec("MLMV", "ML", "robust.sem", "scaled.shifted"),
        EstimatorSpec("MLMVS", "ML", "robust.sem", "mean.var.adjusted"),
        EstimatorSpec("MLR", "ML", "robust.huber.white", "yuan.bentler.mplus", "observed"),
        EstimatorSpec("GLS", "GLS", "standard", "standard"),
        EstimatorSpec("ULS", "ULS", "standard", "standard"),
        EstimatorSpec("ULSM", "ULS", "robust.sem", "satorra.bentler"),
        EstimatorSpec("ULSMV", "ULS", "robust.sem", "scaled.shifted"),
        EstimatorSpec("WLS", "WLS", "standard", "standard"),
        EstimatorSpec("DWLS", "DWLS", "standard", "standard"),
        EstimatorSpec("WLSM", "DWLS", "robust.sem", "satorra.bentler"),
        EstimatorSpec("WLSMV", "DWLS", "robust.sem", "scaled.shifted"),
    )
}


def resolve(
    estimator: Estimator, *, missing: str, se: Any, test: Any, information: Information | None
) -> EstimatorSpec:
    """Return the estimator with its own or the asked-for standard errors, test and information.

    Raises
    ------
    OptionError
        For combinations that do not exist.
    """
    spec = SPECS[check_option(estimator, Estimator, name="estimator")]
    if missing == "fiml":
        if spec.function != "ML" or spec.se == "robust.sem":
            raise OptionError(
                f"estimator={estimator!r} cannot use incomplete rows.",
                where="argument 'missing'",
                remedy="Use estimator='ML' or 'MLR' with missing='fiml'.",
            )
        spec = replace(spec, function="FIML", information="observed")
    if se is not None:
        check_option(se, StandardErrors, name="se")
        robust = se == "robust.huber.white" and spec.likelihood
        spec = replace(spec, se=se, information="observed" if robust else spec.information)
    if test is not None:
        check_option(test, TestStatistic, name="test")
        spec = replace(spec, test=test)
    if information is not None:
        _check_information(spec, information)
        spec = replace(spec, information=check_option(information, Information, name="information"))
    if not spec.likelihood and (spec.se in ("robust.huber.white", "first.order") or spec.test.startswith("yuan")):
        raise OptionError(
            f"se={spec.se!r} and test={spec.test!r} need a likelihood, which {estimator} is not.",
            where="arguments 'se' and 'test'",
            remedy="Use se='robust.sem' and test='satorra.bentler', or estimator='MLR'.",
        )
    if spec.se == "first.order" and spec.test != "standard":
        raise OptionError(
            f"test={spec.test!r} needs an information, and se='first.order' has none.",
            where="arguments 'se' and 'test'",
            remedy="Use estimator='MLR', or test='standard'.",
        )
    if spec.function == "WLS" and spec.test in MOMENT_TESTS:
        raise OptionError(
            "The chi-square of WLS needs no correction: its weights are distribution-free already.",
            where="argument 'test'",
            remedy="Leave it out, or use estimator='WLSMV'.",
        )
    if spec.function == "FIML" and (spec.se == "robust.sem" or spec.test in MOMENT_TESTS):
        raise OptionError(
            f"se={spec.se!r} and test={spec.test!r} need complete rows.",
            where="arguments 'se' and 'test'",
            remedy="With missing='fiml' use estimator='MLR'.",
        )
    return spec


def _check_information(spec: EstimatorSpec, information: Information) -> None:
    """Refuse a kind of information that an estimator does not use."""
    if spec.se == "first.order":
        raise OptionError(
            f"Standard errors of {spec.name} come from the cross-products of the scores, not from an information.",
            where="argument 'information'",
            remedy="Leave it out, or use estimator='ML' or 'MLR'.",
        )
    if spec.function in ("ULS", "WLS", "DWLS") and information == "observed":
        raise OptionError(
            f"{spec.name} uses the expected information only.",
            where="argument 'information'",
            remedy="Leave it out, or use estimator='ML', 'MLR' or 'GLS'.",
        )


MOMENT_TESTS = ("satorra.bentler", "mean.var.adjusted", "scaled.shifted")
