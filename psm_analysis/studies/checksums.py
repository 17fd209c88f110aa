"""Keep the list of files and their SHA-256 in data/README.md: ``python -m psm_analysis.studies.checksums data``."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from psm_analysis.errors import FileError, PsmAnalysisError

BEGIN = "<!-- checksums: written by `python -m psm_analysis.studies.checksums data` -->"
END = "<!-- end of checksums -->"
LEFT_OUT = ("raw", "derived")


def checksums(folder: Path) -> dict[str, str]:
    """Return path -> SHA-256 of every file below a data folder but README.md itself, raw/ and derived/.

    Paths are relative to the folder, with forward slashes, sorted.
    """
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    kept = [path for path in paths if path.parts[0] not in (*LEFT_OUT, "README.md") and not path.name.startswith(".")]
    return {path.as_posix(): hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in kept}


def listed_checksums(readme: Path) -> dict[str, str]:
    """Return path -> SHA-256 as README.md lists them."""
    return {path: digest for digest, path in re.findall(r"^([0-9a-f]{64})  (.+)$", _block(readme)[1], re.MULTILINE)}


def write_checksums(folder: Path) -> int:
    """Rewrite the list in the README.md of a data folder, and return how many files it has.

    Raises
    ------
    FileError
        If README.md is missing or has no place for the list.
    """
    readme = folder / "README.md"
    before, _, after = _block(readme)
    found = checksums(folder)
    lines = "\n".join(f"{digest}  {path}" for path, digest in found.items())
    readme.write_text(f"{before}{BEGIN}\n```text\n{lines}\n```\n{END}{after}", encoding="utf-8", newline="\n")
    return len(found)


def _block(readme: Path) -> tuple[str, str, str]:
    if not readme.is_file():
        raise FileError("The README.md of the data folder is missing.", where=str(readme))
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise FileError(
            "There is no place for the list.", where=str(readme), remedy=f"Add the lines {BEGIN!r} and {END!r}."
        )
    before, rest = text.split(BEGIN)
    inside, after = rest.split(END)
    return before, inside, after


if __name__ == "__main__":
    try:
        print(f"{write_checksums(Path(sys.argv[1] if len(sys.argv) > 1 else 'data'))} files listed.")
    except PsmAnalysisError as error:
        sys.exit(str(error))
