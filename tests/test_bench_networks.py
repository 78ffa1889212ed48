"""The benchmarks of the optax half run at a reduced size and write what their README says."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

pytestmark = pytest.mark.skipif(jax.config.read("jax_enable_x64"), reason="networks are trained in float32")

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")


def run(module, *arguments):
    """What a benchmark prints, and what it writes."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(Path(arguments[-1]).read_text(encoding="utf-8"))


def fields(found):
    """All names in a JSON document."""
    if isinstance(found, dict):
        return set(found).union(*map(fields, found.values()))
    return set().union(*map(fields, found)) if isinstance(found, list) else set()


def test_transforms(tmp_path):
    table, found = run("bench.transforms", "--size", "tiny", "--repeats", "1", "--json", str(tmp_path / "x.json"))
    assert {race["workload"] for race in found["races"]} == {"training step", "update alone", "update + apply"}
    for race in found["races"]:
        assert f"`{race['baseline']}`" in README or race["baseline"].startswith("optax.")
        for row in race["optimizers"].values():
            assert all(seconds > 0 for seconds in row["seconds"])
            assert all(f"`{name}`" in README for name in row)
        assert race["optimizers"][race["baseline"]]["ratio_of_medians"] == 1
    assert table.count("proximal_adam(l1)") == 3


def test_digits(tmp_path):
    table, found = run("bench.digits", "--tiny", "--json", str(tmp_path / "x.json"))
    variants = {variant["name"]: variant for variant in found["variants"]}
    assert all(name in table for name in variants)
    assert [name[:3] for name in variants][:6] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]
    for name, variant in variants.items():
        assert len(variant["seeds"]) == 2
        for seed in variant["seeds"]:
            assert 0.5 < seed["test_accuracy"] <= 1
            assert seed["nonzero"] <= seed["parameters"]
            if name.startswith(("(a)", "(b)", "(c)", "(f)")):
                assert seed["zeros"] == 0
    for name in ("(d) proximal L1", "(e) group lasso"):
        assert variants[name]["mean"]["zeros"] > 0
    with pytest.raises(AssertionError, match="invalid"):
        run("bench.digits", "--seeds", "many", "--json", str(tmp_path / "y.json"))
