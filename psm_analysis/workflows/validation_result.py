"""The validation dossier: results, tables and figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psm_analysis._options import Language
from psm_analysis._results import ESTIMATE, Result
from psm_analysis.efa.result import EfaResult
from psm_analysis.efa.retention import RetentionResult
from psm_analysis.efa.suitability import SamplingAdequacy
from psm_analysis.instruments.model import Instrument
from psm_analysis.reliability.item_analysis import ItemAnalysis
from psm_analysis.report.builders import reliability_table
from psm_analysis.report.builders_loadings import loadings_table
from psm_analysis.report.builders_models import fit_table
from psm_analysis.report.folder import Progress, save_all
from psm_analysis.report.plot_items import item_plot
from psm_analysis.report.plot_loadings import loadings_plot
from psm_analysis.report.plot_scree import scree_plot
from psm_analysis.report.tables import Table
from psm_analysis.sem.result import SemResult
from psm_analysis.survey.screen import ScreeningReport
from psm_analysis.workflows.score_differences_table import score_differences_table
from psm_analysis.workflows.validation_tables import (
    htmt_table,
    items_table,
    kind_name,
    part_names,
    retention_table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = {
    "items": ("Item analysis", "项目分析"),
    "retention": ("Number of factors", "因子个数"),
    "loadings": ("Exploratory factor analysis: pattern loadings", "探索性因子分析：模式载荷"),
    "fit": ("Fit of competing measurement models", "竞争测量模型的拟合"),
    "reliability": ("Reliability and average variance extracted", "信度与平均方差抽取量"),
    "htmt": ("Heterotrait-monotrait ratios", "异质-单质比率（HTMT）"),
    "groups": ("Scores by group", "各组得分的差异"),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ScaleValidation(Result):
    """What the validation of a scale found.

    Attributes
    ----------
    instrument
        The definition of the scale.
    n_screened, n_used
        Respondents in the wave, and those used after screening.
    screening, items, suitability, retention, exploratory
        Results of screening, item analysis (all used), and of the exploratory half.
    models, best_model
        Confirmatory fits in the other half by kind; the one of the smallest BIC (smallest RMSEA for ordinal items).
    reliability
        Alpha, omega and AVE of each factor of the correlated model (of the best if there is none).
    htmt
        Heterotrait-monotrait ratios of the subscales in the confirmatory half; None with one subscale.
    groups
        Scores of all used by the group variables of the codebook: n, mean, sd, Welch's test and effect size, one row
        per variable, scale and group; empty without group variables.
    lang
        Language of tables and figures.
    warnings
        What was doubtful in any step, and which models could not be fitted.
    """

    instrument: Instrument
    n_screened: int
    n_used: int
    screening: ScreeningReport
    items: ItemAnalysis
    suitability: SamplingAdequacy
    retention: RetentionResult
    exploratory: EfaResult
    models: dict[str, SemResult]
    best_model: str
    reliability: pd.DataFrame
    htmt: pd.DataFrame | None
    groups: pd.DataFrame
    lang: Language
    warnings: tuple[str, ...]

    def with_warnings(self, texts: tuple[str, ...]) -> ScaleValidation:
        """Return the same dossier with these warnings."""
        return replace(self, warnings=texts)

    def tidy(self) -> pd.DataFrame:
        """Return the main numbers: step, quantity, estimate."""
        fits = {kind: fit.glance().iloc[0] for kind, fit in self.models.items()}
        rows = [
            ("screening", "respondents set aside", float(self.n_screened - self.n_used)),
            ("suitability", "kmo", self.suitability.kmo),
            *(("retention", str(name), float(value)) for name, value in self.retention.suggested.items()),
            *(("fit", f"{kind}: {name}", float(row.get(name, np.nan)))
              for kind, row in fits.items() for name in ("cfi", "tli", "rmsea", "srmr", "bic")),
            ("fit", f"best ({self.best_model}): cfi", float(fits[self.best_model]["cfi"])),
            *(("reliability", f"{factor}: {name}", float(value))
              for factor, row in self.reliability.iterrows() for name, value in row.items()),
        ]  # fmt: skip
        if self.htmt is not None:
            row, column = np.tril_indices(len(self.htmt), -1)
            values, names = self.htmt.to_numpy(dtype=float), list(self.htmt.index)
            pairs = zip(row.tolist(), column.tolist(), strict=True)
            rows += [("htmt", f"{names[i]} ~ {names[j]}", float(values[i, j])) for i, j in pairs]
        for _, test in self.groups[self.groups["test"] != ""].drop_duplicates(["variable", "scale"]).iterrows():
            about = f"{test['scale']} by {test['variable']}"
            rows.append(("groups", f"{about}: {test['effect_size']}", float(test["effect"])))
            rows.append(("groups", f"{about}: p", float(test["p_value"])))
        return pd.DataFrame(rows, columns=["step", "quantity", ESTIMATE])

    def glance(self) -> pd.DataFrame:
        """Return one row: instrument, respondents, best model and its fit, lowest reliability, largest HTMT.

        Measures of fit here and in :meth:`tidy` are those of the table of fit: robust or scaled where the fit has such.
        """
        best = self.models[self.best_model].glance().iloc[0]
        largest = np.nan
        if self.htmt is not None:
            largest = float(self.htmt.to_numpy()[np.tril_indices(len(self.htmt), -1)].max())
        row = {
            "instrument": self.instrument.id,
            "n_screened": self.n_screened,
            "n_used": self.n_used,
            "best_model": self.best_model,
            **{name: float(best[name]) for name in ("cfi", "rmsea", "srmr")},
            "lowest_omega": float(self.reliability["omega"].min()),
            "lowest_ave": float(self.reliability["ave"].min()),
            "largest_htmt": largest,
        }
        return pd.DataFrame([row])

    @property
    def tables(self) -> dict[str, Table]:
        """Tables of the dossier by name: items, retention, loadings, fit, reliability, htmt, groups."""
        titles = {name: texts[self.lang == "zh"] for name, texts in TITLES.items()}
        glances = {kind_name(kind, lang=self.lang): fit.glance() for kind, fit in self.models.items()}
        names = part_names(self.instrument, lang=self.lang)
        found = {
            "items": items_table(self.items.tidy(), names=names, title=titles["items"], lang=self.lang),
            "retention": retention_table(self.retention.tidy(), title=titles["retention"], lang=self.lang),
            "loadings": loadings_table(
                self.exploratory.loadings,
                communalities=self.exploratory.communalities,
                title=titles["loadings"],
                lang=self.lang,
            ),
            "fit": fit_table(glances, title=titles["fit"], lang=self.lang),
            "reliability": reliability_table(
                self.reliability.rename(index=names), title=titles["reliability"], lang=self.lang
            ),
        }
        if self.htmt is not None:
            found["htmt"] = htmt_table(self.htmt, names=names, title=titles["htmt"], lang=self.lang)
        if len(self.groups):
            found["groups"] = score_differences_table(self.groups, title=titles["groups"], lang=self.lang)
        return found

    def figures(self) -> dict[str, Figure]:
        """Return the figures: items, scree plots of components and of factors, loadings of the best model."""
        return {name: draw() for name, draw in self._drawings().items()}

    def save(self, out: str | Path = "build", *, progress: Progress | None = None) -> tuple[Path, ...]:
        """Write all tables and figures: ``out/tables/<instrument>_<table>.*``, ``out/figures/<instrument>_<figure>.*``.

        Parameters
        ----------
        out
            Folder, made if it does not exist.
        progress
            Called as ``progress(done, total, name)`` before each table and figure, and once at the end.

        Returns
        -------
        tuple of Path
            The files, in the order they were written.

        Raises
        ------
        FileError
            If the folder or a file cannot be written.
        """
        made = self.tables
        tables = {name: partial(made.__getitem__, name) for name in made}
        return save_all(out, stem=self.instrument.id, tables=tables, figures=self._drawings(), progress=progress)

    def _drawings(self) -> dict[str, Callable[[], Figure]]:
        best, lang = self.models[self.best_model], self.lang
        names = part_names(self.instrument, lang=lang)
        return {
            "items": lambda: item_plot(self.items.items, self.items.frequencies, labels=names, lang=lang),
            "scree": lambda: scree_plot(self.retention.parallel, lang=lang),
            "scree_factors": lambda: scree_plot(self.retention.parallel, kind="factor", lang=lang),
            "loadings": lambda: loadings_plot(best.standardized(), labels=names, lang=lang),
        }
