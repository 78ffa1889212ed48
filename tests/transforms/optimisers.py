"""The registry of proximal optimisers that every property test runs over: a new one adds its entry here."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import optax

import proxreg as pr


@dataclasses.dataclass(frozen=True)
class OptimiserCase:
    """A proximal optimiser, and the one of optax that it must equal where nothing is penalised."""

    id: str
    make: Callable[..., optax.GradientTransformationExtraArgs]  # (learning_rate, penalty=None, **options)
    plain: Callable[..., Any]  # (learning_rate) -> the same without penalty
    rate: float  # that converges on problems with curvatures between 0.2 and 4
    options: dict = dataclasses.field(default_factory=dict)
    averages: bool = False  # all gradients: on curved penalties its rate falls like 1/t
    swings: bool = False  # unpenalised parameters swing by the rate even at the optimum

    def __call__(self, learning_rate, penalty=None, **options) -> Any:
        return self.make(learning_rate, penalty, **self.options, **options)


def adagrad_with_beta(learning_rate, beta=1.0):
    """AdaGrad as McMahan writes it, ``g / (beta + sqrt(sum of squares))``, put together from optax's parts."""
    squares = optax.scale_by_rss(initial_accumulator_value=0.0, eps=0.0)

    def init(params):
        return squares.init(params), optax.scale_by_learning_rate(learning_rate).init(params)

    def update(updates, state, params=None):
        _, inner = squares.update(updates, state[0])
        scaled = jax.tree.map(lambda g, s: g / (beta + s**0.5), updates, inner.sum_of_squares)
        updates, rate = optax.scale_by_learning_rate(learning_rate).update(scaled, state[1], params)
        return updates, (inner, rate)

    return optax.GradientTransformation(init, update)


def _adamw(learning_rate):
    return optax.adamw(learning_rate, weight_decay=0.01, nesterov=True)


OPTIMISERS: list[OptimiserCase] = [
    OptimiserCase("sgd", pr.proximal_sgd, optax.sgd, 0.3),
    OptimiserCase(
        "sgd-momentum", pr.proximal_sgd, lambda lr: optax.sgd(lr, momentum=0.9), 0.05, options={"momentum": 0.9}
    ),
    OptimiserCase(
        "sgd-nesterov",
        pr.proximal_sgd,
        lambda lr: optax.sgd(lr, momentum=0.8, nesterov=True),
        0.05,
        options={"momentum": 0.8, "nesterov": True},
    ),
    OptimiserCase("adam", pr.proximal_adam, optax.adam, 0.01),
    OptimiserCase(
        "adam-nesterov",
        pr.proximal_adam,
        lambda lr: optax.adam(lr, b1=0.8, b2=0.99, eps=1e-6, eps_root=1e-10, nesterov=True),
        0.01,
        options={"b1": 0.8, "b2": 0.99, "eps": 1e-6, "eps_root": 1e-10, "nesterov": True},
    ),
    OptimiserCase("adagrad", pr.proximal_adagrad, optax.adagrad, 0.5),
    OptimiserCase("lion", pr.proximal_lion, lambda lr: optax.lion(lr, weight_decay=0.0), 0.01, swings=True),
    OptimiserCase("ftrl", pr.ftrl, adagrad_with_beta, 2.0, averages=True),
    OptimiserCase("rda", pr.rda, optax.sgd, 0.4, averages=True),
]

#: optimisers with something that is no part of the objective: right protocol, other rest points
IMPURE: list[OptimiserCase] = [
    OptimiserCase(
        "adamw",
        pr.proximal_adam,
        _adamw,
        0.01,
        options={"weight_decay": 0.01, "nesterov": True},
    ),
    OptimiserCase("adam-euclidean", pr.adam_euclidean_prox, optax.adam, 0.01),
    OptimiserCase(
        "lion-decay",
        pr.proximal_lion,
        lambda lr: optax.lion(lr, weight_decay=0.1),
        0.01,
        options={"weight_decay": 0.1},
        swings=True,
    ),
]
