"""What proxreg's optimisers cost beside optax's own: a training step, and the update of 100M parameters.

Run it as ``python -m bench.transforms``; the README beside this file says what it measures.
"""

import argparse
import dataclasses
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

import jax
import jax.numpy as jnp
import optax

import proxreg as pr
from bench.report import machine, markdown, save

RATE, STRENGTH = 1e-3, 1e-5
AGAIN = " again"  # the baseline a second time: how far from 1 chance alone gets
SIZES = {  # the MLP's width, depth and batches; the transformer's layers, d and vocabulary
    "tiny": (32, 2, (32,), (1, 32, 100)),
    "full": (512, 6, (128, 256), (12, 768, 20_000)),
}
TARGETS = {"training step": 1.10, "update alone": 1.3}  # largest ratio of proximal_adam(l1) to optax.adam


def adam_family() -> dict[str, optax.GradientTransformation]:
    """``optax.adam`` and what adds a penalty to it; their states hold the same two moments."""
    groups = pr.by_path([("kernel", pr.GroupLasso(STRENGTH, axis=0))])
    return {
        "optax.adam": optax.adam(RATE),
        "optax.adam" + AGAIN: optax.adam(RATE),
        "optax.adamw": optax.adamw(RATE, weight_decay=STRENGTH),
        "proximal_adam(l1)": pr.proximal_adam(RATE, l1=STRENGTH),
        "proximal_adam(L1)": pr.proximal_adam(RATE, pr.L1(STRENGTH)),
        "proximal_adam(groups)": pr.proximal_adam(RATE, groups),
        "adam_euclidean_prox(l1)": pr.adam_euclidean_prox(RATE, l1=STRENGTH),
        "adam, proximal(L1)": optax.chain(optax.adam(RATE), pr.proximal(pr.L1(STRENGTH), RATE)),
        "adam, proximal(groups)": optax.chain(optax.adam(RATE), pr.proximal(groups, RATE)),
    }


def sgd_family() -> dict[str, optax.GradientTransformation]:
    """``optax.sgd`` and what adds a penalty to it; no state to speak of."""
    return {
        "optax.sgd": optax.sgd(RATE),
        "optax.sgd" + AGAIN: optax.sgd(RATE),
        "proximal_sgd(l1)": pr.proximal_sgd(RATE, l1=STRENGTH),
        "sgd, proximal(L1)": optax.chain(optax.sgd(RATE), pr.proximal(pr.L1(STRENGTH), RATE)),
    }


def mlp(width: int, depth: int) -> dict:
    """Parameters of ``depth`` square layers."""
    keys = jax.random.split(jax.random.key(0), depth)
    scale = (2 / width) ** 0.5
    return {
        f"dense_{k}": {"kernel": scale * jax.random.normal(key, (width, width)), "bias": jnp.zeros(width)}
        for k, key in enumerate(keys)
    }


def mlp_loss(params: dict, x: jax.Array, y: jax.Array) -> jax.Array:
    """Half the mean squared error, ReLU between the layers."""
    *hidden, last = params.values()
    for layer in hidden:
        x = jax.nn.relu(x @ layer["kernel"] + layer["bias"])
    return 0.5 * jnp.mean(jnp.square(x @ last["kernel"] + last["bias"] - y))


def transformer(key: jax.Array, layers: int, d: int, vocabulary: int) -> dict:
    """Random numbers in the shapes of a transformer's parameters: 100.4M for 12 layers, d = 768, 20 000 tokens."""
    norm, shapes = {"scale": (d,), "bias": (d,)}, {"embedding": (vocabulary, d)}
    kernels = {"qkv": (d, 3 * d), "projection": (d, d), "up": (d, 4 * d), "down": (4 * d, d)}
    block = {name: {"kernel": shape, "bias": shape[1:]} for name, shape in kernels.items()}
    shapes |= {f"block_{k}": block | {"norm_1": norm, "norm_2": norm} for k in range(layers)} | {"norm": norm}
    leaves, structure = jax.tree.flatten(shapes, is_leaf=lambda x: isinstance(x, tuple))
    keys = jax.random.split(key, len(leaves))
    return structure.unflatten([0.02 * jax.random.normal(k, shape) for k, shape in zip(keys, leaves)])


@dataclasses.dataclass
class Workload:
    """``step(optimizer)`` is ``(carry, state, *fixed) -> (carry, state)``; carry and state are donated."""

    name: str
    detail: str
    step: Callable[[optax.GradientTransformation], Callable]
    family: Callable[[], dict[str, optax.GradientTransformation]]
    carry: Any  # what a step turns into its successor: parameters, or the memory of updates; shaped like parameters
    fixed: tuple


def _training(optimizer):
    def step(params, state, x, y):
        updates, state = optimizer.update(jax.grad(mlp_loss)(params, x, y), state, params)
        return optax.apply_updates(params, updates), state

    return step


def _update_and_apply(optimizer):
    def step(params, state, grads):
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    return step


def _update_alone(optimizer):
    def step(memory, state, params, grads):
        # donated, as gradients are in a real step: new pages for the result would cost more than the update
        del memory
        return optimizer.update(grads, state, params)

    return step


def workloads(size: str) -> Iterator[Workload]:
    """One after the other, so that the arrays of one can go before those of the next are made."""
    width, depth, batches, shape = SIZES[size]
    for batch in batches:
        keys = jax.random.split(jax.random.key(batch))
        fixed = tuple(jax.random.normal(key, (batch, width)) for key in keys)
        for family in (adam_family, sgd_family):
            detail = f"MLP {depth} x {width}, batch {batch}"
            yield Workload("training step", detail, _training, family, mlp(width, depth), fixed)
    for name, step in {"update alone": _update_alone, "update + apply": _update_and_apply}.items():
        for family in (adam_family, sgd_family) if name == "update alone" else (adam_family,):
            grads, params = (transformer(key, *shape) for key in jax.random.split(jax.random.key(1)))
            detail = f"transformer, {sum(leaf.size for leaf in jax.tree.leaves(params)) / 1e6:.3g}M"
            carry, fixed = params, (grads,)
            if name == "update alone":
                carry, fixed = jax.tree.map(jnp.zeros_like, params), (params, grads)
            yield Workload(name, detail, step, family, carry, fixed)
            del grads, params, carry, fixed


class Lane:
    """One optimiser on one workload, compiled; it keeps its counters and borrows parameters and moments."""

    def __init__(self, work: Workload, optimizer: optax.GradientTransformation):
        state = jax.eval_shape(optimizer.init, work.carry)
        leaves, self._structure = jax.tree.flatten(state)
        self._own = [None if leaf.ndim else jnp.zeros(leaf.shape, leaf.dtype) for leaf in leaves]
        self._fixed = work.fixed
        step = jax.jit(work.step(optimizer), donate_argnums=(0, 1), keep_unused=True)
        before = time.perf_counter()
        self._step = step.lower(work.carry, state, *work.fixed).compile()
        seconds = time.perf_counter() - before
        cost, memory = self._step.cost_analysis() or {}, self._step.memory_analysis()
        self.facts = {
            "compile_s": seconds,
            "bytes_accessed": cost.get("bytes accessed"),  # what XLA counts, each fusion by itself
            "temporary_bytes": getattr(memory, "temp_size_in_bytes", None),
        }
        self.seconds: list[float] = []

    def __call__(self, carry: Any, large: list[jax.Array], *, timed: bool) -> tuple[Any, list[jax.Array]]:
        """One step: what it was lent, brought up to date."""
        supply = iter(large)
        state = self._structure.unflatten([next(supply) if leaf is None else leaf for leaf in self._own])
        before = time.perf_counter()
        carry, state = jax.block_until_ready(self._step(carry, state, *self._fixed))
        seconds = time.perf_counter() - before
        if timed:
            self.seconds.append(seconds)
        leaves = jax.tree.leaves(state)
        self._own = [None if leaf.ndim else leaf for leaf in leaves]
        return carry, [leaf for leaf in leaves if leaf.ndim]


def race(work: Workload, repeats: int) -> dict:
    """Each optimiser once per round, in turns; ratios to the family's first, round by round.

    One set of parameters and moments passes from hand to hand: all see the same numbers in the memory of one.
    """
    field = {name: Lane(work, optimizer) for name, optimizer in work.family().items()}
    baseline, *_ = field
    large = [leaf for leaf in jax.tree.leaves(work.family()[baseline].init(work.carry)) if leaf.ndim]
    carry = work.carry
    for turn in range(-1, repeats):  # the first round warms up
        names = list(field)
        first = turn % len(names)  # nobody always runs after the same one
        for name in names[first:] + names[:first]:
            carry, large = field[name](carry, large, timed=turn >= 0)
    rows = {}
    for name, lane in field.items():
        ratios = [ours / theirs for ours, theirs in zip(lane.seconds, field[baseline].seconds)]
        quartiles = statistics.quantiles(ratios, n=4) if repeats > 1 else ratios * 3
        rows[name] = lane.facts | {
            "seconds": lane.seconds,
            "median_s": statistics.median(lane.seconds),
            "ratio_of_medians": statistics.median(lane.seconds) / statistics.median(field[baseline].seconds),
            "median_ratio": quartiles[1],
            "ratio_quartiles": quartiles[::2],
        }
    return {"workload": work.name, "detail": work.detail, "baseline": baseline, "optimizers": rows}


def table(races: list[dict]) -> str:
    """One row per optimiser, as Markdown."""
    columns = ["median ms", "ratio of medians", "median ratio (quartiles)", "GB by XLA", "temporary MB", "verdict"]
    rows = []
    for result in races:
        for name, row in result["optimizers"].items():
            low, high = row["ratio_quartiles"]
            accessed, temporary = row["bytes_accessed"], row["temporary_bytes"]
            rows.append(
                [
                    f"{result['workload']}: {result['detail']}",
                    name,
                    f"{1e3 * row['median_s']:.4g}",
                    f"{row['ratio_of_medians']:.3f}",
                    f"{row['median_ratio']:.3f} ({low:.3f}, {high:.3f})",
                    "" if accessed is None else f"{accessed / 1e9:.4g}",
                    "" if temporary is None else f"{temporary / 1e6:.4g}",
                    verdict(result["workload"], name, row["ratio_of_medians"]),
                ]
            )
    return markdown(["workload", "optimizer", *columns], rows)


def verdict(workload: str, name: str, ratio: float) -> str:
    """Whether the target is met, where there is one."""
    if not name.startswith("proximal_adam") or workload not in TARGETS:
        return ""
    target = TARGETS[workload]
    return f"{'within' if ratio <= target else 'misses'} {target:.2f}"


def main(argv: list[str] | None = None) -> None:
    """Runs the races and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.transforms", description="Our optimisers against optax's.")
    parser.add_argument("--size", choices=tuple(SIZES), default="full")
    parser.add_argument(
        "--repeats", type=int, default=15, metavar="N", help="rounds of 100M parameters; MLPs have 10 N"
    )
    parser.add_argument("--json", metavar="FILE", help="where to write everything measured")
    options = parser.parse_args(argv)
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")

    described = machine()
    described["versions"]["optax"] = metadata.version("optax")
    described["device"] = jax.devices()[0].device_kind
    settings = {"size": options.size, "repeats": options.repeats, "targets": TARGETS}
    found: dict[str, Any] = {"machine": described, "settings": settings, "races": []}
    for work in workloads(options.size):
        print(f"{work.name}: {work.detail}", file=sys.stderr, flush=True)
        found["races"].append(race(work, options.repeats * (10 if work.name == "training step" else 1)))
        save(options.json, found)
        del work  # and its arrays
    print(table(found["races"]))


if __name__ == "__main__":
    main()
