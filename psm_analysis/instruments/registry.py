"""The instruments that are shipped, and those of a user's own files."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import InstrumentError
from psm_analysis.instruments.definition import read_definition
from psm_analysis.instruments.model import Instrument


def get_instrument(id_or_path: str | Path) -> Instrument:
    """Return an instrument by its id, or from a TOML file of your own.

    Parameters
    ----------
    id_or_path
        An id of `list_instruments`, or the path of a file that ends in ``.toml``.

    Returns
    -------
    Instrument
        The definition; frozen.

    Raises
    ------
    InstrumentError
        If the id is unknown, or the file contradicts itself.
    FileError
        If the file cannot be read.

    Examples
    --------
    >>> olbi = get_instrument("olbi")
    >>> len(olbi.items), olbi.reverse_items
    (16, ('olbi2', 'olbi3', 'olbi4', 'olbi6', 'olbi8', 'olbi9', 'olbi11', 'olbi12'))
    >>> print(get_instrument("turnover3").model())
    turnover =~ turnover1 + turnover2 + turnover3
    """
    if isinstance(id_or_path, Path) or id_or_path.endswith(".toml"):
        return read_definition(Path(id_or_path))
    known = _shipped_ids()
    if id_or_path not in known:
        raise InstrumentError(
            f"There is no instrument {id_or_path!r}.",
            where="get_instrument",
            remedy=f"{nearest(id_or_path, known)}Known: {', '.join(known)}; or give the path of a .toml file.",
        )
    return _shipped(id_or_path)


def list_instruments() -> pd.DataFrame:
    """Return one row per shipped instrument.

    Returns
    -------
    DataFrame
        ``id, version, name_en, name_zh, construct, n_items, n_subscales, scoring, minimum, maximum, n_reversed,
        verified, structure_only, doi, licence``. `verified` says whether the key was read in a source.

    Examples
    --------
    >>> list_instruments().set_index("id").loc["cbi", ["n_items", "n_subscales", "n_reversed"]].tolist()
    [19, 3, 1]
    """
    return pd.DataFrame([_row(_shipped(name)) for name in _shipped_ids()])


def _row(instrument: Instrument) -> dict[str, object]:
    scales = instrument.response_scales
    return {
        "id": instrument.id,
        "version": instrument.version,
        "name_en": instrument.name.en,
        "name_zh": instrument.name.zh,
        "construct": instrument.construct,
        "n_items": len(instrument.items),
        "n_subscales": len(instrument.subscales),
        "scoring": instrument.scoring,
        "minimum": min((scale.minimum for scale in scales), default=pd.NA),
        "maximum": max((scale.maximum for scale in scales), default=pd.NA),
        "n_reversed": len(instrument.reverse_items),
        "verified": instrument.verified,
        "structure_only": instrument.structure_only,
        "doi": instrument.doi,
        "licence": instrument.licence,
    }


@cache
def _shipped_ids() -> tuple[str, ...]:
    folder = files("psm_analysis.instruments") / "definitions"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def _shipped(name: str) -> Instrument:
    with as_file(files("psm_analysis.instruments") / "definitions" / f"{name}.toml") as path:
        return read_definition(path)
