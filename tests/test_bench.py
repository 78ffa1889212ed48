"""The problems of the benchmarks are reproducible, only certified times count, and the scripts run."""

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bench import (
    certificate,
    certificate_logistic,
    contest,
    gpu,
    growth,
    hard,
    memory,
    path,
    problems,
    report,
    run,
    trace,
    workers,
)

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", problems.PROBLEMS)
def test_problems_are_reproducible_and_as_described(name):
    problem = problems.PROBLEMS[name].scaled("tiny")
    (X, y), (again, y_again) = problems.make(problem), problems.make(problem, order="F")
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, y_again)
    assert X.flags.c_contiguous
    assert again.flags.f_contiguous
    assert X.shape == (problem.n, problem.p)
    np.testing.assert_allclose(X.mean(0), 0, atol=1e-15)
    np.testing.assert_allclose(y.mean(), 0, atol=1e-14)
    alphas = problems.alphas(problem, X, y)
    assert alphas.shape == (problem.n_alphas,)
    np.testing.assert_allclose(alphas[-1] / alphas[0], problem.min_ratio)
    np.testing.assert_allclose(certificate.relative_gap(X, y, np.zeros(problem.p), 0.0, alphas[0]), 0, atol=1e-14)


@pytest.mark.parametrize("name", problems.LOGISTIC)
def test_labels_are_reproducible_and_their_path_begins_at_zero(name):
    problem = problems.LOGISTIC[name].scaled("tiny")
    X, y = problems.make(problem)
    np.testing.assert_array_equal(y, problems.make(problem, order="F")[1])
    assert set(y) == {-1.0, 1.0}
    top = problems.alphas(problem, X, y)[0]
    assert certificate_logistic.relative_gap(X, y, np.zeros(problem.p), top * (1 + 1e-15)) <= 1e-14


@pytest.mark.parametrize("name", problems.HARD)
def test_hard_problems_have_the_shape_that_they_say(name):
    problem = problems.HARD[name].scaled("tiny")
    X, y = problems.make(problem)
    assert X.shape == (problem.n, problem.p)
    assert y.shape == (problem.n,)
    if name == "triangular":
        np.testing.assert_array_equal(X[:3, :3], [[1, 1, 0.5], [0, 0.5, 0.5], [0, 0, 0.25]])
    if name == "equicorrelated":
        many = problems.Problem("check", 20_000, 4, rho=0.8, signals=2, design="equicorrelated")
        np.testing.assert_allclose(np.corrcoef(problems.make(many)[0].T)[0], [1, 0.8, 0.8, 0.8], atol=0.03)


def test_designs_correlate_as_asked_and_seeds_differ():
    problem = problems.Problem("check", 20_000, 4, signals=2)
    X, y = problems.make(problem)
    np.testing.assert_allclose(np.corrcoef(X.T)[0], 0.6 ** np.arange(4), atol=0.03)
    noise = y - X @ np.linalg.lstsq(X, y)[0]
    np.testing.assert_allclose(np.linalg.norm(y - noise) / np.linalg.norm(noise), problem.snr, rtol=0.02)
    other, _ = problems.make(problems.Problem("check", 20_000, 4, signals=2, seed=1))
    assert abs(np.corrcoef(X[:, 0], other[:, 0])[0, 1]) < 0.05


def _pretend(problem, tol, behaviour):
    """A solver whose gap is three times its tolerance, that is slow, or that fails."""

    def solve():
        if behaviour == "slow":
            time.sleep(60)
        if behaviour == "broken":
            raise RuntimeError("no luck")
        return 3 * tol if behaviour == "loose" else 1e-3

    return solve, lambda gap: {"worst_gap": gap, "max_steps": 7, "mean_steps": 2.5}


@pytest.mark.parametrize(
    ("behaviour", "status", "tol"),
    [
        ("loose", "ok", 2e-7),
        ("stuck", "gap not reached", 2e-7),
        ("slow", "> budget", 1e-6),
        ("broken", "failed", 1e-6),
    ],
)
def test_only_a_time_at_the_target_gap_counts(behaviour, status, tol):
    contender = contest.Contender(_pretend, problems.PROBLEMS["tall"], behaviour, tols=contest.TOLS[:3])
    try:
        contender.cold(0.5)
        contender.warm(0.5)
        contender.warm(0.5)
    finally:
        contender.close()
    entry = contender.entry
    assert entry.status.startswith(status)
    assert entry.tol == tol
    assert len(entry.warm_s) == (2 if status == "ok" else 0)
    if status == "ok":
        assert entry.worst_gap == pytest.approx(6e-7)
        assert entry.cold_s is not None


def written(run_main, capsys, file, *arguments):
    """What a script prints and writes, run in this process."""
    run_main([*arguments, "--json", str(file)])
    return capsys.readouterr().out, json.loads(file.read_text(encoding="utf-8"))


def test_the_path_benchmark_runs_and_writes_what_its_readme_says(tmp_path, capsys):
    arguments = ["--size", "tiny", "--only", "wide", "--solvers", "proxreg,scikit-learn", "--repeats", "1"]
    table, found = written(path.main, capsys, tmp_path / "path.json", *arguments)
    assert set(found) == {"machine", "settings", "problems"}
    assert {"cores", "versions", "python"} <= set(found["machine"])
    (result,) = found["problems"]
    assert {"name", "n", "p", "rho", "snr", "signals", "seed", "peer", "ratio_warm", "ratio_best", "ratio_cold"} <= set(
        result
    )
    assert list(result["solvers"]) == ["proxreg", "scikit-learn"]
    for entry in result["solvers"].values():
        assert entry["status"] == "ok"
        assert entry["worst_gap"] <= found["settings"]["target_gap"]
        assert entry["cold_s"] > 0 < entry["warm_median_s"]
        assert all(f"`{key}`" in README for key in entry), "a field of the JSON is not documented"
    assert "| wide | 25 x 250 | proxreg |" in table


def test_hard_paths_are_certified_or_said_not_to_be(tmp_path, capsys):
    table, found = written(hard.main, capsys, tmp_path / "x.json", "--size", "tiny", "--only", "triangular")
    ((loose, tight),) = (result["attempts"] for result in found["problems"])
    assert loose["certified_1e-06"] + loose["said_not_to_be"] >= loose["lanes"] == 10
    assert tight["certified_1e-10"] + tight["said_not_to_be"] >= tight["lanes"]
    assert loose["wrongly_claimed"] == tight["wrongly_claimed"] == 0
    assert all(f"`{key}`" in README for key in tight), "a field of the JSON is not documented"
    assert "| triangular | 12 x 12 | 1e-06 |" in table


def test_memory_is_measured_as_a_multiple_of_the_data(tmp_path, capsys):
    table, found = written(memory.main, capsys, tmp_path / "x.json", "--size", "tiny", "--only", "wide")
    (result,) = found["problems"]
    assert result["X_mb"] == pytest.approx(25 * 250 * 8 / 1e6)
    assert result["multiple"] == pytest.approx((result["fit_mb"] - result["data_mb"]) / result["X_mb"])
    assert all(f"`{key}`" in README for key in ("case", "call", "X_mb", "data_mb", "fit_mb", "multiple"))
    assert "| wide | 25 x 250 | fit_path |" in table


def test_slopes_are_those_of_the_times_at_the_target(tmp_path):
    def result(size, seconds, status="ok"):
        entry = {"status": status, "warm_median_s": seconds}
        return {"axis": "rows", "size": size, "solvers": {"proxreg": entry}}

    found = growth.series([result(10, 1.0), result(20, 2.0), result(40, 4.0), result(80, 1.0, "gap not reached")])
    assert found["rows"]["proxreg"]["sizes"] == [10, 20, 40]
    assert found["rows"]["proxreg"]["slope"] == pytest.approx(1)
    growth.draw(found, str(tmp_path / "x.png"))
    assert (tmp_path / "x.png").stat().st_size > 1000
    assert "| rows | proxreg | 1.00 |" in growth.table(found)


def test_points_of_a_trace_are_drawn_and_tabled(tmp_path):
    point = {"tol": 1e-2, "worst_gap": 3e-3, "warm_best_s": 0.5, "status": "ok"}
    late = point | {"warm_best_s": None, "worst_gap": None, "status": "> budget"}
    results = [{"name": "wide", "n": 25, "p": 250, "points": {"proxreg": [point], "celer": [point, late]}}]
    trace.draw(results, str(tmp_path / "x.png"))
    assert (tmp_path / "x.png").stat().st_size > 1000
    assert trace.table(results).endswith("| wide | celer | 1e-02 |  |  | > budget |")


def test_races_are_written_one_by_one(tmp_path):
    file = tmp_path / "x.json"
    options = report.arguments("x", "", ("a", "b"), repeats=1).parse_args(["--only", "a,b", "--json", str(file)])
    assert options.only == ("a", "b")

    def races():
        yield {"name": "a"}
        assert json.loads(file.read_text(encoding="utf-8"))["problems"] == [{"name": "a"}]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report.collect(options, races())
    assert json.loads(file.read_text(encoding="utf-8"))["problems"] == [{"name": "a"}]
    with pytest.raises(SystemExit):
        report.arguments("x", "", ("a", "b")).parse_args(["--only", "c"])


def test_many_lanes_are_counted_and_judged(tmp_path, capsys):
    gpu.main(["--size", "tiny", "--only", "1000", "--repeats", "1", "--json", str(tmp_path / "x.json")])
    rows = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["problems"]
    pairs = {(row["dtype"], row["solver"]) for row in rows}
    assert len(rows) == 4
    assert pairs == set(itertools.product(["float32", "float64"], ["fit_path", "solve_path"]))
    for row in rows:
        assert row["lanes"] == row["converged"] == 10
        assert 0 < row["worst_gap"] <= {"float32": 1e-4, "float64": 1.01e-6}[row["dtype"]]
        assert row["flops"] == pytest.approx(2 * 25**2 * row["steps"] / row["warm_median_s"])
    assert "| solve_path | 10 | float64 | 10 |" in capsys.readouterr().out


def lingering(file):
    code = "import sys, time\nwhile True: open(sys.argv[1], 'a').write('x'); time.sleep(0.05)"
    subprocess.Popen([sys.executable, "-c", code, file])
    return (lambda: time.sleep(60)), dict


def test_a_worker_that_is_stopped_takes_its_own_processes_along(tmp_path):
    file = tmp_path / "alive"
    worker = workers.Worker(lingering, str(file))
    assert worker.run(limit=2.0) is None
    size = file.stat().st_size
    assert size > 0
    time.sleep(0.5)
    assert file.stat().st_size == size


def test_the_runner_keeps_what_a_script_prints(tmp_path, monkeypatch):
    def pretend(command, **_):
        Path(command[command.index("--json") + 1]).write_text("{}", encoding="utf-8")
        return subprocess.CompletedProcess(command, 0, stdout="| a table |\n")

    monkeypatch.setattr(run.subprocess, "run", pretend)
    run.main(["--size", "tiny", "--folder", str(tmp_path), "growth", "digits"])
    assert {file.name for file in tmp_path.iterdir()} == {"growth.json", "growth.md", "digits.json", "digits.md"}
    kept = (tmp_path / "growth.md").read_text(encoding="utf-8")
    assert kept.startswith("# One run of `python -m bench.growth --size tiny`")
    assert kept.endswith("| a table |\n")


def test_the_readme_names_every_file_of_the_folder():
    names = {file.name for file in (ROOT / "bench").glob("*.py")} - {"__init__.py"}
    assert sorted(name for name in names if f"`{name}`" not in README) == []
