"""A frozen scoring model as a scikit-learn transformer; scikit-learn is imported with this module only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import BadValues, ScoreColumns, check_option
from psm_analysis.errors import DataError, OptionError, require
from psm_analysis.scoring.apply import names, score_frame
from psm_analysis.scoring.model import ScoringModel
from psm_analysis.scoring.store import load_scoring_model

_base: Any = require("sklearn.base", extra="sklearn", purpose="the scikit-learn transformer")
_validation: Any = require("sklearn.utils.validation", extra="sklearn", purpose="the scikit-learn transformer")


class PsychometricScorer(_base.TransformerMixin, _base.BaseEstimator):  # type: ignore[misc]
    """Scores of a frozen scoring model inside a scikit-learn pipeline.

    Nothing is estimated: what was decided at calibration is applied to training and test rows alike.

    Parameters
    ----------
    model
        A `ScoringModel`, or the path of its JSON file.
    columns
        ``scores``, or ``all``: scores, standard errors, answered items, percentiles, T and stanines. The text column
        of flags is always left out.
    bad_values
        ``missing``: answers that are not codes of the item count as not answered; ``refuse`` them. (Rows cannot be
        dropped in a pipeline.)

    Attributes
    ----------
    model_
        The scoring model.
    n_features_in_, feature_names_in_
        What was given to `fit`; the names only for a DataFrame.

    See Also
    --------
    ScoringModel.score : The same for a DataFrame outside of scikit-learn, with ids and flags.

    Examples
    --------
    >>> from psm_analysis.survey.read import wave_from_frame
    >>> from psm_analysis.workflows.calibrate import calibrate
    >>> answers = pd.DataFrame({f"turnover{j}": [1, 2, 4, 5] for j in (1, 2, 3)})
    >>> frozen = calibrate(wave_from_frame(answers, instruments="turnover3"), "turnover3")
    >>> scorer = PsychometricScorer(frozen).set_output(transform="pandas")
    >>> scorer.fit_transform(answers)
       turnover
    0       1.0
    1       2.0
    2       4.0
    3       5.0
    """

    def __init__(
        self,
        model: ScoringModel | str | Path | None = None,
        *,
        columns: ScoreColumns = "scores",
        bad_values: BadValues = "missing",
    ) -> None:
        self.model = model
        self.columns = columns
        self.bad_values = bad_values

    def fit(self, X: Any, y: Any = None) -> PsychometricScorer:
        """Load the model and check that the columns are there; `y` is ignored.

        Raises
        ------
        OptionError
            If there is no model, or `columns` or `bad_values` is unknown.
        DataError
            As in `transform`.
        """
        if not isinstance(self.model, ScoringModel | str | Path):
            raise OptionError(
                "There is no scoring model." if self.model is None else f"{self.model!r} is no scoring model.",
                where="argument 'model'",
                remedy="Give what psm.calibrate returned, or the path of its file.",
            )
        check_option(self.columns, ScoreColumns, name="columns")
        if check_option(self.bad_values, BadValues, name="bad_values") == "drop":
            raise OptionError(
                "A transformer cannot drop rows.", where="argument 'bad_values'", remedy="Use 'missing' or 'refuse'."
            )
        self.model_ = self.model if isinstance(self.model, ScoringModel) else load_scoring_model(self.model)
        _validation.validate_data(self, X, reset=True, skip_check_array=True)
        self.transform(X)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the scores, shape (rows, columns of `get_feature_names_out`); NaN where there is no score.

        Raises
        ------
        DataError
            If an item is missing, answers are refused, or an array has another number of columns than there are items.
        """
        _validation.check_is_fitted(self)
        found = score_frame(self.model_, self._frame(X), id=None, bad_values=self.bad_values, columns=self.columns)
        return found.scores[list(self.get_feature_names_out())].to_numpy(dtype=float)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the scores."""
        _validation.check_is_fitted(self)
        parts = ((scale.id,) if self.columns == "scores" else names(scale) for scale in self.model_.scales)
        return np.array([name for part in parts for name in part], dtype=object)

    def _frame(self, X: Any) -> pd.DataFrame:
        table = X.to_pandas() if hasattr(X, "to_pandas") else X
        if isinstance(table, pd.DataFrame):
            return table
        items = list(self.model_.item_ids)
        values = _validation.check_array(X, dtype=None, ensure_all_finite=False)
        if values.shape[1] != len(items):
            raise DataError(
                f"An array needs the {len(items)} items of the model as columns, in its order; it has the shape "
                f"{values.shape}.",
                where="argument 'X'",
                remedy="Give a DataFrame whose columns are named by item id.",
            )
        return pd.DataFrame(values, columns=items)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.allow_nan = True
        return tags
