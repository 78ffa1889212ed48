"""Check what users hand to ``solve_path``, and bring it into one shape."""

import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, concrete
from proxreg.models import LinearModel, Quadratic
from proxreg.penalties import Penalty


class Starts(NamedTuple):
    w0: Any  # None, parameters, or with the lanes' axis in front
    own: bool


def read_grid(
    penalty: Any, alphas: ArrayLike, l1_ratio: ArrayLike | None
) -> tuple[Array, Array | None, tuple[int, ...]]:
    """Return alphas ``(R, K)``, l1_ratios ``(R,)`` or None, and the leading axes of the answer."""
    if not isinstance(penalty, Penalty) or not hasattr(penalty, "alpha"):
        raise ValueError(f"solve_path needs a penalty with an alpha, such as pr.L1(), got {penalty!r}")
    alphas = _numbers("alphas", alphas, np.inf)
    if l1_ratio is None:
        if alphas.ndim != 1 or not alphas.size:
            raise ValueError(f"alphas must be (K,), or (R, K) with l1_ratio (R,); got {alphas.shape} without l1_ratio")
        return alphas[None], None, alphas.shape
    if not hasattr(penalty, "l1_ratio"):
        raise ValueError(
            f"{type(penalty).__name__} has no l1_ratio; pass a penalty that has one, such as pr.ElasticNet()"
        )
    ratios = _numbers("l1_ratio", l1_ratio, 1.0)
    fits = ratios.ndim <= 1 and alphas.shape[:-1] in ((), ratios.shape) and alphas.ndim and alphas.size and ratios.size
    if not fits:
        raise ValueError(f"l1_ratio must be (R,) and alphas (K,) or (R, K), got {ratios.shape} and {alphas.shape}")
    shape = *ratios.shape, alphas.shape[-1]
    return jnp.broadcast_to(alphas, shape).reshape(-1, shape[-1]), ratios.reshape(-1), shape


def read_width(working_set: Any) -> int:
    """Return the width of a working set as a Python number: it is part of the program."""
    try:
        width = operator.index(working_set)
    except TypeError:
        width = 0
    if width < 1:
        raise ValueError(f"working_set must be a number of columns, at least 1, or None; got {working_set!r}")
    return width


def _numbers(name: str, values: ArrayLike, most: float) -> Array:
    try:
        array = jnp.asarray(values, jnp.result_type(float))
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got {values!r}") from None
    known = concrete(array)
    if known is not None and not np.all((known >= 0) & (known <= most)):
        raise ValueError(f"{name} must be >= 0" + ("" if np.isinf(most) else f" and <= {most:g}") + f", got {values!r}")
    return array


def read_starts(smooth: LinearModel | Quadratic, w0: Any, shape: tuple[int, ...]) -> Starts:
    """Return ``w0`` with one axis of lanes, or without, and which of them it is."""
    if w0 is None:
        return Starts(None, False)
    pair = isinstance(smooth, LinearModel) and smooth.fit_intercept
    if pair != (isinstance(w0, tuple) and len(w0) == 2):
        raise ValueError(f"w0 must be {'pr.Coefficients(coef, intercept)' if pair else 'an array of coefficients'}")
    size = smooth.parameters(None).shape
    coef, intercept = w0 if pair else (w0, 0.0)
    found = np.shape(coef), np.shape(intercept)
    shared, own = (size, ()), ((*shape, *size), shape if pair else ())
    if found not in (shared, own):
        raise ValueError(f"w0 must have coefficients of shape {shared[0]}, or {own[0]} for each lane; got {found[0]}")
    parameters = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.result_type(float)), w0)
    if found == shared:
        return Starts(parameters, False)
    return Starts(jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[len(shape) :]), parameters), True)
