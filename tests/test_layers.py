"""Imports within the package go down only, and importing it brings in nothing that is optional or slow."""

import ast
import pathlib
import subprocess
import sys

import pytest

import proxreg as pr

ROOT = pathlib.Path(pr.__file__).parent
PACKAGE = ROOT.name

#: from the bottom up; a layer imports lower rows only, and nothing of its own row but itself
ORDER = [
    {"_static_fields"},
    {"_core", "_pytree", "_precision", "_warnings", "_progress"},
    {"convergence"},
    {"penalties", "losses"},
    {"models"},
    {"solvers"},
    {"batch"},
    {"engine"},
    {"feature_names", "array_checks"},
    {"validation"},
    {"centring", "response"},
    {"preprocessing"},
    {"task"},
    {"fitting", "least_norm", "least_squares"},
    {"alpha_grid"},
    {"dispatch"},
    {"tables", "grid_lookup"},
    {"results", "rules", "metrics"},
    {"cv_result"},
    {"serialization"},
    {"path_problem"},
    {"path"},
    {"folds"},
    {"degenerate_folds"},
    {"selection", "resampling", "source_data", "refit", "conversion", "leave_one_out"},
    {"stability", "bootstrapping", "criteria", "relaxation", "ridge"},
    {"adaptation"},
    {"datasets", "plotting", "sklearn"},
    {PACKAGE},  # __init__.py: the names that users see
    {"_cli"},
    {"__main__"},
]
LEVEL = {layer: level for level, row in enumerate(ORDER) for layer in row}

#: layers that stand aside: what they may import; only the package's __init__.py may import them
ASIDE = {"transforms": {"penalties"}}

#: (module, layer): why it may
EXCEPTIONS = {
    ("results", "plotting"): "Path.plot is a convenience and needs matplotlib only when called",
    ("cv_result", "plotting"): "CVPath.plot likewise",
    ("results", "serialization"): "Fit.save is a convenience; files know all results",
    ("cv_result", "serialization"): "CVPath.save likewise",
    ("stability", "plotting"): "Stability.plot likewise",
}

#: layers that exist for the sake of an optional dependency: inside functions, as the package itself imports them there;
#: a layer of the same name is imported by those who have the dependency, and may say so at the top
OPTIONAL = {
    "matplotlib": {"plotting"},
    "sklearn": {"sklearn"},
    "pyarrow": {"_cli"},
    "pandas": {"tables"},
}


def modules():
    """The dotted name below the package of every module, and its source."""
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file.read_text()


NAMES = {name for name, _ in modules()}


def imported(name, source, is_package=False):
    """``(full dotted name, nested?)`` of everything that a module imports, relative imports resolved."""
    tree = ast.parse(source)
    top = {id(node) for node in tree.body}
    package = [PACKAGE, *name.split(".")] if name else [PACKAGE]
    package = package if is_package or not name else package[:-1]
    for node in ast.walk(tree):
        nested = id(node) not in top
        if isinstance(node, ast.Import):
            yield from ((alias.name, nested) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [] if node.level == 0 else package[: len(package) - node.level + 1]
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:  # what is imported may be a module or a name in one
                full = f"{origin}.{alias.name}"
                yield (full if full.removeprefix(f"{PACKAGE}.") in NAMES else origin), nested


def layer(full):
    """The layer of a dotted name, or None outside the package."""
    head, _, rest = full.partition(".")
    return None if head != PACKAGE else rest.partition(".")[0] or PACKAGE


def violations(name, source, is_package=False):
    """The imports of a module that go up or sideways."""
    own = layer(f"{PACKAGE}.{name}" if name else PACKAGE)
    found = []
    for full, _ in imported(name, source, is_package):
        other = layer(full)
        if other is None or other == own or (name, other) in EXCEPTIONS:
            continue
        if own in ASIDE:
            fine = other in ASIDE[own]
        elif other in ASIDE:
            fine = own == PACKAGE
        else:
            fine = LEVEL[other] < LEVEL[str(own)]
        if not fine:
            found.append(f"{name or PACKAGE} imports {full}")
    return found


def is_package(name):
    """Whether a module is a folder's ``__init__.py``."""
    return (ROOT / pathlib.Path(*name.split("."))).is_dir()


def test_every_module_has_a_layer():
    assert {layer(f"{PACKAGE}.{name}" if name else PACKAGE) for name in NAMES} <= {*LEVEL, *ASIDE}
    assert len(LEVEL) == sum(map(len, ORDER))


@pytest.mark.parametrize(("name", "source"), list(modules()), ids=[name or PACKAGE for name in sorted(NAMES)])
def test_imports_go_down(name, source):
    assert violations(name, source, is_package(name)) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("solvers.fista", "from proxreg.path import fit"),
        ("solvers.fista", "import proxreg.engine.lanes"),
        ("solvers.fista", "import proxreg as pr"),
        ("solvers.fista", "from ..engine import lanes"),
        ("solvers.fista", "def f():\n    from proxreg import validation"),
        ("solvers.fista", "if TYPE_CHECKING:\n    from proxreg.results import Path"),
        ("penalties.l1", "from proxreg.losses import Loss"),
        ("losses.base", "from proxreg import penalties"),
        ("_pytree", "from proxreg._warnings import DataWarning"),
        ("path", "from proxreg.plotting import plot_path"),
        ("path", "from proxreg.sklearn import Lasso"),
        ("sklearn.base", "from proxreg.plotting import plot_path"),
        ("", "from proxreg._cli import report"),
        ("models.linear", "from proxreg.transforms import proximal"),
        ("transforms.chain", "from proxreg.losses import Loss"),
        ("transforms", "from proxreg.models import LinearModel"),
    ],
)
def test_an_upward_import_is_noticed(name, line):
    assert len(violations(name, line)) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("solvers.fista", "from proxreg.models import LinearModel\nimport jax"),
        ("solvers.fista", "from proxreg.solvers.loop import run\nfrom . import loop\nfrom ..models import linear"),
        ("task", "from proxreg import _precision"),
        ("", "from proxreg.transforms import proximal"),
        ("transforms.chain", "import optax\nfrom proxreg.penalties import Penalty"),
        ("__main__", "import proxreg as pr\nfrom proxreg._cli import report"),
        ("results", "def plot():\n    from proxreg.plotting import plot_path"),
    ],
)
def test_a_downward_import_is_not(name, line):
    assert violations(name, line) == []


def test_every_exception_is_needed_and_inside_a_function():
    sources = dict(modules())
    for name, other in EXCEPTIONS:
        uses = [nested for full, nested in imported(name, sources[name]) if layer(full) == other]
        assert uses
        assert all(uses)


@pytest.mark.parametrize(("name", "source"), list(modules()), ids=[name or PACKAGE for name in sorted(NAMES)])
def test_files_are_short_and_optional_dependencies_stay_at_the_edge(name, source):
    assert source.count("\n") < 300
    for full, nested in imported(name, source, is_package(name)):
        head = full.partition(".")[0]
        if head in OPTIONAL:
            own = layer(f"{PACKAGE}.{name}")
            assert own in OPTIONAL[head]
            assert nested or own == head


def test_importing_the_package_is_light():
    heavy = ["matplotlib", "sklearn", "scipy.sparse", "pandas", "pyarrow"]
    code = f"import sys, jax; before = set(sys.modules); import {PACKAGE}; new = set(sys.modules) - before; "
    code += f"print([name for name in {heavy} if name in new])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
