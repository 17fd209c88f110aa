"""The synthetic survey as files: csv, SPSS with Chinese labels, and the population values as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from psm_analysis.errors import FileError
from psm_analysis.instruments.model import Instrument
from psm_analysis.instruments.registry import get_instrument
from psm_analysis.survey.synthetic import PublicServiceSurvey, make_public_service_survey
from psm_analysis.survey.synthetic_population import MEASURES
from psm_analysis.survey.synthetic_responses import item_order

REFUSED = 9
REFUSABLE = ("olbi", "turnover")
DEFAULT_N, DEFAULT_SEED = 1200, 20130101

LABELS = {
    "person_id": "受访者编号",
    "wave": "调查批次",
    "county": "县",
    "township": "乡镇",
    "grade": "职级",
    "establishment": "编制",
    "gender": "性别",
    "age": "年龄（岁）",
    "tenure": "工作年限（年）",
    "check1": "注意力检测题：本题请选择“同意”",
    "duration": "作答用时（秒）",
}
VALUE_LABELS = {
    "grade": {1: "科员及以下", 2: "副科级", 3: "正科级", 4: "副处级及以上"},
    "establishment": {0: "编外", 1: "在编"},
    "gender": {1: "男", 2: "女"},
    "check1": {1: "非常不同意", 2: "不同意", 3: "一般", 4: "同意", 5: "非常同意"},
}


def write_survey(survey: PublicServiceSurvey, directory: str | Path) -> tuple[Path, ...]:
    """Write the waves as csv, the first wave as .sav and the population as JSON; the same survey gives the same bytes.

    Parameters
    ----------
    survey
        What `make_public_service_survey` returned.
    directory
        An existing or new folder; gets ``wave1.csv`` ..., ``wave1.sav`` and ``population.json``.

    Returns
    -------
    tuple of Path
        The files, in the order they were written.

    Raises
    ------
    FileError
        If the folder cannot be made.
    """
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"The folder cannot be made: {error.strerror}."
        raise FileError(what, where=str(folder), remedy="Name another one.") from error
    files = []
    for number, wave in enumerate(survey.waves, start=1):
        files.append(folder / f"wave{number}.csv")
        files[-1].write_bytes(_csv(wave))
    files.append(folder / "wave1.sav")
    _write_sav(survey.waves[0], files[-1])
    files.append(folder / "population.json")
    files[-1].write_bytes((json.dumps(population_values(survey), indent=1, ensure_ascii=False) + "\n").encode())
    return tuple(files)


def population_values(survey: PublicServiceSurvey) -> dict[str, object]:
    """Return every population value as plain lists and dicts, numbers with six decimals."""
    careless: dict[str, dict[str, list[str]]] = {}
    for (wave, kind), rows in survey.careless.groupby(["wave", "kind"]):
        careless.setdefault(f"wave{wave}", {})[str(kind)] = rows["person_id"].tolist()
    thresholds = {
        item: measure.cuts(position).round(6).tolist()
        for measure in MEASURES
        for position, item in enumerate(measure.items)
    }
    means = survey.latent_means.round(6)
    return {
        "synthetic": "Every person and every answer in this survey is invented by a random generator.",
        "seed": survey.seed,
        "nobs": [len(wave) for wave in survey.waves],
        "loadings": _records(survey.loadings),
        "factor_correlations": survey.factor_correlations.round(6).to_dict(),
        "latent_correlations": survey.latent_correlations.round(6).to_dict(),
        "paths": _records(survey.paths),
        "thresholds": thresholds,
        "latent_means": {f"wave{number}": row.to_dict() for number, row in means.iterrows()},
        "drift": survey.drift,
        "careless": careless,
    }


def _records(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(key): value for key, value in row.items()} for row in frame.round(6).to_dict("records")]


def _csv(wave: pd.DataFrame) -> bytes:
    whole = wave.select_dtypes("number").columns
    text = wave.astype(dict.fromkeys(whole, "Int64")).to_csv(index=False, lineterminator="\n")
    return text.encode()


def _write_sav(wave: pd.DataFrame, path: Path) -> None:
    import pyreadstat

    frame = wave.copy()
    refusable = [item for item in item_order() if item.startswith(REFUSABLE)]
    frame[refusable] = frame[refusable].fillna(REFUSED)
    labels, values = dict(LABELS), {name: dict(codes) for name, codes in VALUE_LABELS.items()}
    for instrument in _instruments():
        for item in instrument.items:
            labels[item.id] = (item.wording or item.label).get("zh")
            values[item.id] = instrument.response_of(item.id).code_labels("zh")
            if item.id in refusable:
                values[item.id][REFUSED] = "拒绝回答"
    nominal = dict.fromkeys(("person_id", "county", "township", "gender", "establishment"), "nominal")
    pyreadstat.write_sav(
        frame,
        str(path),
        file_label="合成数据 synthetic data",
        column_labels=[labels[name] for name in frame.columns],
        variable_value_labels=values,
        missing_ranges={item: [REFUSED] for item in refusable},
        variable_measure=nominal | dict.fromkeys(item_order(), "ordinal"),
        variable_format=dict.fromkeys(frame.select_dtypes(np.number).columns, "F8.0"),
        row_compress=True,
    )
    _fix_time_stamp(path)


def _instruments() -> tuple[Instrument, ...]:
    return tuple(get_instrument(name) for name in dict.fromkeys(measure.instrument for measure in MEASURES))


def _fix_time_stamp(path: Path) -> None:
    """Overwrite the creation date (9 bytes at 92) and time (8 bytes at 101) of the SPSS file header."""
    content = bytearray(path.read_bytes())
    content[92:109] = b"01 Jan 20" + b"00:00:00"
    path.write_bytes(bytes(content))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the synthetic survey from the command line and print the files."""
    program = "python -m psm_analysis.survey.synthetic"
    parser = argparse.ArgumentParser(prog=program, description="Writes the synthetic survey.")
    parser.add_argument("directory", help="folder for wave1.csv ..., wave1.sav and population.json")
    parser.add_argument("--n", type=int, default=DEFAULT_N, help="respondents in the first wave (%(default)s)")
    parser.add_argument("--waves", type=int, default=3, help="1 to 3 (%(default)s)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="seed of the generator (%(default)s)")
    options = parser.parse_args(arguments)
    survey = make_public_service_survey(options.n, waves=options.waves, seed=options.seed)
    for path in write_survey(survey, options.directory):
        print(path)
    return 0
