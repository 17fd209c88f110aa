"""``find_sample_size`` and ``power_curve``: how power grows with the sample, by Monte Carlo."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
import pandas as pd
from scipy import special

from psm_analysis._options import check_option
from psm_analysis._results import Result
from psm_analysis.errors import ConvergenceError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.options import SemKeywords
from psm_analysis.simulation.analysis import checked_analysis, find_rows
from psm_analysis.simulation.difference import Restriction, monte_carlo_difference, two_analyses
from psm_analysis.simulation.likelihood_ratio import likelihood_ratio_power
from psm_analysis.simulation.population import Population, group_sizes
from psm_analysis.simulation.rmsea_power import check_target
from psm_analysis.simulation.study import monte_carlo
from psm_analysis.simulation.truth import find_target

Criterion = Literal["chisq", "cfi", "rmsea"]
SPREAD = (0.6, 0.8, 1.0, 1.25, 1.6)
SMALLEST, LARGEST = 20, 200_000


@dataclass(frozen=True, slots=True, repr=False)
class SampleSize(Result):
    """How many respondents a power needs.

    Attributes
    ----------
    frame
        Power by number of respondents; see :meth:`tidy`.
    what, target, alpha
        What is to be found, with which power, at which significance level.
    nobs, ci_low, ci_high
        The number of respondents, and the limits of its simulation error (95 percent).
    power
        Power with so many respondents, in a simulation of its own.
    warnings
        What is doubtful.
    """

    frame: pd.DataFrame
    what: str
    target: float
    alpha: float
    nobs: int
    ci_low: int
    ci_high: int
    power: float
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per simulated size: ``nobs, replicates, power, power_se, ci_low, ci_high, fitted``.

        The limits are Wilson's; `fitted` is the curve ``Phi(a + b sqrt(N))`` through all of them.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: respondents with the limits of the simulation error, power wanted and reached."""
        row = {"what": self.what, "target": self.target, "alpha": self.alpha, "nobs": self.nobs}
        return pd.DataFrame([row | {"ci_low": self.ci_low, "ci_high": self.ci_high, "power": self.power}])


def power_curve(
    people: Population,
    model: str,
    *,
    nobs: Sequence[int],
    parameters: Sequence[str],
    seed: int,
    replicates: int = 1_000,
    alpha: float = 0.05,
    processes: int = 1,
    progress: bool = False,
    **options: Unpack[SemKeywords],
) -> pd.DataFrame:
    """Return the power to find some parameters in samples of several sizes.

    Parameters
    ----------
    people, model, seed, replicates, alpha, processes, progress
        As :func:`monte_carlo`.
    nobs
        Numbers of respondents in all groups.
    parameters
        Labels, or parameters written as ``"M ~ X"``.
    **options
        Arguments of :func:`sem` for the analysis.

    Returns
    -------
    DataFrame
        One row per parameter and size: ``parameter, nobs, replicates, power, power_se, ci_low, ci_high, failed,
        inadmissible``, which :func:`power_plot` draws. The limits are Wilson's.

    Raises
    ------
    OptionError
        For an unknown parameter, or what :func:`monte_carlo` refuses.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> people = psm.population("m ~ 0.3*x; y ~ 0.3*m; x ~~ 1*x", standardized=True)
    >>> curve = psm.power_curve(
    ...     people, "m ~ a*x; y ~ b*m; ab := a*b", nobs=[100, 200], parameters=["ab"], seed=1, replicates=200
    ... )
    >>> curve["power"].round(1).tolist()
    [0.6, 1.0]
    """
    if np.isscalar(nobs) or isinstance(parameters, str) or not len(nobs) or not len(parameters):
        raise OptionError(
            f"nobs={nobs!r} and parameters={parameters!r} are not lists with something in them.",
            where="power_curve",
            remedy="Give nobs=[100, 200] and parameters=['ab'].",
        )
    records = []
    for n in sorted(nobs):
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore", PsmAnalysisWarning)
            study = monte_carlo(
                people,
                model,
                nobs=n,
                seed=seed,
                replicates=replicates,
                alpha=alpha,
                processes=processes,
                progress=progress,
                **options,
            )
        done = study.replicates.converged
        z = float(special.ndtri(1.0 - alpha / 2.0))
        significant = np.abs(study.replicates.estimates[done]) > z * study.replicates.errors[done]
        for name in parameters:
            hits = int(significant[:, find_rows(study.target, name)].all(axis=1).sum())
            counts = {"failed": int((~done).sum()), "inadmissible": int((done & ~study.replicates.admissible).sum())}
            records.append({"parameter": name, **_point(n, hits, int(done.sum())), **counts})
    frame = pd.DataFrame(records)
    order = frame["parameter"].map({name: place for place, name in enumerate(parameters)})
    return frame.iloc[np.lexsort((frame["nobs"], order))].reset_index(drop=True)


def find_sample_size(
    people: Population,
    model: str,
    *,
    parameter: str | None = None,
    restricted: Restriction | None = None,
    criterion: Criterion = "chisq",
    power: float = 0.80,
    seed: int,
    replicates: int = 1_000,
    alpha: float = 0.05,
    processes: int = 1,
    progress: bool = False,
    **options: Unpack[SemKeywords],
) -> SampleSize:
    """Find the number of respondents at which a parameter, or a violated restriction, is found with a given power.

    Power is simulated at five sizes about a first guess (from standard errors or the noncentrality in the population),
    and at the size that the curve ``Phi(a + b sqrt(N))`` through all of them asks for, twice, with the next seeds.

    Parameters
    ----------
    people, model, seed, alpha, processes, progress
        As :func:`monte_carlo`.
    parameter
        Label (such as that of an indirect effect) or ``"lhs op rhs"`` of what is to be found.
    restricted, criterion
        In its place a restriction that is to be rejected, as in :func:`monte_carlo_difference`; by ``chisq`` (the
        difference test), ``cfi`` (a loss above .01) or ``rmsea`` (a gain above .015).
    power
        What is wanted, between `alpha` and 1.
    replicates
        Samples of each size.
    **options
        Arguments of :func:`sem` for the analysis.

    Returns
    -------
    SampleSize
        The number of respondents in all groups, with its simulation error; the curve in ``tidy()``.

    Raises
    ------
    OptionError
        For an impossible power, an unknown parameter, or an effect that is 0 in the population.
    ConvergenceError
        If no size gives the power that is wanted.

    References
    ----------
    Schoemann, A. M., Boulton, A. J., & Short, S. D. (2017). Determining power and sample size for simple and complex
    mediation models. Social Psychological and Personality Science, 8, 379-386.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> people = psm.population("m ~ 0.3*x; y ~ 0.3*m; x ~~ 1*x", standardized=True)
    >>> model = "m ~ a*x; y ~ b*m; ab := a*b"
    >>> found = psm.find_sample_size(people, model, parameter="ab", seed=1, replicates=500)
    >>> 110 < found.nobs < 150, found.ci_low <= found.nobs <= found.ci_high
    (True, True)
    """
    check_target(power, floor=alpha)
    check_option(criterion, Criterion, name="criterion")
    if (parameter is None) == (restricted is None):
        raise OptionError(
            "Either a parameter or a restriction can be looked for.",
            where="arguments 'parameter' and 'restricted'",
            remedy="Give one of the two.",
        )
    shared: dict[str, Any] = {"replicates": replicates, "alpha": alpha, "processes": processes}
    shared |= {"progress": progress, **options}

    def simulate(n: int, seed: int) -> dict[str, float]:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore", PsmAnalysisWarning)
            if parameter is not None:
                curve = power_curve(people, model, nobs=[n], parameters=[parameter], seed=seed, **shared)
                row = curve.drop(columns=["parameter", "failed", "inadmissible"]).iloc[0]
                return {str(name): float(value) for name, value in row.items()}
            study = monte_carlo_difference(people, model, restricted=restricted or {}, nobs=n, seed=seed, **shared)
            hits = study.rejected()[criterion]
            return _point(n, int(hits.sum()), len(hits))

    if parameter is not None:
        guess = _guess_parameter(people, model, parameter, power=power, alpha=alpha, options=options)
    else:
        guess = _guess_restriction(people, model, restricted or {}, power=power, alpha=alpha, options=options)
    what = parameter if parameter is not None else f"restriction, by {criterion}"
    return _search(simulate, guess, what=what, power=power, alpha=alpha, seed=seed)


def _search(
    simulate: Callable[[int, int], dict[str, float]], guess: float, *, what: str, power: float, alpha: float, seed: int
) -> SampleSize:
    points = [simulate(_whole(guess * factor), seed) for factor in SPREAD]
    for more in (1, 2):
        nobs, _ = crossing(points, power)
        points.append(simulate(_whole(nobs), seed + more))
    nobs, error = crossing(points, power)
    intercept, slope, _ = _probit(points)
    frame = pd.DataFrame(points).sort_values("nobs", kind="stable").reset_index(drop=True)
    frame = frame.astype({"nobs": int, "replicates": int})
    frame["fitted"] = special.ndtr(intercept + slope * np.sqrt(frame["nobs"].to_numpy(dtype=float)))
    answer, last = _whole(nobs), points[-1]
    notes = []
    if abs(last["power"] - power) > 4.0 * max(last["power_se"], 0.5 / math.sqrt(last["replicates"])):
        notes.append(f"Power at {last['nobs']} respondents is {last['power']:.3f}: the curve does not fit well there.")
        python_warnings.warn(notes[0], PsmAnalysisWarning, stacklevel=3)
    reach = 1.959964 * error
    low, high = max(math.floor(nobs - reach), 2), math.ceil(nobs + reach)
    return SampleSize(frame, what, power, alpha, answer, low, high, float(last["power"]), tuple(notes))


def crossing(points: Sequence[Mapping[Any, float]], power: float) -> tuple[float, float]:
    """Return where the fitted curve has the power that is wanted, and the standard error of this number."""
    intercept, slope, vcov = _probit(points)
    sizes = [point["nobs"] for point in points]
    root = (float(special.ndtri(power)) - intercept) / slope if slope > 0 else math.nan
    if not root > 0 or root**2 > LARGEST:
        raise ConvergenceError(
            f"No number of respondents gives a power of {power}: between {min(sizes)} and {max(sizes)} respondents it "
            f"goes from {points[0]['power']:.2f} to {points[len(SPREAD) - 1]['power']:.2f}.",
            where="find_sample_size",
            remedy="The effect is too small, or the criterion does not see it at any size: use criterion='chisq'.",
        )
    slopes = np.array([-1.0 / slope, -root / slope]) * 2.0 * root
    return root**2, math.sqrt(max(float(slopes @ vcov @ slopes), 0.0))


def _probit(points: Sequence[Mapping[Any, float]]) -> tuple[float, float, Array]:
    """Fit ``power = Phi(a + b sqrt(N))`` by maximum likelihood (Fisher scoring); half a hit is added to both sides."""
    n = np.array([point["replicates"] for point in points]) + 1.0
    hits = np.array([point["power"] * point["replicates"] for point in points]) + 0.5
    X = np.column_stack([np.ones(len(n)), np.sqrt(np.array([point["nobs"] for point in points], dtype=float))])
    beta: Array = np.linalg.lstsq(X, special.ndtri(hits / n), rcond=None)[0]
    vcov = np.eye(2)
    for _ in range(50):
        eta = np.clip(X @ beta, -8.0, 8.0)
        mean, density = special.ndtr(eta), np.exp(-0.5 * eta**2) / math.sqrt(2.0 * math.pi)
        weight = n * density**2 / np.maximum(mean * (1.0 - mean), 1e-12)
        vcov = np.linalg.inv(X.T @ (weight[:, None] * X))
        step = vcov @ (X.T @ (weight * (hits / n - mean) / np.maximum(density, 1e-12)))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0]), float(beta[1]), np.asarray(vcov)


def _guess_parameter(
    people: Population, model: str, parameter: str, *, power: float, alpha: float, options: Any
) -> float:
    """Return the size at which a z test has the power, from the standard error in the population."""
    start = 1_000 * len(people.groups)
    target = find_target(people, checked_analysis(model, options), group_sizes(people, start))
    rows = find_rows(target, parameter)
    values = target.values[rows]
    if np.abs(values).min() < 1e-8:
        raise OptionError(
            f"The parameter {parameter!r} is 0 in the population: no sample finds it.",
            where="argument 'parameter'",
            remedy="Give it a value in the population.",
        )
    if target.fit is None:
        return 250.0 * len(people.groups)
    errors = target.fit.tidy()["std_error"].to_numpy(dtype=float)[rows]
    z = float(np.min(np.abs(values) / np.maximum(errors, 1e-12)))
    wanted = float(special.ndtri(power) + special.ndtri(1.0 - alpha / 2.0))
    return start * (wanted / z) ** 2


def _guess_restriction(
    people: Population, model: str, restricted: Restriction, *, power: float, alpha: float, options: Any
) -> float:
    start = 1_000 * len(people.groups)
    _, tied = two_analyses(model, restricted, options)
    if find_target(people, tied, group_sizes(people, start)).fit is None:
        return 250.0 * len(people.groups)
    found = likelihood_ratio_power(
        people, model, restricted=restricted, nobs=start, target=power, alpha=alpha, **options
    )
    return float(found.nobs_needed)


def _whole(nobs: float) -> int:
    return int(min(max(math.ceil(nobs - 1e-9), SMALLEST), LARGEST))


def _point(nobs: int, hits: int, n: int) -> dict[str, float]:
    """Return a row of the curve with Wilson's interval."""
    share, z = hits / n, 1.959964
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    row: dict[str, float] = {"nobs": nobs, "replicates": n, "power": share}
    row |= {"power_se": math.sqrt(share * (1 - share) / n), "ci_low": centre - reach, "ci_high": centre + reach}
    return row
