"""The committed notebooks are their text twins, executed: same cells, all outputs, nothing of the machine in them."""

import base64
import importlib.util
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
TWINS = sorted(FOLDER.glob("[0-9]*.py"))
PNG = b"\x89PNG\r\n\x1a\n"
MACHINE = re.compile(r"/(home|root|tmp|work|Users|usr|opt|var|mnt|content)/|[A-Z]:\\|ipykernel_\d|site-packages")

_spec = importlib.util.spec_from_file_location("structure", FOLDER / "structure.py")
assert _spec is not None
assert _spec.loader is not None
structure = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(structure)

each_notebook = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.stem)


def read(twin):
    return json.loads(twin.with_suffix(".ipynb").read_text(encoding="utf-8"))


def parse(text):
    """The cells of jupytext's percent format: (kind, source) for each line ``# %%`` or ``# %% [markdown]``."""
    _, *parts = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)
    for marker, body in zip(parts[::2], parts[1::2]):
        lines = body.strip("\n").split("\n")
        if marker == " [markdown]":
            assert all(line == "#" or line.startswith("# ") for line in lines)
            yield "markdown", "\n".join(line[2:] for line in lines)
        else:
            assert marker == "", f"unknown cell marker # %%{marker}"
            yield "code", "\n".join(lines)


def code_cells(twin):
    return [cell for cell in read(twin)["cells"] if cell["cell_type"] == "code"]


def outputs(twin):
    return [output for cell in code_cells(twin) for output in cell["outputs"]]


def pictures(cell):
    shown = [output["data"]["image/png"] for output in cell["outputs"] if "image/png" in output.get("data", {})]
    return [base64.b64decode("".join(data)) for data in shown]


def test_parser_reads_the_percent_format():
    text = "# ---\n# jupyter: {}\n# ---\n\n# %% [markdown]\n# # Title\n#\n# text\n\n# %%\nx = 1\n\n\n# %%\nx\n"
    assert list(parse(text)) == [("markdown", "# Title\n\ntext"), ("code", "x = 1"), ("code", "x")]


def test_every_notebook_has_a_twin():
    assert TWINS
    assert {twin.stem for twin in TWINS} == {notebook.stem for notebook in FOLDER.glob("*.ipynb")}


@each_notebook
def test_cells_are_those_of_the_twin(twin):
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in read(twin)["cells"]]
    assert cells == list(parse(twin.read_text(encoding="utf-8")))


@each_notebook
def test_all_cells_were_executed_in_order_without_error_or_warning(twin):
    assert [cell["execution_count"] for cell in code_cells(twin)] == list(range(1, len(code_cells(twin)) + 1))
    assert {output["output_type"] for output in outputs(twin)} <= {"stream", "display_data", "execute_result"}
    assert not [output["text"] for output in outputs(twin) if output.get("name") == "stderr"]


@each_notebook
def test_cells_that_print_or_show_have_their_outputs(twin):
    for cell in code_cells(twin):
        source = "".join(cell["source"])
        printed = [output for output in cell["outputs"] if output.get("name") == "stdout"]
        assert bool(printed) == ("print(" in source), source
        assert len(pictures(cell)) == source.count("plt.show()"), source
        assert all(picture.startswith(PNG) for picture in pictures(cell))


@each_notebook
def test_nothing_of_the_machine_is_stored(twin):
    notebook = read(twin)
    assert notebook["metadata"]["kernelspec"] == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert not any(cell["metadata"] for cell in notebook["cells"])
    for output in outputs(twin):
        text = {kind: data for kind, data in output.get("data", {}).items() if not kind.startswith("image/")}
        assert not MACHINE.search(json.dumps([output.get("text"), text, output.get("metadata")]))


@each_notebook
def test_it_is_installed_from_the_clone(twin):
    sources = ["".join(cell["source"]) for cell in read(twin)["cells"]]
    assert not any("colab" in source.lower() for source in sources)
    assert re.findall(r'"install", .*', "\n".join(sources)) == ['"install", "--quiet", "..[plot]", "scikit-learn"])']


@each_notebook
def test_what_outputs_say_is_no_difference_in_structure(twin):
    other = read(twin)
    for cell in other["cells"]:
        for output in cell.get("outputs", []):
            output |= {"text": "other"} if "text" in output else {"data": dict.fromkeys(output["data"], "other")}
    assert structure.difference(read(twin), other) is None


def first_output(notebook, kind):
    """The outputs of the first cell that has one of a kind, and where it is among them."""
    cells = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return next((outputs, k) for outputs in cells for k, one in enumerate(outputs) if one["output_type"] == kind)


def lose(kind):
    def change(notebook):
        outputs, k = first_output(notebook, kind)
        del outputs[k]

    return change


def turn_to_text(notebook):
    outputs, k = first_output(notebook, "display_data")
    outputs[k]["data"] = {"text/plain": "<Figure>"}


def warn(notebook):
    outputs, k = first_output(notebook, "stream")
    outputs.insert(k, {"output_type": "stream", "name": "stderr", "text": "a warning"})


def lose_a_cell(notebook):
    del notebook["cells"][-1]


@each_notebook
@pytest.mark.parametrize("change", [lose("stream"), lose("display_data"), turn_to_text, warn, lose_a_cell])
def test_differences_in_structure_are_noticed(twin, change):
    other = read(twin)
    change(other)
    assert structure.difference(read(twin), other)
    assert structure.difference(other, read(twin))


def test_a_stored_error_is_a_difference_even_where_execution_gives_the_same():
    cell = {"cell_type": "code", "outputs": [{"output_type": "error", "ename": "ValueError"}]}
    assert structure.difference({"cells": [cell]}, {"cells": [cell]}) == "an error is stored in cell 1"
