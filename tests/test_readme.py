"""The Python blocks of README and docs run in order; the quick start is the two commands that CI takes from it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run_blocks(text, name):
    """Runs the Python blocks of a page one after another; returns how many there are."""
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == text.count("```python")
    names = {}
    for block in blocks:
        exec(compile(block, name, "exec"), names)
    return len(blocks)


def test_python_blocks_run(capsys):
    assert run_blocks(README, "README.md") == 9
    assert "300 of 300 converged" in capsys.readouterr().out


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_python_blocks_of_the_docs_run(page):
    run_blocks(page.read_text(encoding="utf-8"), page.name)


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_page_of_the_docs_is_linked(page):
    assert f"(docs/{page.name})" in README


def test_quick_start_is_two_commands():
    commands = re.findall(r"^    (pip install .*)$", README, flags=re.MULTILINE)
    assert commands == ['pip install ".[plot]" && python -m proxreg', 'pip install ".[test]" && pytest']


def test_nothing_is_installed_from_an_index_on_which_the_package_is_not():
    files = [README, *(page.read_text(encoding="utf-8") for page in DOCS)]
    assert not re.search(r"pip install [\"']?proxreg", "\n".join(files))
