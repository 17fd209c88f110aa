"""The studies that come with the package."""

from __future__ import annotations

from importlib import import_module

import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import StudyError
from psm_analysis.studies.spec import Study

# A new study is a module of this folder with a constant STUDY, and one line here.
STUDY_IDS = ("hom_kinicki_2001", "byrne_mbi", "eaves_payne_2019", "grala_2023", "model_project")


def get_study(study_id: str) -> Study:
    """Return a study by its id.

    Parameters
    ----------
    study_id
        An id of `list_studies`.

    Raises
    ------
    StudyError
        If there is no such study; the nearest id is named.

    Examples
    --------
    >>> get_study("byrne_mbi").title
    "Factor structure of the Maslach Burnout Inventory in elementary school teachers (Byrne's data)"
    """
    if study_id not in STUDY_IDS:
        remedy = f"{nearest(study_id, STUDY_IDS)}There are: {', '.join(STUDY_IDS)}."
        raise StudyError(f"There is no study {study_id!r}.", where="argument 'study_id'", remedy=remedy)
    study = import_module(f"psm_analysis.studies.{study_id}").STUDY
    assert isinstance(study, Study)
    return study


def list_studies() -> pd.DataFrame:
    """Return one row per study: ``id, title, citation, doi, tables, figures, comparisons`` (numbers of them).

    Examples
    --------
    >>> list_studies()["id"].tolist()[:2]
    ['hom_kinicki_2001', 'byrne_mbi']
    """
    rows = [
        {
            "id": study.id,
            "title": study.title,
            "citation": study.citation,
            "doi": study.doi,
            "tables": len(study.tables),
            "figures": len(study.figures),
            "comparisons": len(study.comparisons),
        }
        for study in map(get_study, STUDY_IDS)
    ]
    return pd.DataFrame(rows)
