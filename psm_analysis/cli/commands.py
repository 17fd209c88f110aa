"""What each command does."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from psm_analysis.cli.reading import reading
from psm_analysis.instruments.model import Instrument
from psm_analysis.instruments.registry import get_instrument, list_instruments
from psm_analysis.survey.detect import detect_instruments
from psm_analysis.survey.read import read_survey
from psm_analysis.survey.screen import screen
from psm_analysis.survey.screen_checks import CHECKS
from psm_analysis.survey.validate import validate
from psm_analysis.survey.wave import SurveyWave

if TYPE_CHECKING:
    from tqdm import tqdm

    from psm_analysis.workflows.validation_result import ScaleValidation

_LARGE = 20_000_000


def run_validate(arguments: Namespace) -> int:
    """Print the validation report; 1 if it has an error."""
    with _bar(arguments.file, total=2) as bar:
        wave = _wave(arguments, bar)
        if wave is None:
            return 2
        _say(bar, "checking")
        report = validate(wave)
        bar.update()
    if arguments.format == "csv":
        print(report.tidy().to_csv(index=False), end="")
    elif arguments.format == "json":
        _print_json(_record(report.glance()) | {"assumed": report.warnings, "violations": _records(report.tidy())})
    else:
        print(report.summary(notes=arguments.notes))
    return 0 if report.ok else 1


def run_screen(arguments: Namespace) -> int:
    """Print the screening report."""
    with _bar(arguments.file, total=1 + len(CHECKS)) as bar:
        wave = _wave(arguments, bar)
        if wave is None:
            return 2

        def tell(check: str) -> None:
            _say(bar, check)
            bar.update()

        report = screen(wave, progress=tell)
    rows = report.flagged(at_least=arguments.rows or 1)
    if arguments.format == "csv":
        print((rows if arguments.rows else report.tidy()).to_csv(index=False), end="")
    elif arguments.format == "json":
        listed = {"rows_flagged": _records(rows)} if arguments.rows else {}
        _print_json(_record(report.glance()) | {"checks": _records(report.tidy())} | listed)
    else:
        print(report.summary())
        if arguments.rows:
            print(f"\nRows with {arguments.rows} or more flags:")
            print(_text(rows[[column for column in rows.columns if column not in report.indices.columns]]) or "none")
    return 0


def run_instruments(arguments: Namespace) -> int:
    """Print the list of instruments, or one of them."""
    if arguments.id is None:
        print(_text(list_instruments()))
        return 0
    source = Path(arguments.id) if arguments.id.endswith(".toml") else arguments.id
    print(_instrument_text(get_instrument(source), lang=arguments.lang))
    return 0


def run_report(arguments: Namespace) -> int:
    """Validate each instrument of the file: print what was found, and write it if a folder was named."""
    from psm_analysis.workflows.validate_scale import validate_scale

    with _bar(arguments.file, total=1) as bar:
        wave = _wave(arguments, bar)
    if wave is None:
        return 2
    options = {"seed": arguments.seed, "ordered": arguments.ordered, "max_flags": arguments.max_flags}
    named = {get_instrument(Path(n) if n.endswith(".toml") else n).id for n in arguments.instrument}
    chosen = [instrument for instrument in wave.instruments if not named or instrument.id in named]
    with _progress(total=len(chosen), delay=0) as bar:
        dossiers = []
        for instrument in chosen:
            _say(bar, instrument.id)
            dossiers.append(validate_scale(wave, instrument.id, lang=arguments.lang, **options))
            bar.update()
    if arguments.format == "csv":
        found = [dossier.tidy().assign(instrument=dossier.instrument.id) for dossier in dossiers]
        print(pd.concat(found).to_csv(index=False), end="")
    elif arguments.format == "json":
        _print_json([_record(d.glance()) | {"results": _records(d.tidy()), "warnings": d.warnings} for d in dossiers])
    else:
        print("\n\n\n".join(_dossier_text(dossier) for dossier in dossiers))
    if arguments.out:
        written = [path for dossier in dossiers for path in dossier.save(arguments.out)]
        if arguments.format == "text":
            _list_files(written, arguments.out)
    return 0


def _dossier_text(dossier: ScaleValidation) -> str:
    from psm_analysis.report.numbers import format_p
    from psm_analysis.workflows.validation_tables import kind_name

    definition, suited = dossier.instrument, dossier.suitability
    p = format_p(suited.bartlett_p_value)
    lines = [
        f"{definition.id}  {definition.name.get(dossier.lang)}",
        f"respondents   {dossier.n_used} of {dossier.n_screened} used",
        f"suitability   KMO {suited.kmo:.3f}; Bartlett's test: chi-square {suited.bartlett_chisq:.1f},"
        f" df {suited.bartlett_df}, p {p if p.startswith('<') else f'= {p}'}",
        f"best model    {kind_name(dossier.best_model, lang=dossier.lang)}",
        *(f"note: {text}" for text in dossier.warnings),
    ]
    return "\n".join(lines) + "\n\n" + "\n\n".join(table.to_text() for table in dossier.tables.values())


def run_reproduce(arguments: Namespace) -> int:
    """Print the tables of a study, and write them if a folder was named."""
    from psm_analysis.studies.registry import get_study, list_studies
    from psm_analysis.studies.run import run_study

    if arguments.study is None:
        print(_text(list_studies()[["id", "tables", "figures", "title"]]))
        print("\npsm-analysis reproduce STUDY prints its tables; --out DIR also writes them.")
        return 0
    study = get_study(arguments.study)
    print(study.text(arguments.lang))
    if arguments.out:
        with _progress(total=len(study.tables) + len(study.figures), delay=0) as bar:

            def tell(done: int, _: int, name: str) -> None:
                bar.n = done
                _say(bar, name)

            written = run_study(study, out=arguments.out, lang=arguments.lang, progress=tell)
        _list_files(written, arguments.out)
    return 0


def _list_files(paths: Sequence[Path], folder: str) -> None:
    print(f"{len(paths)} files in {folder}:")
    print("\n".join(f"  {path}" for path in paths))


def _wave(arguments: Namespace, bar: tqdm[Any]) -> SurveyWave | None:
    """Read the file; None, with a message, if nothing says what its columns are."""
    _say(bar, "reading")
    options = {"profile": arguments.profile, **reading(arguments)}
    instruments: list[str | Instrument] = [
        str(Path(name)) if name.endswith(".toml") else name for name in arguments.instrument
    ]
    wave = read_survey(arguments.file, codebook=arguments.codebook, instruments=instruments, **options)
    if not wave.instruments:
        known = [get_instrument(name) for name in list_instruments()["id"]]
        found = detect_instruments(wave.provenance.columns, known)
        if not found:
            print(
                "psm-analysis: no instrument was named and no column is called after an item. Name the instruments"
                " (--instrument psm16 ...; psm-analysis instruments lists them) or give a --codebook.",
                file=sys.stderr,
            )
            return None
        names = ", ".join(instrument.id for instrument in found)
        bar.clear()
        print(f"psm-analysis: instruments found by the column names: {names}", file=sys.stderr)
        wave = read_survey(arguments.file, instruments=found, **options)
    bar.update()
    return wave


def _bar(file: str, *, total: int) -> tqdm[Any]:
    path = Path(file)
    return _progress(total=total, delay=0 if path.is_file() and path.stat().st_size > _LARGE else 2)


def _progress(*, total: int, delay: float) -> tqdm[Any]:
    from tqdm import tqdm

    return tqdm(total=total, delay=delay, leave=False, disable=not sys.stderr.isatty(), file=sys.stderr)


def _say(bar: tqdm[Any], text: str) -> None:
    """Name the step; a bar that waits two seconds before it shows is not forced to show."""
    bar.set_description(text, refresh=not bar.disable and not bar.delay)


def _instrument_text(instrument: Instrument, *, lang: Any) -> str:
    home = {item: part.name.get(lang) for part in instrument.subscales for item in part.items}
    rows = [
        {
            "item": item.id,
            "label": item.label.get(lang),
            "subscale": home.get(item.id, ""),
            "reversed": "R" if item.reverse else "",
            "codes": ", ".join(map(str, instrument.response_of(item.id).codes)),
        }
        for item in instrument.items
    ]
    facts = {
        "scoring": instrument.scoring,
        "citation": instrument.citation,
        "doi": instrument.doi,
        "licence": instrument.licence,
        "permission": instrument.permission,
        "key": instrument.key_source + ("" if instrument.verified else " (not verified)"),
    }
    scales = [
        f"  {scale.id}: " + "; ".join(f"{code} {label}" for code, label in scale.code_labels(lang).items())
        for scale in instrument.response_scales
    ]
    parts = [f"{instrument.id}  {instrument.name.get(lang)}"]
    parts += [f"{name:11}{value}" for name, value in facts.items() if value]
    parts += ["", _text(pd.DataFrame(rows)) if rows else "only the structure is known: map your own items to it."]
    parts += ["", "answers", *scales] if scales else []
    parts += ["", *(f"note: {note.text}" for note in instrument.notes)] if instrument.notes else []
    return "\n".join(parts)


def _text(frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    with pd.option_context("display.unicode.east_asian_width", True, "display.max_colwidth", None):
        return frame.to_string(index=False, na_rep="")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", force_ascii=False))
    return records


def _record(frame: pd.DataFrame) -> dict[str, Any]:
    return _records(frame)[0]


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
