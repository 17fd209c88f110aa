"""``product_indicators``: the products that measure a latent interaction, and the model text that goes with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._model_names import quoted, summed
from psm_analysis._options import ProductMethod, ProductPairs, check_option, nearest
from psm_analysis._results import Result
from psm_analysis.errors import DataError, OptionError

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class ProductIndicators(Result):
    """Products of indicators.

    Attributes
    ----------
    data
        The data with the products as new columns.
    products
        Name of each product to the indicators that it is made of.
    model
        Lines for the model text: the latent product, its residual covariances, what the method presupposes.
    interactions
        What :func:`conditional_effects` and :func:`simple_slopes` need to know of it.
    method
        How the products were centred.
    """

    data: pd.DataFrame
    products: Mapping[str, Pair]
    model: str
    interactions: Mapping[str, Pair]
    method: ProductMethod

    def tidy(self) -> pd.DataFrame:
        """Return one row per product: ``product, first, second, n, mean, sd``."""
        columns = self.data[list(self.products)]
        pairs = list(self.products.values())
        return pd.DataFrame(
            {
                "product": list(self.products),
                "first": [pair[0] for pair in pairs],
                "second": [pair[1] for pair in pairs],
                "n": columns.count().to_numpy(),
                "mean": columns.mean().to_numpy(),
                "sd": columns.std().to_numpy(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: the latent product, how it was centred, and how many products there are."""
        row = {"factor": next(iter(self.interactions)), "method": self.method, "products": len(self.products)}
        return pd.DataFrame([row | {"rows": len(self.data)}])


def product_indicators(
    data: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    *,
    method: ProductMethod = "double",
    pairs: ProductPairs = "matched",
    name: str = "",
) -> ProductIndicators:
    """Make product indicators of a latent interaction, with the model text to use.

    ``double`` centres the indicators at their means and then the products (Lin, Wen, Marsh & Lin, 2010): no mean
    structure is needed, and it holds for skewed indicators too; the default. ``mean`` centres the indicators only; the
    latent product then has the mean ``cov(X, W)``, which the text constrains (Marsh, Wen & Hau, 2004). ``residual``
    takes from raw products what the indicators of both factors explain linearly (Little, Bovaird & Widaman, 2006); the
    latent product is then uncorrelated with both. ``none`` leaves raw products.

    Parameters
    ----------
    data
        One row per respondent. A product is missing where one of its indicators is; means are those of the answers
        there are, residuals come from the complete rows.
    factors
        The two factors with their indicators, ``{"PSM": ["psm1", "psm2"], "Support": ["s1", "s2"]}``; for a factor and
        an observed variable ``w`` give ``"w": ["w"]``.
    method
        ``double``, ``mean``, ``residual`` or ``none``.
    pairs
        ``matched``: the first with the first, the second with the second ...; put the indicators in the order of their
        reliability. ``all``: every product, with residual covariances of those that share an indicator.
    name
        Of the latent product; by default the names of the factors joined by ``_x_``.

    Returns
    -------
    ProductIndicators
        ``data`` and ``model`` for :func:`sem`; ``interactions`` for :func:`simple_slopes`.

    Raises
    ------
    OptionError
        If there are not two factors, an indicator is in both, or matched pairs have unequal numbers.
    DataError
        If a column is missing, not numeric or constant, or a product exists already.

    References
    ----------
    Lin, G.-C., Wen, Z., Marsh, H. W., & Lin, H.-S. (2010). Structural Equation Modeling, 17, 374-391. Little, T. D.,
    Bovaird, J. A., & Widaman, K. F. (2006). Structural Equation Modeling, 13, 497-519. Marsh, H. W., Wen, Z., & Hau,
    K.-T. (2004). Psychological Methods, 9, 275-300. The R call is ``semTools::indProd(data, var1, var2)``.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> data = pd.DataFrame({"x1": [1, 2, 4, 3], "x2": [2, 1, 5, 3], "w1": [3, 1, 2, 5], "w2": [2, 2, 1, 5]})
    >>> found = psm.product_indicators(data, {"X": ["x1", "x2"], "W": ["w1", "w2"]})
    >>> print(found.model)
    X_x_W =~ x1.w1 + x2.w2
    >>> found.data["x1.w1"].round(4).tolist()
    [-0.5, 0.75, -1.25, 1.0]
    """
    check_option(method, ProductMethod, name="method")
    check_option(pairs, ProductPairs, name="pairs")
    (first, one), (second, two) = _factors(factors)
    values = _columns(data, [*one, *two])
    made = _pairs(one, two, pairs)
    clash = [label for label in made if label in data.columns]
    if clash:
        raise DataError(
            f"The data have a column {clash[0]!r} already.", where="argument 'data'", remedy="Rename or drop it."
        )
    columns = _products(values, made, method)
    factor = name or f"{first}_x_{second}"
    text = _model(made, factor=factor, factors=(first, second), method=method, single=min(len(one), len(two)) == 1)
    whole = pd.concat([data, columns], axis=1)
    return ProductIndicators(whole, made, text, {factor: (first, second)}, method)


def _factors(factors: Mapping[str, Sequence[str]]) -> tuple[tuple[str, list[str]], tuple[str, list[str]]]:
    found = [(name, [items] if isinstance(items, str) else list(items)) for name, items in factors.items()]
    if len(found) != 2 or not all(items for _, items in found):
        raise OptionError(
            "An interaction is made of two factors with indicators.",
            where="argument 'factors'",
            remedy="Write {'X': ['x1', 'x2', 'x3'], 'W': ['w1', 'w2', 'w3']}.",
        )
    names = [name for _, items in found for name in items]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise OptionError(
            f"The indicator {twice[0]!r} is named twice.",
            where="argument 'factors'",
            remedy="An indicator belongs to one of the factors; products with itself measure a quadratic effect.",
        )
    return found[0], found[1]


def _columns(data: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    for name in names:
        if name not in data.columns:
            raise DataError(
                f"The variable {name!r} is not in the data.",
                where="argument 'factors'",
                remedy=nearest(name, data.columns) or f"The data have {data.shape[1]} columns.",
            )
        if not pd.api.types.is_numeric_dtype(data[name]):
            raise DataError(f"The variable {name!r} is not numeric.", where=f"column {name!r}")
        if not data[name].nunique() > 1:
            raise DataError(
                f"The variable {name!r} does not vary.", where=f"column {name!r}", remedy="Leave it out of factors."
            )
    return data[list(names)].astype(float)


def _pairs(one: Sequence[str], two: Sequence[str], pairs: ProductPairs) -> dict[str, Pair]:
    if pairs == "all" or min(len(one), len(two)) == 1:
        found = [(a, b) for a in one for b in two]
    elif len(one) != len(two):
        raise OptionError(
            f"Matched pairs need as many indicators of both factors, not {len(one)} and {len(two)}.",
            where="argument 'pairs'",
            remedy="Use pairs='all', leave out the least reliable indicators, or average some into parcels.",
        )
    else:
        found = list(zip(one, two, strict=True))
    return {f"{a}.{b}": (a, b) for a, b in found}


def _products(values: pd.DataFrame, made: Mapping[str, Pair], method: ProductMethod) -> pd.DataFrame:
    parts = values - values.mean() if method in ("double", "mean") else values
    products = pd.DataFrame({label: parts[a] * parts[b] for label, (a, b) in made.items()}, index=values.index)
    if method == "double":
        return pd.DataFrame(products - products.mean())
    if method == "residual":
        complete = values.notna().all(axis=1).to_numpy()
        if complete.sum() <= values.shape[1] + 1:
            raise DataError(
                f"{complete.sum()} complete rows are too few to take {values.shape[1]} indicators out of products.",
                where="method='residual'",
                remedy="Use method='double'.",
            )
        design = np.column_stack([np.ones(len(values)), values])
        weights, *_ = np.linalg.lstsq(design[complete], products.to_numpy()[complete], rcond=None)
        return pd.DataFrame(products - design @ weights)
    return products


def _model(made: Mapping[str, Pair], *, factor: str, factors: Pair, method: ProductMethod, single: bool) -> str:
    factor, first, second = map(quoted, (factor, *factors))
    lines = [f"{factor} =~ {summed(made)}"]
    labels = list(made)
    if not single:
        shared = [(a, b) for k, a in enumerate(labels) for b in labels[k + 1 :] if set(made[a]) & set(made[b])]
        lines += [f"{quoted(a)} ~~ {quoted(b)}" for a, b in shared]
    if method == "residual":
        lines.append(f"{factor} ~~ 0*{first} + 0*{second}")
    if method == "mean":
        lines += [f"{first} ~~ covariance_*{second}", f"{factor} ~ covariance_*1"]
    return "\n".join(lines)
