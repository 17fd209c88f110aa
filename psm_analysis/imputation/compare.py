"""``compare_pooled``: likelihood-ratio tests of nested models over imputations."""

from __future__ import annotations

import numpy as np

from psm_analysis.errors import OptionError
from psm_analysis.imputation.combined import pooled_discrepancy
from psm_analysis.imputation.result import PooledResult
from psm_analysis.imputation.rubin import PooledTest, chisq_d2, likelihood_d3


def compare_pooled(a: PooledResult, b: PooledResult) -> PooledTest:
    """Test two nested models that were pooled over the same imputations.

    The statistic is the one that both were pooled with: D3 (Meng & Rubin, 1992) from the likelihood ratios at the
    estimates of each imputation and at the pooled ones, or D2 (Li et al., 1991) from the former alone.

    Parameters
    ----------
    a, b
        Results of :func:`pool` for the same list of frames, in any order.

    Returns
    -------
    PooledTest
        ``statistic`` (F), ``df, df2, p_value``; ``chisq`` and ``increase``, the relative increase in variance.

    Raises
    ------
    OptionError
        If the two have other imputations or statistics, or as many degrees of freedom as each other.

    References
    ----------
    Meng, X. L., & Rubin, D. B. (1992). Performing likelihood ratio tests with multiply-imputed data sets. Biometrika,
    79, 103-111. R: ``semTools::lavTestLRT.mi``.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> rows = pd.DataFrame(rng.normal(size=(200, 1)) + rng.normal(size=(200, 4)), columns=list("abcd"))
    >>> frames = psm.impute(rows.mask(rng.random(rows.shape) < 0.1), n=5, seed=1)
    >>> free = psm.pool("f =~ a + b + c + d", frames)
    >>> test = psm.compare_pooled(free, psm.pool("f =~ 1*a + 1*b + 1*c + 1*d", frames))
    >>> test.df, test.p_value > 0.01
    (3, True)
    """
    free, tied = sorted((a, b), key=lambda one: one.fit_measures["df"])
    df = int(tied.fit_measures["df"] - free.fit_measures["df"])
    ways = {(len(one.fits), one.combined.nobs, one.test) for one in (free, tied)}
    if len(ways) > 1 or df == 0:
        raise OptionError(
            "The two results are not of nested models, pooled in the same way over the same imputations.",
            where="compare_pooled",
            remedy="Pool both over the same list of frames with the same statistic=.",
        )
    own = np.array(
        [t.fit_measures["chisq"] - f.fit_measures["chisq"] for f, t in zip(free.fits, tied.fits, strict=True)]
    )
    if free.test == "D2":
        return chisq_d2(own, df)
    values = [pooled_discrepancy([fit.problem for fit in one.fits], one.combined.solution.x) for one in (free, tied)]
    return likelihood_d3(float(own.mean()), free.combined.nobs * (values[1] - values[0]), df, m=len(free.fits))
