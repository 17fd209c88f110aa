"""What a model and its options ask of the data: ordinal variables, the sample, whether means are modelled."""

from __future__ import annotations

import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import DataError, ModelError, OptionError
from psm_analysis.sem.design import with_design
from psm_analysis.sem.incomplete_sample import sample_from_incomplete
from psm_analysis.sem.options import FitOptions
from psm_analysis.sem.ordered_columns import with_words
from psm_analysis.sem.ordinal_sample import sample_from_ordinal
from psm_analysis.sem.partable import with_auxiliary
from psm_analysis.sem.roles import find_roles
from psm_analysis.sem.sample import Sample, sample_from_data
from psm_analysis.sem.summary_sample import sample_from_moments
from psm_analysis.sem.syntax import ParsedModel


def ordinal_names(parsed: ParsedModel, options: FitOptions) -> tuple[str, ...]:
    """Return the ordinal variables in the order of the model."""
    roles = find_roles(parsed.terms)
    endogenous = [name for name in roles.observed if name not in roles.exogenous_observed]
    if isinstance(options.ordered, bool):
        return tuple(endogenous) if options.ordered else ()
    unknown = [name for name in options.ordered if name not in endogenous]
    if unknown:
        exogenous = unknown[0] in roles.exogenous_observed
        raise OptionError(
            f"The ordinal variable {unknown[0]!r} is {'exogenous' if exogenous else 'not in the model'}.",
            where="argument 'ordered'",
            remedy=nearest(unknown[0], endogenous) or "Name outcomes and indicators of the model only.",
        )
    return tuple(name for name in endogenous if name in options.ordered)


Categories = tuple[tuple[str, int], ...]


def find_sample(
    parsed: ParsedModel, data: pd.DataFrame | None, options: FitOptions, ordered: tuple[str, ...]
) -> tuple[Sample, Categories]:
    """Return the moments of the model's variables with their design, and the number of thresholds of ordinal ones."""
    sample, categories = _moments(parsed, data, options, ordered)
    if data is not None and (options.cluster is not None or options.sampling_weights is not None):
        sample = with_design(sample, data, cluster=options.cluster, weights=options.sampling_weights)
    return with_words(sample, data, among=_perhaps_worded(parsed, options, sample)), categories


def _perhaps_worded(parsed: ParsedModel, options: FitOptions, sample: Sample) -> list[str]:
    """Return the variables that may be ordered Categoricals: endogenous ones that are have been named as ordinal."""
    if isinstance(options.ordered, bool):
        return list(sample.names)
    roles = find_roles(parsed.terms)
    numbers = frozenset(roles.observed) - frozenset(roles.exogenous_observed) - frozenset(options.ordered)
    return [name for name in sample.names if name not in numbers]


def _moments(
    parsed: ParsedModel, data: pd.DataFrame | None, options: FitOptions, ordered: tuple[str, ...]
) -> tuple[Sample, Categories]:
    roles = find_roles(parsed.terms)
    if data is not None and options.sample_cov is None:
        if ordered:
            return sample_from_ordinal(
                data,
                roles.observed,
                ordered=ordered,
                exogenous=roles.exogenous_observed if options.fixed_x else (),
                group=options.group,
                missing=options.missing,
                weights=options.sampling_weights,
                compact=options.cluster is None,
            )
        if options.missing == "fiml":
            exogenous = roles.exogenous_observed if options.fixed_x else ()
            names = with_auxiliary(roles, options.auxiliary).observed
            return sample_from_incomplete(
                data, names, group=options.group, exogenous=exogenous, weights=options.sampling_weights
            ), ()
        return sample_from_data(data, roles.observed, group=options.group), ()
    if data is None and options.sample_cov is not None:
        sample = sample_from_moments(
            roles.observed,
            covs=options.sample_cov,
            means=options.sample_mean,
            sds=options.sample_sd,
            nobs=options.sample_nobs,
        )
        return sample, ()
    raise DataError(
        "There is nothing to fit." if data is None else "Data and a covariance matrix are both given.",
        where="arguments 'data' and 'sample_cov'",
        remedy="Give one of the two: a DataFrame of rows, or sample_cov= with sample_nobs=.",
    )


def wants_means(parsed: ParsedModel, options: FitOptions, sample: Sample) -> bool:
    """Tell whether means are modelled."""
    written = any(term.op == "~1" for term in parsed.terms)
    known = all(group.mean is not None for group in sample.groups)
    wanted = options.meanstructure
    if options.missing == "fiml" or sample.groups[0].ordinal is not None:
        wanted = True
    if wanted is None:
        given = len(sample.groups) > 1 or options.cluster is not None or options.sample_mean is not None
        wanted = written or (known and given) or "intercepts" in options.group_equal
    if wanted and not known:
        raise DataError("A mean structure needs means.", where="argument 'sample_mean'", remedy="Give sample_mean=.")
    if not wanted and written:
        raise ModelError(
            "The model has intercepts, but meanstructure is False.",
            remedy="Leave meanstructure out, or the intercepts.",
        )
    return wanted
