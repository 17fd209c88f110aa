"""The commands of a scoring model: ``calibrate``, ``score`` and ``drift``."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from psm_analysis._options import BadValues, Language, ScoreColumns, ScoringMethod
from psm_analysis.cli.reading import add_reading, model_text, reading
from psm_analysis.errors import FileError
from psm_analysis.survey.profile import profile_ids

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoringModel
    from psm_analysis.workflows.drift_result import DriftReport


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    text = "freeze how an instrument is scored, from a reference wave"
    parser = commands.add_parser("calibrate", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("file", metavar="FILE", help="the reference wave")
    parser.add_argument("--instrument", metavar="ID", required=True, help="what is scored")
    parser.add_argument("--out", metavar="JSON", required=True, help="the scoring model")
    parser.add_argument("--codebook", metavar="TOML", help="what the columns mean")
    parser.add_argument("--method", choices=get_args(ScoringMethod), default="mean", help="default: mean")
    parser.add_argument("--model", metavar="TXT", help="file with a measurement model, for factor scores and eap")
    parser.add_argument("--groups", metavar="COLUMN", nargs="+", default=[], help="columns with norms of their own")
    parser.add_argument("--profile", choices=profile_ids(), help="layout of the export")
    add_reading(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing model")
    parser.set_defaults(run="run_calibrate", module="scoring")
    text = "score a file with a frozen model"
    parser = commands.add_parser("score", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("file", metavar="FILE", help="csv, tsv, xlsx, sav, dta or parquet; columns named by item id")
    parser.add_argument("--model", metavar="JSON", required=True, help="written by calibrate")
    parser.add_argument("--out", metavar="FILE", required=True, help="scores as .csv, .parquet, .xlsx, .sav or .dta")
    parser.add_argument("--instrument", metavar="TOML", help="your own definition, which the model must fit")
    parser.add_argument("--id", metavar="COLUMN", help="column that identifies the persons")
    parser.add_argument("--bad-values", choices=get_args(BadValues), default="refuse", help="default: refuse")
    parser.add_argument("--columns", choices=get_args(ScoreColumns), default="all", help="scores: without norms")
    parser.add_argument("--profile", choices=profile_ids(), default="plain", help="layout of the export")
    add_reading(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace existing scores and an existing page")
    _add_drift(parser)
    parser.set_defaults(run="run_score", module="scoring")
    text = "compare a wave with the reference of a scoring model"
    parser = commands.add_parser("drift", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("file", metavar="FILE", help="the new wave")
    parser.add_argument("--model", metavar="JSON", required=True, help="written by calibrate")
    parser.add_argument("--codebook", metavar="TOML", help="what the columns mean; else they are named by item id")
    parser.add_argument("--instrument", metavar="TOML", help="your own definition, if the instrument is not shipped")
    parser.add_argument("--bad-values", choices=get_args(BadValues), default="refuse", help="default: refuse")
    parser.add_argument("--profile", choices=profile_ids(), help="layout of the export")
    add_reading(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing page")
    _add_drift(parser)
    parser.set_defaults(run="run_drift", module="scoring")


def _add_drift(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--drift", metavar="HTML", help="write the comparison with the reference as a page")
    parser.add_argument("--lang", choices=get_args(Language), default="en", help="language of the comparison")
    parser.add_argument("--fail-on-drift", action="store_true", help="exit code 3 if a threshold is crossed")


def run_calibrate(arguments: Namespace) -> int:
    """Write a scoring model and print its norms."""
    from psm_analysis.scoring.store import refuse_existing, refuse_inputs
    from psm_analysis.survey.read import read_survey
    from psm_analysis.workflows.calibrate import calibrate

    refuse_existing(Path(arguments.out), overwrite=arguments.overwrite)
    refuse_inputs(Path(arguments.out), inputs=(arguments.file,))
    name = str(arguments.instrument)
    known = () if arguments.codebook else name
    options = {"profile": arguments.profile, **reading(arguments)}
    wave = read_survey(arguments.file, codebook=arguments.codebook, instruments=known, **options)
    key = wave.instruments[0].id if name.endswith(".toml") and not arguments.codebook else name
    text = None if arguments.model is None else model_text(arguments.model)
    model = calibrate(wave, key, model=text, method=arguments.method, groups=arguments.groups)
    model.save(arguments.out, overwrite=arguments.overwrite)
    print(model.summary())
    return 0


def run_score(arguments: Namespace) -> int:
    """Write scores and the report of the run."""
    from psm_analysis.scoring.output import report_path
    from psm_analysis.scoring.score_file import score_file
    from psm_analysis.scoring.store import load_scoring_model
    from psm_analysis.survey.formats import file_hash

    stored = Path(arguments.model)
    _check_page(arguments, written=(arguments.out,))
    model = load_scoring_model(stored, instrument=arguments.instrument)
    report = score_file(
        model,
        arguments.file,
        out=arguments.out,
        id=arguments.id,
        bad_values=arguments.bad_values,
        columns=arguments.columns,
        profile=arguments.profile,
        **reading(arguments),
        overwrite=arguments.overwrite,
        about={"model": stored.name, "model_sha256": file_hash(stored)},
    )
    print(f"{report['rows_out']} of {report['rows_in']} rows scored: {arguments.out}")
    lost = ", ".join(f"{scale} {count}" for scale, count in report["without_score"].items() if count)
    if lost:
        print(f"rows without a score: {lost}")
    print(f"report of the run: {report_path(arguments.out)}")
    if not (arguments.drift or arguments.fail_on_drift):
        return 0
    report_of_drift = _drift(model, arguments, codebook=None)
    print("\n".join(report_of_drift.verdict(arguments.lang)))
    return _finish(report_of_drift, arguments)


def run_drift(arguments: Namespace) -> int:
    """Print the comparison; 3 if a threshold is crossed and that was asked for."""
    from psm_analysis.scoring.store import load_scoring_model

    _check_page(arguments)
    model = load_scoring_model(arguments.model, instrument=arguments.instrument)
    report = _drift(model, arguments, codebook=arguments.codebook)
    print(report.summary(arguments.lang))
    return _finish(report, arguments)


def _check_page(arguments: Namespace, *, written: tuple[str, ...] = ()) -> None:
    """Refuse before any work a page that could not be written or would replace another file of the run."""
    from psm_analysis.scoring.store import refuse_existing, refuse_inputs

    if not arguments.drift:
        return
    page = Path(arguments.drift)
    refuse_existing(page, overwrite=arguments.overwrite)
    refuse_inputs(page, inputs=(arguments.file, arguments.model))
    if not page.parent.is_dir() or page.resolve() in [Path(other).resolve() for other in written]:
        raise FileError(
            "The page cannot be written there.",
            where=str(page),
            remedy="Choose a folder that exists, and a name that is not that of the scores.",
        )


def _drift(model: ScoringModel, arguments: Namespace, *, codebook: str | None) -> DriftReport:
    from psm_analysis.survey.read import read_survey
    from psm_analysis.workflows.drift import drift

    known = () if codebook else arguments.instrument or model.instrument
    profile = None if arguments.profile == "plain" else arguments.profile
    wave = read_survey(arguments.file, codebook=codebook, instruments=known, profile=profile, **reading(arguments))
    return drift(model, wave, bad_values=arguments.bad_values)


def _finish(report: DriftReport, arguments: Namespace) -> int:
    """Write the page if asked for; 3 if a threshold is crossed and that was asked for."""
    if arguments.drift:
        page = report.save(arguments.drift, lang=arguments.lang, overwrite=arguments.overwrite)
        print(f"drift report: {page}")
    return 3 if report.breaches and arguments.fail_on_drift else 0
