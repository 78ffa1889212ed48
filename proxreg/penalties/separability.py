"""A penalty's declaration that it acts on each coordinate alone, tried where its class leaves it out."""

import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from proxreg._pytree import PyTree
from proxreg.penalties.base import Penalty

POINTS = ((0.1, 1.0), (1.0, 1.0), (10.0, 1.0), (1.0, 0.01), (1.0, 100.0))  # sizes of entries, and steps
LARGEST = 1 << 20  # entries beyond which a trial would be felt
ACCURACY = 1e-3  # relative to the entries: what a prox that iterates may leave

_TRIED: "weakref.WeakSet[type]" = weakref.WeakSet()  # classes that have passed


def require_declared(penalty: Penalty, params: PyTree) -> None:
    """Raise where a class leaves ``separable`` to its default, True, and its prox couples entries of ``params``.

    An entry of ``prox(v, step)`` is compared with itself after half of the other entries of v have changed, once per
    class. Only shapes and types of ``params`` are read, and traced parameters of the penalty are replaced by 1/2, so
    that this works while JAX traces. A class that declares ``separable`` is taken at its word.
    """
    cls = type(penalty)
    if cls in _TRIED or any("separable" in vars(base) for base in cls.__mro__ if base is not Penalty):
        return
    shapes = [(jnp.shape(leaf), jnp.result_type(leaf)) for leaf in jax.tree.leaves(params)]
    size = sum(int(np.prod(shape)) for shape, _ in shapes)
    if not 2 <= size <= LARGEST:
        return
    leaves, structure = jax.tree.flatten(penalty)
    known = jax.tree.unflatten(structure, [_stand_in(leaf) for leaf in leaves])
    generator, informed = np.random.default_rng(0), False
    with jax.ensure_compile_time_eval():
        for scale, step in POINTS:
            one, other = scale * generator.standard_normal((2, size))
            changed = generator.permutation(np.arange(size) % 2 == 1)
            first, second = (_prox(known, v, step, params, shapes) for v in (one, np.where(changed, 10 * other, one)))
            if first is None or second is None:
                return
            difference = np.abs(first - second)[~changed]
            if np.any(difference > ACCURACY * scale):
                raise ValueError(
                    f"the prox of {cls.__name__} couples coordinates: declare it with separable = False in the class"
                )
            informed |= bool(np.any((first != 0) & (np.abs(first - one) > ACCURACY * scale)))
    if informed:
        _TRIED.add(cls)


def _stand_in(leaf: Any) -> Any:
    return np.full(jnp.shape(leaf), 0.5, jnp.result_type(leaf)) if isinstance(leaf, Tracer) else leaf


def _prox(penalty: Penalty, v: np.ndarray, step: float, params: PyTree, shapes: list) -> np.ndarray | None:
    """``prox(v, step)`` as one vector; None where it does not apply to such parameters, which the call itself says."""
    ends = np.cumsum([int(np.prod(shape)) for shape, _ in shapes])
    parts = [jnp.asarray(part.reshape(shape), dtype) for part, (shape, dtype) in zip(np.split(v, ends[:-1]), shapes)]
    try:
        target = penalty.prox(jax.tree.unflatten(jax.tree.structure(params), parts), step)
        found = np.concatenate([np.ravel(np.asarray(leaf)) for leaf in jax.tree.leaves(target)])
    except (TypeError, ValueError, AttributeError):
        return None
    return found if found.shape == v.shape else None
