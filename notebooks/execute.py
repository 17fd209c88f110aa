"""Execute every notebook and run every study: ``python notebooks/execute.py --out build`` (this is ``make tables``).

Notebooks show, studies write: executed copies go to ``<out>/notebooks``, tables to ``<out>/tables``, figures to
``<out>/figures``. The notebooks in this folder are never changed, and the three folders are replaced only after
everything has run.
"""

from __future__ import annotations

import argparse
import ast
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PARTS = ("notebooks", "tables", "figures")
SECONDS_PER_CELL = 900
INLINE = "module://matplotlib_inline.backend_inline"


class NotRunError(Exception):
    """A notebook or a study failed; the text says which, where and why."""


@dataclass(frozen=True, slots=True)
class Job:
    """A notebook or a study: its name, how many steps it has, and what runs it."""

    name: str
    steps: int
    run: Callable[[Callable[[], None]], None]


def main(arguments: list[str] | None = None) -> int:
    """Run everything; 0 if it all ran, 1 if something failed, 130 if it was stopped."""
    given = _parser().parse_args(arguments)
    began = time.perf_counter()
    out = Path(given.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".running-") as folder:
        try:
            _run_all(_jobs(Path(folder), lang=given.lang, notebooks=given.notebooks))
        except NotRunError as error:
            print(f"\n{error}\nNothing was written to {given.out}.", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"\nStopped. Nothing was written to {given.out}.", file=sys.stderr)
            return 130
        _replace(Path(folder), out)
    _report(out, shown=given.out, seconds=time.perf_counter() - began)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Execute every notebook and write every table and figure.")
    parser.add_argument("--out", default="build", help="folder for notebooks/, tables/ and figures/ (default: build)")
    parser.add_argument("--lang", default="en", choices=("en", "zh"), help="language of the tables and figures")
    parser.add_argument("--notebooks", default=str(HERE), help="folder of the notebooks")
    return parser


def _jobs(folder: Path, *, lang: str, notebooks: str) -> list[Job]:
    for part in PARTS:
        (folder / part).mkdir()
    return [
        *(_notebook_job(path, folder, lang=lang) for path in sorted(Path(notebooks).glob("*.ipynb"))),
        *_study_jobs(folder, lang=lang),
    ]


def _run_all(jobs: list[Job]) -> None:
    from tqdm import tqdm

    piped = not sys.stderr.isatty()
    with tqdm(total=sum(job.steps for job in jobs), disable=piped, unit="step", leave=False) as bar:
        for place, job in enumerate(jobs, 1):
            bar.set_description(job.name)
            began = time.perf_counter()
            job.run(lambda: _step(bar))
            if piped:
                print(f"[{place}/{len(jobs)}] {job.name} ({time.perf_counter() - began:.1f} s)", flush=True)


def _step(bar: Any) -> None:
    bar.update()


def _notebook_job(path: Path, folder: Path, *, lang: str) -> Job:
    import nbformat

    notebook, shown = (nbformat.read(path, as_version=4) for _ in range(2))
    override_parameters(notebook, {"out": str(folder / "scratch"), "lang": lang})
    override_parameters(shown, {"lang": lang})

    def run(tell: Callable[[], None]) -> None:
        execute(notebook, path, tell=tell)
        for cell, original in zip(notebook.cells, shown.cells, strict=True):
            cell.source = original.source
        nbformat.write(notebook, folder / "notebooks" / path.name)

    return Job(f"notebook {path.stem}", sum(cell.cell_type == "code" for cell in notebook.cells), run)


def override_parameters(notebook: Any, values: dict[str, str]) -> None:
    """Set parameters that the cell tagged ``parameters`` assigns, by whatever case it spells them."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            tree = ast.parse(cell.source)
            for node in tree.body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    name = node.targets[0].id
                    if name.lower() in values:
                        node.value = ast.Constant(values[name.lower()])
            cell.source = ast.unparse(tree)


def execute(notebook: Any, path: Path, *, tell: Callable[[], None] = lambda: None) -> None:
    """Execute a notebook in place, in its folder, with the Python that runs this script."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    begun = [0]
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=kernel_manager(),
        timeout=SECONDS_PER_CELL,
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
        on_cell_start=lambda cell, cell_index: begun.append(cell_index),
        on_cell_executed=lambda **_: tell(),
    )
    try:
        client.execute(env={**os.environ, "MPLBACKEND": INLINE, "PYTHONHASHSEED": "0"})
    except CellExecutionError as error:
        what = f"failed: {error.ename}: {error.evalue}"
        raise NotRunError(f"{_place(notebook, path, begun[-1])} {what}") from error
    except CellTimeoutError as error:
        what = f"took longer than {SECONDS_PER_CELL} seconds."
        raise NotRunError(f"{_place(notebook, path, begun[-1])} {what}") from error
    except DeadKernelError as error:
        raise NotRunError(f"{_place(notebook, path, begun[-1])} ended the Python that ran it (memory?).") from error


def _place(notebook: Any, path: Path, index: int) -> str:
    """Return the notebook and the cell that was reached, counted over all cells from 1, with its first line."""
    lines = notebook.cells[index].source.strip().splitlines()
    return f"Notebook {path.name}, cell {index + 1}" + (f" ({lines[0]})" if lines else "")


def kernel_manager() -> Any:
    """Return a class of managers whose kernels run ``sys.executable``, whatever kernels are installed."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]

    class ThisPython(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    return ThisPython


def _study_jobs(folder: Path, *, lang: str) -> list[Job]:
    import psm_analysis as psm

    jobs = []
    for study_id in psm.list_studies()["id"]:
        study = psm.get_study(study_id)

        def run(tell: Callable[[], None], study: psm.Study = study) -> None:
            def progress(done: int, _total: int, _name: str) -> None:
                if done:
                    tell()

            try:
                psm.run_study(study, out=folder, lang=lang, progress=progress)
            except psm.PsmAnalysisError as error:
                raise NotRunError(f"Study {study.id} failed: {error}") from error

        jobs.append(Job(f"study {study_id}", len(study.tables) + len(study.figures), run))
    return jobs


def _replace(folder: Path, out: Path) -> None:
    """Move the new folders to their place; the old ones are deleted after that."""
    for part in PARTS:
        if (out / part).exists():
            (out / part).rename(folder / f"old-{part}")
        (folder / part).rename(out / part)
    shutil.rmtree(folder / "scratch", ignore_errors=True)


def _report(out: Path, *, shown: str, seconds: float) -> None:
    counts = {kind: len(list((out / "tables").glob(f"*.{kind}"))) for kind in ("html", "tex", "docx", "csv")}
    figures = len(list((out / "figures").glob("*.png")))
    notebooks = len(list((out / "notebooks").glob("*.ipynb")))
    print(f"{min(counts.values())} tables, each as {', '.join(counts)}: {shown}/tables")
    print(f"{figures} figures, each as png, svg, pdf: {shown}/figures")
    print(f"{notebooks} executed notebooks: {shown}/notebooks")
    print(f"It took {seconds:.0f} seconds.")


if __name__ == "__main__":
    sys.exit(main())
