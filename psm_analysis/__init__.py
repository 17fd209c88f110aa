"""Scale validation, structural models and the tables of the paper, for survey research on public service.

``import psm_analysis as psm`` gives every public name; each part is loaded when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from psm_analysis._version import __version__ as __version__
from psm_analysis.scoring.accessor import add_to_pandas

_PUBLIC = {
    "AlignmentResult": "invariance.alignment_result",
    "BifactorIndices": "reliability.hierarchy",
    "BootstrapResult": "sem.bootstrap_result",
    "CellStyle": "report.columns",
    "Column": "report.columns",
    "Comparison": "sem.compare",
    "Crosscheck": "sem.crosscheck",
    "DriftReport": "workflows.drift_result",
    "EfaCrosscheck": "efa.crosscheck",
    "GradedFunctioning": "irt.group_result",
    "GradedResponseResult": "irt.result",
    "LinkResult": "irt.link_result",
    "MethodBias": "method_bias.result",
    "PermutationTest": "invariance.permutation",
    "PooledResult": "imputation.result",
    "PooledTest": "imputation.rubin",
    "ProductIndicators": "moderation.products",
    "PsmAnalysisError": "errors",
    "PsmAnalysisWarning": "errors",
    "PsychometricScorer": "scoring.transformer",
    "RetestResult": "reliability.retest",
    "RowGroup": "report.columns",
    "ScaleValidation": "workflows.validation_result",
    "ScoringModel": "scoring.model",
    "SemResult": "sem.result",
    "SimpleSlopes": "moderation.slopes",
    "Spanner": "report.columns",
    "Study": "studies.spec",
    "Table": "report.tables",
    "WaldTest": "sem.wald",
    "alignment": "invariance.alignment",
    "alpha": "reliability.alpha",
    "bifactor_indices": "reliability.hierarchy",
    "bootstrap_statistic": "sem.bootstrap_statistic",
    "calibrate": "workflows.calibrate",
    "cfa": "sem.fit",
    "compare": "sem.compare",
    "compare_pooled": "imputation.compare",
    "compare_printed": "studies.consistency",
    "comparison_table": "report.builders",
    "conditional_effects": "moderation.conditional",
    "conditional_effects_table": "report.builders_effects",
    "congruence": "rotation.procrustes",
    "correlation_heatmap": "report.plot_heatmap",
    "correlation_table": "report.builders_correlation",
    "correlations": "moments.correlations",
    "crosscheck": "sem.crosscheck",
    "data_table": "report.builders",
    "describe": "moments.descriptives",
    "describe_wave": "survey.describe",
    "descriptives_table": "report.builders",
    "drift": "workflows.drift",
    "efa": "efa.fit",
    "effects_table": "report.builders_models",
    "find_sample_size": "simulation.sample_size",
    "fit_table": "report.builders_models",
    "get_instrument": "instruments.registry",
    "get_study": "studies.registry",
    "graded_functioning": "irt.group_functioning",
    "graded_response": "irt.fit",
    "greatest_lower_bound": "reliability.greatest_lower_bound",
    "group_differences": "sem.effect_groups",
    "growth": "sem.fit",
    "guttman": "reliability.lower_bounds",
    "henze_zirkler": "moments.normality",
    "hierarchical_regression": "regression.hierarchical",
    "htmt": "reliability.validity",
    "htmt_interval": "reliability.validity",
    "icc": "reliability.agreement",
    "impute": "imputation.impute",
    "indirect_effects": "sem.effects",
    "information_plot": "report.plot_item_curves",
    "invariance": "invariance.fit",
    "invariance_table": "report.builders_invariance",
    "item_analysis": "reliability.item_analysis",
    "item_curves_plot": "report.plot_item_curves",
    "item_functioning": "irt.item_functioning",
    "item_plot": "report.plot_items",
    "johnson_neyman_plot": "report.plot_moderation",
    "likelihood_ratio_power": "simulation.likelihood_ratio",
    "likert_plot": "report.plot_likert",
    "link": "irt.linking",
    "list_instruments": "instruments.registry",
    "list_studies": "studies.registry",
    "little_mcar": "moments.little",
    "load_scoring_model": "scoring.store",
    "loading_errors": "efa.loading_errors",
    "loadings_plot": "report.plot_loadings",
    "loadings_table": "report.builders_loadings",
    "longitudinal_invariance": "invariance.longitudinal",
    "mahalanobis": "moments.distance",
    "make_public_service_survey": "survey.synthetic",
    "mardia": "moments.normality",
    "mediation_sensitivity": "moderation.confounding",
    "method_bias": "method_bias.fit",
    "method_bias_table": "report.builders_effects",
    "missing_patterns": "survey.missing",
    "model_project": "studies.model_project",
    "monte_carlo": "simulation.study",
    "monte_carlo_difference": "simulation.difference",
    "omega": "reliability.omega",
    "omega_interval": "reliability.omega_interval",
    "omitted_variable_robustness": "moderation.omitted",
    "ordered_logit": "regression.ordinal",
    "parameter_table": "report.builders_models",
    "path_diagram": "report.path_diagram",
    "polychoric": "moments.polychoric_result",
    "pool": "imputation.pool",
    "population": "simulation.population",
    "power_curve": "simulation.sample_size",
    "power_plot": "report.plot_power",
    "procrustes": "rotation.procrustes",
    "product_indicators": "moderation.products",
    "read_codebook": "survey.codebook_toml",
    "read_survey": "survey.read",
    "regression_from_correlations": "regression.correlations",
    "regression_table": "report.builders_regression",
    "reliability": "reliability.factor",
    "reliability_table": "report.builders",
    "reliable_change": "reliability.coefficients",
    "retention": "efa.retention",
    "retest": "reliability.retest",
    "rmsea_difference_power": "simulation.rmsea_power",
    "rmsea_power": "simulation.rmsea_power",
    "rmsea_precision": "simulation.rmsea_power",
    "rmsea_precision_sample_size": "simulation.rmsea_power",
    "rmsea_sample_size": "simulation.rmsea_power",
    "robustness_table": "report.builders_effects",
    "robustness_value": "moderation.omitted",
    "rotate": "rotation.rotate",
    "rounding_range": "studies.rounding",
    "run_study": "studies.run",
    "sampling_adequacy": "efa.suitability",
    "save_figure": "report.figure_files",
    "schmid_leiman": "efa.schmid_leiman",
    "score_file": "scoring.score_file",
    "score_scales": "scoring.rules",
    "score_tests": "sem.score_tests",
    "scree_plot": "report.plot_scree",
    "screen": "survey.screen",
    "screening_table": "report.builders",
    "sem": "sem.fit",
    "sensitivity_plot": "report.plot_sensitivity",
    "simple_slopes": "moderation.slopes",
    "simple_slopes_plot": "report.plot_moderation",
    "spearman_brown": "reliability.coefficients",
    "split_half": "reliability.lower_bounds",
    "standard_error_of_measurement": "reliability.coefficients",
    "tetrachoric": "moments.polychoric_result",
    "unit_agreement": "reliability.units",
    "validate": "survey.validate",
    "validate_scale": "workflows.validate_scale",
    "wald_test": "sem.wald",
    "wave_from_frame": "survey.read",
}

add_to_pandas()

__all__ = sorted(["__version__", *_PUBLIC])


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """Lets a public function and the folder that holds it share a name: ``psm.sem`` is the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
