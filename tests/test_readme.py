"""The README's Python blocks run in order, and its quick start is the two commands that CI takes from it."""

import re
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_python_blocks_run(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert "300 of 300 converged" in capsys.readouterr().out


def test_quick_start_is_two_commands():
    commands = re.findall(r"^    (pip install .*)$", README, flags=re.MULTILINE)
    assert commands == ['pip install ".[plot]" && python -m proxreg', 'pip install ".[test]" && pytest']
