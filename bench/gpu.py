"""Many lanes on the device that JAX finds: time, certificates, the rate of arithmetic beside that of a plain product.

Run it as ``python -m bench.gpu``; the README beside this file says what it measures.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import proxreg as pr
from bench import problems, report
from bench.certificate import relative_gap
from bench.problems import PROBLEMS

LANES = {"1000": 1000, "10000": 10_000, "100000": 100_000}
TOLS = {"float32": 1e-4, "float64": 1e-6}
ALPHAS = 100  # of a path; the rest are l1_ratios
PRODUCTS = 50  # in one program
JUDGED = 20  # l1_ratios whose lanes the judge looks at


class Found(NamedTuple):
    """Hold what a solver has found, ``(R, K, ...)``."""

    coef: Any
    intercept: Any
    alphas: Any
    converged: Any
    num_steps: Any


def by_fit_path(X: Any, y: Any, grid: Any, dtype: str) -> Callable[[], Found]:
    """Return the call of ``fit_path`` on data of NumPy."""

    def call() -> Found:
        path = pr.fit_path(X, y, **grid, tol=TOLS[dtype], dtype=dtype)
        return Found(path.coef, path.intercept, path.alphas, path.converged, path.num_steps)

    return call


def by_solve_path(X: Any, y: Any, grid: Any, dtype: str) -> Callable[[], Found]:
    """Return the call of a jitted ``solve_path`` on data that are on the device already."""
    top = np.asarray(pr.alpha_max(X, y, l1_ratio=grid["l1_ratio"], dtype=dtype))
    alphas = top[:, None] * np.geomspace(1, grid["min_ratio"], grid["n_alphas"])
    with jax.enable_x64(dtype == "float64"):
        given = jax.device_put(tuple(np.asarray(a, dtype) for a in (X, y, alphas, grid["l1_ratio"])))

    @jax.jit
    def solve(X: Any, y: Any, alphas: Any, ratios: Any) -> pr.Result:
        model = pr.LinearModel(X, y, fit_intercept=True)
        return pr.solve_path(model, pr.ElasticNet(), alphas, l1_ratio=ratios, tol=TOLS[dtype])

    def call() -> Found:
        with jax.enable_x64(dtype == "float64"):
            found = jax.block_until_ready(solve(*given))
        coef, intercept = found.w
        return Found(coef, intercept, alphas, found.status == pr.Status.CONVERGED, found.num_steps)

    return call


SOLVERS = {"fit_path": by_fit_path, "solve_path": by_solve_path}


def measured(lanes: int, dtype: str, solver: str, options: Any) -> dict:
    """All lanes in one call, and the product of as many columns."""
    problem = PROBLEMS["tall"].scaled(options.size)
    X, y = problems.make(problem)
    ratios = np.linspace(1, 0.5, max(lanes // ALPHAS, 1))
    grid: Any = {"l1_ratio": ratios, "n_alphas": min(ALPHAS, lanes), "min_ratio": problem.min_ratio}
    solve = SOLVERS[solver](X, y, grid, dtype)
    first, path = seconds(solve)
    times = [seconds(solve)[0] for _ in range(options.repeats)]
    some = np.unique(np.linspace(0, ratios.size - 1, JUDGED).astype(int))
    coef, intercept, alphas = (np.asarray(a[some], float) for a in (path.coef, path.intercept, path.alphas))
    gap = relative_gap(X, y, coef, intercept, alphas, ratios[some, None])
    steps, p, count = int(path.num_steps.sum()), problem.p, int(path.converged.size)
    rate = 2 * p**2 * steps / float(np.median(times))
    plain = 2 * p**2 * count / product_seconds(p, count, dtype)
    return {
        "solver": solver,
        "lanes": count,
        "dtype": dtype,
        "converged": int(path.converged.sum()),
        "worst_gap": float(gap.max()),
        "cold_s": first,
        "warm_median_s": float(np.median(times)),
        "steps": steps,
        "flops": rate,
        "product_flops": plain,
        "share": rate / plain,
    }


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """How long a call takes, and its answer."""
    begin = time.perf_counter()
    answer = call()
    return time.perf_counter() - begin, answer


def product_seconds(p: int, lanes: int, dtype: str) -> float:
    """Of one product ``(p, p) (p, lanes)`` in this type, on the device, one after the other in one program."""
    with jax.enable_x64(dtype == "float64"):
        G = jnp.asarray(np.random.default_rng(0).standard_normal((p, p)) / p, dtype)
        W = jnp.ones((p, lanes), dtype)

        @jax.jit
        def products(W):
            return jax.lax.fori_loop(0, PRODUCTS, lambda _, W: jnp.matmul(G, W, precision="highest"), W)

        products(W).block_until_ready()
        return min(seconds(lambda: products(W).block_until_ready())[0] for _ in range(3)) / PRODUCTS


def table(rows: list[dict]) -> str:
    """One row per number of lanes, type and solver."""
    header = [
        "solver",
        "lanes",
        "dtype",
        "certified",
        "worst gap",
        "cold s",
        "warm s",
        "GFLOP/s",
        "plain product",
        "share",
    ]
    shown = [
        [
            row["solver"],
            f"{row['lanes']:,}",
            row["dtype"],
            f"{row['converged']:,}",
            f"{row['worst_gap']:.1e}",
            f"{row['cold_s']:.3g}",
            f"{row['warm_median_s']:.3g}",
            f"{row['flops'] / 1e9:.3g}",
            f"{row['product_flops'] / 1e9:.3g}",
            f"{row['share']:.0%}",
        ]
        for row in rows
    ]
    return report.markdown(header, shown)


def main(argv: list[str] | None = None) -> None:
    """Measures every number of lanes in both types and prints the table."""
    parser = report.arguments("gpu", "Many lanes on a device.", LANES, repeats=3)
    options = parser.parse_args(argv)
    chosen = [LANES[name] // (100 if options.size == "tiny" else 1) for name in options.only or LANES]

    def races() -> Iterator[dict]:
        for lanes in chosen:
            for dtype, solver in itertools.product(TOLS, SOLVERS):
                found = measured(lanes, dtype, solver, options)
                print(table([found]).splitlines()[-1], flush=True)
                yield found

    device = jax.devices()[0]
    print(f"{device.platform}, {device.device_kind}\n", flush=True)
    found = report.collect(options, races(), device=f"{device.platform}, {device.device_kind}")
    print("\n" + table(found["problems"]))


if __name__ == "__main__":
    main()
