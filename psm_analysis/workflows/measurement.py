"""The measurement model of the reference wave: frozen, and held against moments of a later wave."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from psm_analysis._model_names import quoted
from psm_analysis.errors import PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.scoring.model import Coefficient, Measurement
from psm_analysis.sem.fit import cfa
from psm_analysis.sem.result import SemResult

HELD = "held"


def frozen_measurement(answers: pd.DataFrame, model: str) -> Measurement:
    """Fit the model to the complete rows of answers turned round, and keep every parameter.

    A model that cannot be fitted is kept as the reason why; the other checks of a later wave do not need it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsmAnalysisWarning)
            fit = cfa(model, answers, meanstructure=True)
    except PsmAnalysisError as error:
        return _without_model(error.what)
    if not fit.converged:
        return _without_model("The measurement model did not converge.")
    measures = fit.fit_measures
    return Measurement(
        model=model,
        coefficients=_coefficients(fit),
        nobs=fit.nobs,
        chisq=_finite(measures["chisq"]),
        df=int(measures["df"]),
        cfi=_finite(measures["cfi"]),
        rmsea=_finite(measures["rmsea"]),
        srmr=_finite(measures["srmr"]),
        problem="",
    )


def fixed_text(measurement: Measurement) -> str:
    """Return the model with every parameter at its estimate.

    A model needs a free parameter to be fitted, so the first variance is held by an equation instead of a number.

    Examples
    --------
    >>> frozen = Measurement("f =~ a", (Coefficient("f", "=~", "a", 1.0), Coefficient("a", "~~", "a", 0.5)),
    ...     nobs=9, chisq=None, df=0, cfi=None, rmsea=None, srmr=None, problem="")
    >>> print(fixed_text(frozen))
    f =~ 1.0*a
    a ~~ held*a
    held == 0.5
    """
    place = next(i for i, coefficient in enumerate(measurement.coefficients) if coefficient.op == "~~")
    lines = [
        _line(coefficient, HELD if i == place else repr(coefficient.value))
        for i, coefficient in enumerate(measurement.coefficients)
    ]
    return "\n".join([*lines, f"{HELD} == {measurement.coefficients[place].value!r}"])


def _line(coefficient: Coefficient, modifier: str) -> str:
    op, rhs = ("~", "1") if coefficient.op == "~1" else (coefficient.op, quoted(coefficient.rhs))
    return f"{quoted(coefficient.lhs)} {op} {modifier}*{rhs}"


def _coefficients(fit: SemResult) -> tuple[Coefficient, ...]:
    rows = fit.tidy()
    kept = rows[rows["op"].isin(("=~", "~~", "~", "~1"))]
    names = zip(kept["lhs"], kept["op"], kept["rhs"], kept["estimate"], strict=True)
    return tuple(Coefficient(str(lhs), str(op), str(rhs), float(value)) for lhs, op, rhs, value in names)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _without_model(problem: str) -> Measurement:
    return Measurement("", (), nobs=0, chisq=None, df=0, cfi=None, rmsea=None, srmr=None, problem=problem)
