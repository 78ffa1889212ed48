"""Executes the notebooks; any error in a cell, and any difference between a notebook and its text twin, is a failure.

The twin ``NN_name.py`` (jupytext, percent format) is the source. ``python notebooks/run.py [NN_name.py ...]`` runs the
twins, all if none is named, and compares the committed notebooks with them: the cells, and the structure of the outputs
(``structure.py``). ``--write`` stores the executed notebooks.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from structure import difference

HERE = Path(__file__).resolve().parent
TIMEOUT = 600  # seconds per cell


class _ThisInterpreter(KernelSpecManager):
    """The kernel of the running interpreter, whichever kernels are installed."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])


def read_twin(twin):
    """The notebook that a twin stands for, its cells named by what they hold so that a new one renames no other."""
    notebook = jupytext.read(twin, fmt="py:percent")
    for index, cell in enumerate(notebook.cells):
        first = all(cell.source != other.source for other in notebook.cells[:index])
        cell.id = hashlib.sha256(f"{cell.source}{'' if first else index}".encode()).hexdigest()[:8]
        cell.metadata.pop("lines_to_next_cell", None)  # the twin's blank lines are its own affair
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def execute(notebook):
    """Runs all cells in this folder; outputs go into the notebook, times and versions do not."""
    manager = AsyncKernelManager(kernel_spec_manager=_ThisInterpreter())
    options = {"record_timing": False, "coalesce_streams": True, "resources": {"metadata": {"path": str(HERE)}}}
    NotebookClient(notebook, km=manager, timeout=TIMEOUT, **options).execute()
    notebook.metadata["language_info"] = {"name": "python"}


def run(twin, write):
    """What is wrong, or None."""
    notebook, stored = read_twin(twin), twin.with_suffix(".ipynb")
    if not write and not stored.exists():
        return f"{stored.name} is missing: run this with --write"
    try:
        execute(notebook)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return str(error)
    if write:
        nbformat.write(notebook, stored)
    both = notebook, nbformat.read(stored, as_version=4)
    ours, theirs = ([(cell.cell_type, cell.source) for cell in version.cells] for version in both)
    if ours != theirs:
        return f"{stored.name} does not have the cells of {twin.name}: run this with --write"
    changed = difference(both[1], notebook)
    return changed and f"{stored.name}: {changed}: run this with --write"


def main():
    """The exit code: 1 if any notebook failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("twins", nargs="*", type=Path, help="text twins; all beside this script if none is named")
    parser.add_argument("--write", action="store_true", help="store the executed notebooks")
    options = parser.parse_args()
    problems = []
    for twin in options.twins or sorted(HERE.glob("[0-9]*.py")):
        problems.append(run(twin, options.write))
        print(f"{twin.name}: {problems[-1] or 'ok'}", flush=True)
    return int(any(problems))


if __name__ == "__main__":
    sys.exit(main())
