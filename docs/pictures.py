"""Makes ``docs/pictures``, one for each function of ``proxreg.plotting``: ``python docs/pictures.py``."""

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from PIL import Image

import proxreg as pr
from proxreg import plotting

FOLDER = Path(__file__).parent / "pictures"
RATIOS = (0.5, 0.9, 1.0)


def half_samples(n: int = 100, p: int = 200, relevant: int = 6) -> Any:
    """How often features of simulated data are selected on halves of the rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    y = X[:, :relevant] @ rng.choice([-1.0, 1.0], relevant) + 1.5 * rng.standard_normal(n)
    names = [f"relevant {j}" if j < relevant else f"noise {j}" for j in range(p)]
    options: Any = {"alphas": np.geomspace(1, 0.25, 30), "threshold": 0.7, "max_false": None, "num_subsamples": 200}
    return pr.stability_selection(X, y, key=jax.random.key(0), feature_names=names, dtype="float64", **options)


def network(steps: int = 1000) -> Any:
    """What a group lasso leaves of a network with far more units than a simulated task needs."""
    rng = np.random.default_rng(0)
    X = jnp.asarray(rng.standard_normal((256, 20)), jnp.float32)
    y = jnp.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    widths = (20, 64, 64, 1)
    params = {
        f"dense_{k}": {
            "kernel": jnp.asarray(rng.standard_normal((a, b)) / np.sqrt(a), jnp.float32),
            "bias": jnp.zeros(b, jnp.float32),
        }
        for k, (a, b) in enumerate(itertools.pairwise(widths))
    }
    penalty = pr.by_path([("kernel", pr.GroupLasso(1e-2, axis=0))])  # whole units at once
    optimizer = pr.proximal_adam(3e-3, penalty)

    def loss(params: Any) -> jax.Array:
        hidden = X
        for k in range(len(widths) - 1):
            layer = params[f"dense_{k}"]
            hidden = (jnp.tanh(hidden) if k else hidden) @ layer["kernel"] + layer["bias"]
        return jnp.mean((hidden[:, 0] - y) ** 2)

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        updates, state = optimizer.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    state = optimizer.init(params)
    for _ in range(steps):
        params, state = step(params, state)
    return pr.sparsity(params, penalty)


def main() -> None:
    """Fits and draws."""
    FOLDER.mkdir(exist_ok=True)
    X, y, names = pr.datasets.load_diabetes()
    common: dict[str, Any] = {"standardize": True, "feature_names": names, "dtype": "float64"}
    path = pr.fit_path(X, y, tol=1e-8, **common)
    cv = pr.cv_path(X, y, l1_ratio=RATIOS, folds=10, key=jax.random.key(0), n_alphas=50, **common)
    pictures: dict[str, Callable[[Any], Any]] = {
        "path": lambda figure: path.plot(scale=X.std(axis=0), figure=figure),
        "cv": lambda figure: cv.plot(figure=figure),
        "gaps": lambda figure: plotting.plot_gaps(cv, tol=1e-4, figure=figure),
        "stability": lambda figure: plotting.plot_stability(half_samples(), figure=figure),
        "sparsity": lambda figure: plotting.plot_sparsity(network(), figure=figure),
    }
    for name, draw in pictures.items():
        figure = plotting.empty_figure()
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=150)
        Image.open(buffer).convert("RGB").quantize(128).save(
            FOLDER / f"{name}.png", optimize=True
        )  # a third of the size


if __name__ == "__main__":
    main()
