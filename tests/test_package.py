"""What ``import proxreg as pr`` offers: its names, its completion and its help."""

import ast
import pathlib
import subprocess
import sys

import proxreg as pr


def exported():
    """The names that ``__init__.py`` imports."""
    tree = ast.parse(pathlib.Path(pr.__file__).read_text(encoding="utf-8"))
    return [
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]


def test_all_is_what_is_exported_and_completion_offers_nothing_else():
    assert sorted(pr.__all__) == sorted(exported())
    assert len(set(pr.__all__)) == len(pr.__all__)
    assert sorted(dir(pr)) == sorted(pr.__all__)
    assert all(hasattr(pr, name) for name in pr.__all__)
    for name in ("alpha_grid", "batch", "results", "engine", "losses"):
        assert name not in dir(pr)


def test_a_star_import_is_the_same():
    code = "from proxreg import *; import proxreg; print(sorted(set(proxreg.__all__) - set(dir())), 'engine' in dir())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[] False"


def test_help_says_what_it_is_and_where_to_go_on():
    assert pr.__doc__ is not None
    first = pr.__doc__.splitlines()
    assert first[0] == "proxreg: the regularisation layer of JAX."
    named = {word for word in pr.__doc__.split("``")[1::2] if word.isidentifier()}
    assert named <= set(pr.__all__)
    assert {"fit_path", "cv_path", "proximal", "load"} <= named
