"""Runs the code of a page as a reader would, top to bottom, and compares what it prints with what the page says.

A ``python`` block is executed; a ``text`` block right after it is its output, in which a line ``...`` stands for any
lines. A block whose first line is ``# file: name`` is written to that file. In a ``console`` block, lines that start
with ``$ psm-analysis`` are run as commands; what follows each of them, if anything, is its output.

``python tests/code_blocks.py PAGE ...`` runs pages and writes their outputs anew.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (?P<name>\S+)\n")
_COMMAND = re.compile(r"^\$ (?P<command>psm-analysis .*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Output:
    """What a block printed, what the page says (None: nothing), and where in the page that stands."""

    line: int
    printed: str
    said: str | None
    span: tuple[int, int]

    @property
    def agrees(self) -> bool:
        """Tell whether the page is right; it may be silent."""
        return self.said is None or matches(self.said, self.printed)


def matches(said: str, printed: str) -> bool:
    """Tell whether a text is what was printed, up to blanks at the ends of lines and lines ``...``.

    >>> matches("a\\n...\\nd\\n", "a\\nb\\nc\\nd\\n"), matches("a\\n", "b\\n")
    (True, False)
    """
    lines = [line.rstrip() for line in said.strip("\n").splitlines()]
    pattern = "\n".join(r"(?:.*\n)*?.*" if line == "..." else re.escape(line) for line in lines)
    shown = "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, shown) is not None


def run_page(page: Path) -> Iterator[Output]:
    """Run all blocks of a page in the present folder and yield the outputs in order."""
    text = page.read_text(encoding="utf-8")
    blocks = list(_FENCE.finditer(text))
    namespace: dict[str, object] = {"__name__": "page"}
    for number, block in enumerate(blocks):
        code, line = block["text"], text[: block.start()].count("\n") + 1
        named = _FILE.match(code)
        if named:
            Path(named["name"]).write_text(code[named.end() :], encoding="utf-8")
        elif block["language"] == "python":
            after = blocks[number + 1] if number + 1 < len(blocks) else None
            own = after is not None and after["language"] == "text" and not text[block.end() : after.start()].strip()
            said, span = (after["text"], after.span("text")) if after is not None and own else (None, (0, 0))
            yield Output(line, _run_python(code, namespace, place=f"{page.name}:{line}"), said, span)
        elif block["language"] == "console":
            for command in _COMMAND.finditer(code):
                start = block.start("text")
                span = (start + command.start("output"), start + command.end("output"))
                yield Output(line, _run_command(command["command"]), command["output"] or None, span)


def _run_python(code: str, namespace: dict[str, object], *, place: str) -> str:
    printed = StringIO()
    with redirect_stdout(printed):
        exec(compile(code, place, "exec"), namespace)
    return printed.getvalue()


def _run_command(command: str) -> str:
    from psm_analysis.cli import main

    printed = StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        main(shlex.split(command)[1:])
    return printed.getvalue()


def furnish(folder: Path) -> None:
    """Give a folder the data of the checkout, so that the paths of a page are right in it."""
    (folder / "data").symlink_to(ROOT / "data", target_is_directory=True)


def write_outputs(page: Path) -> int:
    """Run a page and put the real outputs in; outputs with a line ``...`` are left. Return how many changed."""
    text = page.read_text(encoding="utf-8")
    outputs = [output for output in run_page(page) if not output.agrees]
    for output in reversed(outputs):
        if "\n...\n" in f"\n{output.said}":
            print(f"{page.name}:{output.line}: the shortened output differs; write it by hand:\n{output.printed}")
            continue
        shown = "\n".join(line.rstrip() for line in output.printed.strip("\n").splitlines()) + "\n"
        text = text[: output.span[0]] + shown + text[output.span[1] :]
    page.write_text(text, encoding="utf-8")
    return len(outputs)


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.path.insert(0, "")
    for name in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            furnish(Path(folder))
            print(f"{name}: {write_outputs(ROOT / name)} outputs changed")
