"""How much of the slow tests to run, and room for the programs that they compile themselves."""

import gc
import os
from pathlib import Path

import jax
import pytest

#: modules whose tests take 20 seconds or more together, most of it compilation
SLOW = """
batch/test_other_losses batch/test_pure batch/test_solve_path core/test_fork core/test_programs engine/test_engine
engine/test_multinomial penalties/test_derivatives penalties/test_precision penalties/test_transforms
sklearn/test_against_scikit_learn sklearn/test_behaviour sklearn/test_contract sklearn/test_convergence
sklearn/test_estimator_checks sklearn/test_likelihoods_against_scikit_learn sklearn/test_routing test_bench
test_bench_networks test_certificate test_certificates_hold test_compilation test_criteria test_custom_penalties
test_differentiation test_extremes test_fista test_from_data test_infinite_optima test_invalid_lanes test_jax_settings
test_limits test_losses test_no_copies test_path test_path_invariance test_random_search test_relaxation
test_resampling test_responses test_results test_ridge_closed_form test_rules test_selection test_serialization
test_solvers test_strong_and_weak transforms/test_composition transforms/test_exact_zeros transforms/test_metric
transforms/test_plain transforms/test_protocol transforms/test_prune transforms/test_rest_points
transforms/test_sharding
"""
SIZES = {"full": (1, 1), "reduced": (6, 1), "few": (24, 5)}  # one of so many slow tests, and of the others
HERE = Path(__file__).parent
os.environ.setdefault("PROXREG_COMPILATION_CACHE", "off")  # tests leave nothing in the user's folders
MAPS = Path("/proc/self/maps")  # of memory: every compiled program has some, and Linux allows a process 65,530
MOST_MAPS = 10_000  # some 600 MB of programs
EVERY = 20  # tests


def pytest_collection_modifyitems(config, items):
    """``PROXREG_TESTS=reduced`` keeps every sixth test that is marked slow, the same ones every time.

    ``few`` keeps a quarter of these, and a fifth of the others.
    """
    size = os.environ.get("PROXREG_TESTS", "full")
    if size not in SIZES:
        raise pytest.UsageError(f"PROXREG_TESTS must be one of {', '.join(SIZES)}, got {size!r}")
    modules = {HERE / f"{name}.py" for name in SLOW.split()}
    for item in items:
        if item.path in modules:
            item.add_marker("slow")
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    left_out = {item for group, one_of in zip((slow, quick), SIZES[size]) for k, item in enumerate(group) if k % one_of}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in slow if item in left_out])
        items[:] = [item for item in items if item not in left_out]


class _Programs:
    tests = 0


def pytest_runtest_teardown():
    """Drops compiled programs before the process has more of them than the system allows.

    The library bounds its own; those of functions that tests hand to ``jax.jit`` are theirs to drop.
    """
    _Programs.tests += 1
    if _Programs.tests % EVERY == 0 and MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()
