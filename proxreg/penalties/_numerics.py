"""Arithmetic that every penalty shares: dtypes, safe norms, and the two one-dimensional L1 maps."""

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, concrete


def operands(x: ArrayLike, *others: ArrayLike) -> tuple[Array, ...]:
    """``x`` in the precision to compute in, and the other arrays in the same one.

    Half precision is computed in float32 (a threshold of 1e-4 times a step of 1e-3 is no number there);
    a wider parameter never widens ``x``.
    """
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        x = x.astype(float)
    if jnp.finfo(x.dtype).bits < 32:
        x = x.astype(jnp.float32)
    with np.errstate(over="ignore"):  # a strength beyond the type is infinite there
        return x, *(_as(x.dtype, other) for other in others)


def _as(dtype, other: ArrayLike) -> Array:
    other = jnp.asarray(other)
    if not jnp.issubdtype(other.dtype, jnp.complexfloating):
        dtype = jnp.finfo(dtype).dtype
    return other.astype(dtype)


def like(result: Array, x: ArrayLike) -> Array:
    """The result in the dtype of the input, integers excepted, with +0.0 for -0.0 (which underflow leaves too)."""
    dtype = jnp.asarray(x).dtype
    result = result.astype(dtype) if jnp.issubdtype(dtype, jnp.inexact) else result
    return result - jnp.where(result == 0, jax.lax.stop_gradient(result), 0)


def times(strength: Array, size: Array) -> Array:
    """``strength * size`` with ``inf * 0 = 0``: an infinite strength forbids everything but zero."""
    return jnp.where(jnp.isinf(strength) & (size == 0), 0, strength) * size


def scaled(step: Array, strength: Array) -> Array:
    """Return ``step * strength``, with the limits at both infinities.

    Infinite where the strength is, even at step 0: what it forbids stays forbidden. 0 where the strength is, even at an
    infinite step: nothing is penalised.
    """
    return jnp.where(jnp.isinf(strength), jnp.inf, times(step, strength))


def ridge_gradient(gradient: Array, l2: Array, w: Array) -> Array:
    """``gradient + l2 w``; 0 where an infinite strength holds ``w`` at zero against any gradient."""
    return jnp.where(jnp.isinf(l2) & (w == 0), 0, gradient + times(l2, w))


def soft_threshold(v: Array, tau: Array, positive: bool = False) -> Array:
    """``sign(v) max(|v| - tau, 0)``, or ``max(v - tau, 0)``; +0.0 where it is zero, NaN where an input is.

    Written with ``<=`` so that NaN fails the comparison and survives, and with a literal zero so that no -0.0
    arises and the derivative is 0 on the whole of ``|v| <= tau``, both kinks included; ``tau = 0`` is the
    identity, derivative 1 at zero as well.
    """
    if positive:
        require_real(v, "positive=True")
        return jnp.where(v <= tau, 0, v - tau)
    if jnp.iscomplexobj(v):
        size = safe_abs(v)
        small = (size <= tau) & (tau > 0)
        return jnp.where(small, 0, v * (1 - tau / jnp.where(small | (size == 0), 1, size)))
    return jnp.where((jnp.abs(v) <= tau) & (tau > 0), 0, v - jnp.sign(v) * tau)


def l1_residual(w: Array, gradient: Array, alpha: Array, positive: bool = False) -> Array:
    """Smallest element of ``gradient + alpha * subdifferential(|w|)``; infinite outside the domain."""
    if positive:
        at_zero = jnp.where(gradient + alpha >= 0, 0, gradient + alpha)
        inside = jnp.where(w == 0, at_zero, gradient + alpha)
        return jnp.where(w >= 0, inside, jnp.where(w < 0, jnp.inf, w))
    if jnp.iscomplexobj(w):
        size = safe_abs(w)
        away = gradient + alpha * (w / jnp.where(size == 0, 1, size))
    else:
        away = gradient + alpha * jnp.sign(w)
    return jnp.where(w == 0, soft_threshold(gradient, alpha), away)


def safe_abs(z: Array) -> Array:
    """``|z|`` with derivative 0 at 0, where JAX has 1 for real numbers and NaN for complex ones."""
    zero = z == 0
    return jnp.where(zero, 0, jnp.abs(jnp.where(zero, 1, z)))


def slack(bound: Array) -> Array:
    """A bound widened by rounding: what a dual point scaled onto the bound may exceed it by."""
    return bound * (1 + 8 * jnp.finfo(bound.dtype).eps)


def dual_ratio(size: Array, bound: Array) -> Array:
    """Per entry, the largest factor in [0, 1] that brings ``size`` within ``bound``; NaN where none does."""
    fits = size <= bound
    reachable = (bound > 0) | jnp.isnan(size)
    return jnp.where(fits, 1, jnp.where(reachable, bound / jnp.where(fits, 1, size), jnp.nan))


def nearly_ridge(l1: Array, l2: Array, gradient: Array, w: Array) -> Array:
    """Return where rounding of ``gradient + l2 w``, which vanishes for ridge, hides whether it is within ``l1``.

    A dual point scaled by ``l1 / |gradient + l2 w|`` says nothing there: at the solution it is anything from 0 to 1.
    """
    size = safe_abs(gradient) + times(l2, safe_abs(w))
    return (l2 > 0) & ((l1 == 0) | (l1 <= jnp.finfo(l1.dtype).eps ** 0.5 * size))


def critical_ratio(size: Array, bound: Array) -> Array:
    """Largest ``size / bound`` over entries that are penalised at all (``bound > 0``)."""
    ratio = jnp.where(bound > 0, size / jnp.where(bound > 0, bound, 1), 0)
    return jnp.max(ratio, initial=0.0)


def require_nonnegative(**values: ArrayLike) -> None:
    """Raises where a concrete parameter is negative or NaN; traced ones cannot be read and pass."""
    for name, value in values.items():
        known = concrete(value)
        if known is None:
            continue
        if not (jnp.issubdtype(known.dtype, jnp.floating) or jnp.issubdtype(known.dtype, jnp.integer)):
            raise ValueError(f"{name} must be a number or an array of numbers, got {value!r}")
        if not np.all(known >= 0):
            raise ValueError(f"{name} must be >= 0, got {_worst(known, known >= 0)}")


def require_unit_interval(**values: ArrayLike) -> None:
    """Raises where a concrete parameter lies outside [0, 1]."""
    for name, value in values.items():
        known = concrete(value)
        inside = None if known is None else (known >= 0) & (known <= 1)
        if known is not None and not np.all(inside):
            raise ValueError(f"{name} must lie in [0, 1], got {_worst(known, inside)}")


def require_real(x: Array, what: str) -> None:
    """Raise where parameters are complex, which have no order."""
    if jnp.iscomplexobj(x):
        raise ValueError(f"{what} needs real parameters, got {x.dtype}")


def nonnegative(*values: ArrayLike | None) -> Array:
    """Return whether every entry is >= 0, which NaN is not: the check of traced parameters, lane by lane."""
    return _all(jnp.all(jnp.asarray(value) >= 0) for value in values if value is not None)


def in_unit_interval(*values: ArrayLike) -> Array:
    """Return whether every entry lies in [0, 1]."""
    return _all(jnp.all((jnp.asarray(value) >= 0) & (jnp.asarray(value) <= 1)) for value in values)


def _all(conditions: Iterable[Array]) -> Array:
    return functools.reduce(jnp.logical_and, conditions, jnp.asarray(True))


def _worst(known: np.ndarray, good) -> str:
    if known.ndim == 0:
        return f"{known.item():g}"
    at = tuple(int(i) for i in np.argwhere(~good)[0])
    return f"{known[at]:g} at index {', '.join(map(str, at))}"


def group_norm(v: Array, largest, spread, total) -> Array:
    """Euclidean norm per group, without overflow, with derivative 0 at 0.

    ``largest`` and ``total`` reduce entries to groups, ``spread`` sends a value per group back to its entries.
    """
    peak = jax.lax.stop_gradient(largest(jnp.abs(v)))
    plain = (peak > 0) & jnp.isfinite(peak)
    unit = jnp.where(plain, peak, 1)
    squares = total(jnp.square(jnp.abs(v / spread(unit))))
    return jnp.where(plain, unit * jnp.sqrt(jnp.where(plain, squares, 1)), peak)
