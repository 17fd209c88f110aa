"""The command ``psm-analysis``: what it understands and how it ends.

Exit codes: 0 fine; 1 the data or the input have problems; 2 wrong usage; 3 drift, with --fail-on-drift;
130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module
from typing import get_args

from psm_analysis._options import Language, ReportFormat
from psm_analysis._version import __version__
from psm_analysis.cli.reading import add_reading
from psm_analysis.cli.scoring import add_commands
from psm_analysis.errors import PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.survey.profile import profile_ids

_EPILOG = (
    "Exit codes: 0 fine, 1 the data or the input have problems, 2 wrong usage, 3 drift (--fail-on-drift), "
    "130 interrupted."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the arguments `argv` (those of the process by default) and return its exit code.

    Examples
    --------
    >>> main(["--version"])
    psm-analysis 0.1.0
    0
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = _run(arguments)
    return _shown(printed.getvalue(), code)


def _run(arguments: argparse.Namespace) -> int:
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        warnings.simplefilter("default", PsmAnalysisWarning)
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            commands = import_module(f"psm_analysis.cli.{getattr(arguments, 'module', 'commands')}")
            return int(getattr(commands, arguments.run)(arguments))
        except PsmAnalysisError as error:
            return _report(error, as_json=getattr(arguments, "format", "text") == "json")
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return 130


def _shown(text: str, code: int) -> int:
    """Print, and return the exit code; a reader who has gone (``| head``) does not change it."""
    try:
        print(text, end="", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"psm-analysis: Nothing can be printed: {error.strerror or error}.", file=sys.stderr)
            return code or 1
    return code


def _report(error: PsmAnalysisError, *, as_json: bool) -> int:
    if as_json:
        parts = {"what": error.what, "where": error.where, "remedy": error.remedy}
        print(json.dumps({"ok": False, "error": parts}, ensure_ascii=False, indent=2))
    else:
        print(f"psm-analysis: {error}", file=sys.stderr)
    return 1


def _show_warning(message: Warning | str, *_: object) -> None:
    print(f"psm-analysis: warning: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="psm-analysis",
        description="From a survey file to the tables of the paper, for research on public service.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"psm-analysis {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _add_validate(commands)
    _add_screen(commands)
    _add_instruments(commands)
    _add_report(commands)
    _add_reproduce(commands)
    add_commands(commands)
    return parser


def _add_validate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "validate",
        help="report everything that is wrong with a survey file",
        description="Report everything that is wrong with a survey file, at once. Exit code 1 if there is an error.",
    )
    _add_file(parser)
    parser.add_argument("--notes", action="store_true", help="print the notes too, not only errors and warnings")
    parser.set_defaults(run="run_validate")


def _add_screen(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "screen",
        help="look for careless answers",
        description="Look for careless answers. Rows are flagged, never dropped.",
    )
    _add_file(parser)
    parser.add_argument("--rows", type=_natural, metavar="K", help="list the rows with K or more flags")
    parser.set_defaults(run="run_screen")


def _add_instruments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "instruments", help="list the instruments, or show one", description="List the instruments, or show one."
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="id of an instrument, or the path of its definition")
    parser.add_argument("--lang", choices=get_args(Language), default="en", help="language of the labels")
    parser.set_defaults(run="run_instruments")


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "report",
        help="validate the scales of a survey file: tables and figures",
        description="Validate each instrument of a file: items, number of factors, competing models, reliability,"
        " validity, groups. Respondents with careless answers are set aside; half of the others explore, half confirm.",
    )
    _add_file(parser)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the split into halves; default: 1")
    parser.add_argument("--ordered", action="store_true", help="treat answers as ordinal: polychoric, WLSMV")
    parser.add_argument("--max-flags", type=int, default=1, metavar="K", help="flags a respondent may have; default: 1")
    parser.add_argument("--out", metavar="DIR", help="also write tables and figures into this folder")
    parser.add_argument("--lang", choices=get_args(Language), default="en", help="language of the tables")
    parser.set_defaults(run="run_report")


def _add_reproduce(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "reproduce",
        help="recompute the tables of a study",
        description="Recompute the tables of a study and print them; without a study, list the studies.",
    )
    parser.add_argument("study", nargs="?", metavar="STUDY", help="id of a study")
    parser.add_argument("--out", metavar="DIR", help="also write tables and figures into this folder")
    parser.add_argument("--lang", choices=get_args(Language), default="en", help="language of the tables")
    parser.set_defaults(run="run_reproduce")


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="csv, tsv, xlsx, sav, zsav, dta or parquet")
    parser.add_argument("--codebook", metavar="TOML", help="what the columns mean")
    parser.add_argument(
        "--instrument",
        metavar="ID",
        nargs="+",
        action="extend",
        default=[],
        help="instruments of the file; without these and without a codebook, they are found by the column names",
    )
    parser.add_argument("--profile", choices=profile_ids(), help="layout of the export")
    add_reading(parser)
    parser.add_argument("--format", choices=get_args(ReportFormat), default="text", help="of what is printed")


def _natural(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value
