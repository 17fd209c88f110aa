"""``pool``: a model fitted to every completed data set, and the results combined by Rubin's rules."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

import pandas as pd

from psm_analysis._options import check_option
from psm_analysis.errors import (
    ConvergenceError,
    DataError,
    ModelError,
    OptionError,
    PsmAnalysisError,
    PsmAnalysisWarning,
)
from psm_analysis.imputation.combined import combined_fit
from psm_analysis.imputation.pooled_fit import model_test, pooled_measures
from psm_analysis.imputation.result import PooledResult
from psm_analysis.sem.fit import sem
from psm_analysis.sem.options import SemKeywords
from psm_analysis.sem.result import SemResult

PooledStatistic = Literal["D2", "D3"]


def pool(
    model: str,
    imputations: Sequence[pd.DataFrame],
    *,
    statistic: PooledStatistic | None = None,
    complete_df: float | None = None,
    **options: Unpack[SemKeywords],
) -> PooledResult:
    """Fit a model to every completed data set and pool estimates, tests, fit measures and reliabilities.

    Estimates are means over imputations; their covariance matrix is ``T = W + (1 + 1/m) B`` (Rubin, 1987). The
    chi-square is that of Meng and Rubin (1992, D3: likelihood ratio at the pooled estimates) or of Li et al. (1991, D2:
    from the chi-squares of the imputations).

    Parameters
    ----------
    model
        Model text.
    imputations
        Two or more data frames with the same rows and columns, such as :func:`impute` returns.
    statistic
        ``D3`` (default of likelihood estimators) or ``D2`` (of all others).
    complete_df
        Degrees of freedom of t tests if nothing were missing, by default respondents less parameters (Barnard & Rubin,
        1999); ``math.inf`` gives those of Rubin (1987), which semTools has.
    **options
        Arguments of :func:`sem`.

    Returns
    -------
    PooledResult
        ``tidy()`` with t tests and fractions of missing information, ``fit_measures``, ``reliability()``, ``wald()``;
        ``combined`` is a fit with the pooled estimates, from which effects and standardized values can be taken.

    Raises
    ------
    DataError
        For fewer than two frames, or frames that differ in columns or rows.
    OptionError
        For D3 with an estimator that has no likelihood, or moments in place of data.
    ConvergenceError
        If fewer than two imputations have a solution; if none has one, what the first fit raised.

    References
    ----------
    Rubin, D. B. (1987). Multiple imputation for nonresponse in surveys. Wiley. R: ``semTools::sem.mi``.

    Examples
    --------
    >>> import numpy as np, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> rows = pd.DataFrame(rng.normal(size=(200, 1)) + rng.normal(size=(200, 4)), columns=list("abcd"))
    >>> holes = rows.mask(rng.random(rows.shape) < 0.1)
    >>> pooled = psm.pool("f =~ a + b + c + d", psm.impute(holes, n=5, seed=1))
    >>> row = pooled.glance().iloc[0]
    >>> int(row["imputations"]), int(row["df"])
    (5, 2)
    """
    frames = check_frames(imputations)
    if any(options.get(name) is not None for name in ("sample_cov", "sample_mean", "sample_sd", "sample_nobs")):
        raise OptionError("Imputations are rows, not moments.", where="**options", remedy="Leave sample_* out.")
    fits, failed, messages = _fits(model, frames, options)
    if len(fits) < 2:
        raise ConvergenceError(
            f"Only {len(fits)} of {len(frames)} imputations have a solution.",
            where="pool",
            remedy="Simplify the model, or look at one imputation by psm.sem.",
        )
    chosen: PooledStatistic = "D3" if fits[0].spec.likelihood else "D2"
    kind = check_option(statistic or chosen, PooledStatistic, name="statistic")
    if kind == "D3" and not fits[0].spec.likelihood:
        raise OptionError(
            f"D3 needs a likelihood, which {fits[0].estimator} is not.",
            where="argument 'statistic'",
            remedy="Use statistic='D2'.",
        )
    notes = _doubts(failed, len(frames), messages)
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    combined = combined_fit(fits)
    chisq = model_test(fits, combined, kind=kind)
    npar = fits[0].fit_measures["npar"]
    return PooledResult(
        fits=tuple(fits),
        combined=combined,
        test=kind,
        chisq=chisq,
        fit_measures=pooled_measures(fits, combined, chisq, kind=kind),
        complete_df=max(fits[0].nobs - npar, 1.0) if complete_df is None else complete_df,
        failed=len(failed),
        warnings=tuple(notes),
    )


def check_frames(imputations: object) -> list[pd.DataFrame]:
    """Return the frames, or refuse what is not two or more of the same rows and columns.

    Raises
    ------
    DataError
        Naming the frame and what differs.
    """
    given = list(imputations) if isinstance(imputations, (list, tuple)) else [imputations]
    frames = [one for one in given if isinstance(one, pd.DataFrame)]
    if isinstance(imputations, pd.DataFrame) or len(frames) < len(given):
        raise DataError(
            "The imputations are not a list of DataFrames.", where="argument 'imputations'", remedy="Give [a, b, ...]."
        )
    if len(frames) < 2:
        raise DataError(
            f"{len(frames)} imputation cannot be pooled.",
            where="argument 'imputations'",
            remedy="Give two or more, better 20.",
        )
    first = frames[0]
    for number, frame in enumerate(frames[1:], start=2):
        odd = sorted(set(first.columns) ^ set(frame.columns), key=str)
        if odd:
            raise DataError(
                f"The column {odd[0]!r} is not in both the first and frame number {number}.",
                where="argument 'imputations'",
                remedy="All frames need the same columns.",
            )
        if len(frame) != len(first):
            raise DataError(
                f"Frame number {number} has {len(frame)} rows, the first one {len(first)}.",
                where="argument 'imputations'",
                remedy="All frames need the same respondents.",
            )
    return frames


def _fits(
    model: str, imputations: Sequence[pd.DataFrame], options: Mapping[str, Any]
) -> tuple[list[SemResult], list[str], list[str]]:
    """Return the fits, why others have no solution, and what is doubtful of each fit."""
    fits: list[SemResult] = []
    failed: list[PsmAnalysisError] = []
    messages: list[str] = []
    for frame in imputations:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore", PsmAnalysisWarning)
            try:
                fit = sem(model, frame, **options)
            except (ConvergenceError, DataError, ModelError) as error:
                failed.append(error)
                continue
        if fit.converged:
            fits.append(fit)
            messages += fit.warnings
        else:
            failed.append(ConvergenceError("The search found no minimum."))
    if len(failed) == len(imputations):
        raise failed[0]
    if len({(tuple(fit.group_labels), fit.nobs, len(fit.table.parameters)) for fit in fits}) > 1:
        raise DataError(
            "The imputations have other groups, categories or numbers of complete rows than each other.",
            where="argument 'imputations'",
            remedy="Fill all gaps of the variables of the model; use missing='fiml' if some must stay.",
        )
    return fits, [error.what for error in failed], messages


def _doubts(failed: Sequence[str], m: int, messages: Sequence[str]) -> list[str]:
    reasons = " ".join(dict.fromkeys(failed))
    notes = [f"{len(failed)} of {m} imputations have no solution and were left out. {reasons}"] if failed else []
    counts: dict[str, Any] = {message: messages.count(message) for message in dict.fromkeys(messages)}
    return notes + [f"In {count} of {m} imputations: {message}" for message, count in counts.items()]
