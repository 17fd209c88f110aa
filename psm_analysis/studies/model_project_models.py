"""The models of the model project and their fits, each fitted once."""

from __future__ import annotations

import pandas as pd

from psm_analysis._options import ModelKind
from psm_analysis.regression.hierarchical import hierarchical_regression
from psm_analysis.regression.ordinal import ordered_logit
from psm_analysis.regression.result import HierarchicalRegression, OrderedLogitResult
from psm_analysis.sem.fit import cfa, sem
from psm_analysis.sem.result import SemResult
from psm_analysis.studies.model_project_sample import CONTROLS, ProjectSample

KINDS: tuple[ModelKind, ...] = ("one-factor", "correlated", "second-order", "bifactor")
CONSTRUCTS = {
    "psm": ("aps", "cpv", "com", "ss"),
    "ei": ("sea", "oea", "uoe", "roe"),
    "burnout": ("exhaustion", "disengagement"),
    "turnover": ("turnover1", "turnover2", "turnover3"),
    "burden": ("burden1", "burden2", "burden3", "burden4"),
    "support": ("support1", "support2", "support3", "support4"),
    "training": ("training1", "training2", "training3", "training4"),
}
MEASUREMENT = "\n".join(f"{construct} =~ {' + '.join(parts)}" for construct, parts in CONSTRUCTS.items())
TO_BURNOUT = "burnout ~ a_psm*psm + a_ei*ei + a_burden*burden + a_support*support + a_training*training"
DIRECT = "turnover ~ b*burnout + c_psm*psm + c_ei*ei + c_support*support + c_training*training"
EFFECTS = """indirect_psm := a_psm * b
indirect_ei := a_ei * b
indirect_burden := a_burden * b
indirect_support := a_support * b
indirect_training := a_training * b
total_psm := a_psm * b + c_psm
total_ei := a_ei * b + c_ei
total_support := a_support * b + c_support
total_training := a_training * b + c_training"""
STRUCTURES = {
    "measurement": MEASUREMENT,
    "partial": "\n".join((MEASUREMENT, TO_BURNOUT, DIRECT, EFFECTS)),
    "full": "\n".join((MEASUREMENT, TO_BURNOUT, "turnover ~ b*burnout")),
}
CONDITIONS = ("burden", "support", "training")
BLOCKS = {"controls": CONTROLS, "resources": ("psm", "ei"), "conditions": CONDITIONS, "burnout": ("burnout",)}
ORDINAL_OUTCOME = "turnover1"


def scale_model(sample: ProjectSample, instrument_id: str, *, kind: ModelKind, screened: bool = True) -> SemResult:
    """Fit one measurement model of a scale: one-factor, correlated, second-order or bifactor.

    Examples
    --------
    >>> from psm_analysis.studies.model_project_sample import ProjectSample, default_data
    >>> fit = scale_model(ProjectSample(default_data()), "psm16", kind="correlated")
    >>> int(fit.fit_measures["df"]), fit.fit_measures["cfi"] > 0.99
    (98, True)
    """
    text = sample.instrument(instrument_id).model(kind)
    return sample.once(
        f"{instrument_id} {kind} {screened}", lambda: cfa(text, sample.items(instrument_id, screened=screened))
    )


def joint_model(sample: ProjectSample) -> SemResult:
    """Fit the eight correlated factors of PSM and EI together."""
    text = "\n".join(sample.instrument(name).model("correlated") for name in ("psm16", "wleis16"))
    return sample.once("psm16 and wleis16", lambda: cfa(text, sample.items()))


def structure(sample: ProjectSample, name: str, *, screened: bool = True) -> SemResult:
    """Fit ``measurement``, ``partial`` (direct paths and paths through burnout) or ``full`` (only through burnout)."""
    return sample.once(f"{name} {screened}", lambda: sem(STRUCTURES[name], sample.scores(screened=screened)))


def hierarchical(sample: ProjectSample) -> HierarchicalRegression:
    """Regress turnover intention on the blocks, all z-scores, errors clustered by township."""
    return sample.once(
        "hierarchical",
        lambda: hierarchical_regression(
            sample.scores(), "turnover", blocks=BLOCKS, cluster="township", standardize=True
        ),
    )


def ordinal(sample: ProjectSample) -> OrderedLogitResult:
    """Regress one item of turnover intention, as ordered categories, on all predictors; scales are z-scores."""
    return sample.once(
        "ordinal",
        lambda: ordered_logit(
            scales_standardized(sample.scores()),
            ORDINAL_OUTCOME,
            predictors=[name for block in BLOCKS.values() for name in block],
            cluster="township",
        ),
    )


def scales_standardized(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the scale scores as z-scores (divisor n - 1)."""
    scales = [name for name in CONSTRUCTS if name != "turnover"]
    return scores.assign(**{name: (scores[name] - scores[name].mean()) / scores[name].std() for name in scales})
