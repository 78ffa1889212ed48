"""The group lasso: ``pen(w) = alpha sum_g weight_g ||w_g||_2``; whole groups become zero together.

Yuan and Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68. They weigh a
group by the root of its size; here a weight is 1 unless given: pass ``weights=jnp.sqrt(jnp.bincount(groups))``.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, concrete, pytree_dataclass, static
from proxreg._static_fields import register_static
from proxreg.penalties import _numerics as nm
from proxreg.penalties.base import Penalty, binds


class Groups:
    """An integer label per coordinate, hashable so that ``jit`` can treat the grouping as structure."""

    def __init__(self, labels: ArrayLike):
        known = concrete(labels)
        if known is None or not np.issubdtype(known.dtype, np.integer) or known.size == 0 or known.min() < 0:
            raise ValueError(f"groups must be an array of integer labels >= 0, known outside jit, got {labels!r}")
        self.labels = known.astype(np.int32)
        self.count = int(known.max()) + 1
        self._key = (known.shape, self.labels.tobytes())
        self._hash = hash(self._key)

    def __eq__(self, other):
        return isinstance(other, Groups) and self._key == other._key

    def __hash__(self):
        return self._hash

    def __repr__(self):
        return f"Groups({self.labels.size} coordinates in {self.count} groups)"


register_static("groups", Groups, lambda groups: groups.labels.tolist(), lambda labels: Groups(np.asarray(labels)))


class _Layout(NamedTuple):
    """How entries map to groups: reductions to one value per group, back, and how many entries each has."""

    largest: Any
    total: Any
    spread: Any
    size: Any


def _layout(shape: tuple[int, ...], groups: Groups | ArrayLike | None, axis: int | tuple[int, ...] | None) -> _Layout:
    if groups is None:
        axis = tuple(range(len(shape))) if axis is None else axis
        for a in np.atleast_1d(axis):
            if not -len(shape) <= a < len(shape):
                raise ValueError(f"axis {a} is out of range for an array of shape {shape}")

        def spread(per_group):
            return jnp.expand_dims(per_group, axis) if jnp.ndim(per_group) else per_group

        size = int(np.prod([shape[a] for a in np.atleast_1d(np.asarray(axis, int))]))
        return _Layout(lambda x: jnp.max(x, axis=axis, initial=0.0), lambda x: jnp.sum(x, axis=axis), spread, size)
    groups = groups if isinstance(groups, Groups) else Groups(groups)
    if groups.labels.shape != shape:
        raise ValueError(f"groups have shape {groups.labels.shape}, the parameters {shape}: pass one label per entry")
    labels, count = groups.labels.ravel(), groups.count
    return _Layout(
        lambda x: jnp.maximum(jax.ops.segment_max(x.ravel(), labels, count), 0),
        lambda x: jax.ops.segment_sum(x.ravel(), labels, count),
        lambda per_group: per_group[groups.labels] if jnp.ndim(per_group) else per_group,
        np.bincount(labels, minlength=count),
    )


def _norm(v: Array, layout: _Layout) -> Array:
    return nm.group_norm(v, layout.largest, layout.spread, layout.total)


def _strength(norm: Array, alpha: ArrayLike, weights: ArrayLike | None) -> Array:
    """``alpha weight_g``: a scalar, or one entry per group."""
    _, alpha, weights = nm.operands(norm, alpha, 1.0 if weights is None else weights)
    if weights.ndim and weights.shape != norm.shape:
        raise ValueError(f"weights has shape {weights.shape}, expected {norm.shape}: one per group")
    if alpha.ndim:  # an array of strengths is for vmap, inside which each is a scalar
        raise ValueError(f"alpha must be a scalar here, got shape {alpha.shape}; pass weights= for one per group")
    return nm.times(alpha, weights)


def value(w: ArrayLike, alpha: ArrayLike, *, groups=None, axis=None, weights: ArrayLike | None = None) -> Array:
    """``alpha sum_g weight_g ||w_g||_2``.

    >>> print(value(jnp.array([3.0, 4.0, 5.0]), 1.0, groups=jnp.array([0, 0, 1])))
    10.0
    """
    (w,) = nm.operands(w)
    norm = _norm(w, _layout(w.shape, groups, axis))
    return jnp.sum(nm.times(_strength(norm, alpha, weights), norm))


def prox(
    v: ArrayLike, step: ArrayLike, alpha: ArrayLike, *, groups=None, axis=None, weights: ArrayLike | None = None
) -> Array:
    """Block soft threshold ``v_g max(1 - step alpha weight_g / ||v_g||, 0)``.

    ``step`` is a scalar, or like ``v`` and constant within each group (otherwise there is no closed form and the
    answer is wrong). Groups below the threshold are exactly +0.0, with derivative 0.

    >>> print(prox(jnp.array([3.0, 4.0, 0.5]), 1.0, 1.0, groups=jnp.array([0, 0, 1])))
    [2.4 3.2 0. ]
    """
    x, step = nm.operands(v, step)
    layout = _layout(x.shape, groups, axis)
    norm = _norm(x, layout)
    if step.ndim:  # one per group, whether it comes broadcast or not
        step = layout.largest(step if groups is None and step.ndim == x.ndim else jnp.broadcast_to(step, x.shape))
    tau = nm.scaled(step, _strength(norm, alpha, weights))
    dead = (norm <= tau) & (tau > 0)
    scale = jnp.where(dead, 0, 1 - tau / jnp.where(dead | (norm == 0), 1, norm))
    return nm.like(jnp.where(layout.spread(dead), 0, x * layout.spread(scale)), v)


def subgradient(
    w: ArrayLike, alpha: ArrayLike, grad: ArrayLike = 0.0, *, groups=None, axis=None, weights: ArrayLike | None = None
) -> Array:
    """``grad + alpha weight_g w_g / ||w_g||``; where ``w_g = 0``, ``grad_g`` shrunk as a block."""
    x, grad = nm.operands(w, grad)
    layout = _layout(x.shape, groups, axis)
    grad = jnp.broadcast_to(grad, x.shape)
    norm = _norm(x, layout)
    strength = _strength(norm, alpha, weights)
    direction = x / layout.spread(jnp.where(norm == 0, 1, norm))
    zero = layout.spread(norm == 0)
    at_zero = prox(grad, 1.0, alpha, groups=groups, axis=axis, weights=weights)
    return nm.like(jnp.where(zero, at_zero, grad + layout.spread(strength) * direction), w)


def conjugate(u: ArrayLike, alpha: ArrayLike, *, groups=None, axis=None, weights: ArrayLike | None = None) -> Array:
    """0 where every ``||u_g|| <= alpha weight_g`` up to rounding, else infinite."""
    (u,) = nm.operands(u)
    norm = _norm(u, _layout(u.shape, groups, axis))
    bound = _strength(norm, alpha, weights)
    return jnp.where(jnp.all(norm <= nm.slack(bound)), 0, jnp.inf).astype(norm.dtype)


def dual_scale(
    w: ArrayLike, grad: ArrayLike, alpha: ArrayLike, *, groups=None, axis=None, weights: ArrayLike | None = None
) -> Array:
    """``min_g min(1, alpha weight_g / ||grad_g||)``; NaN where an unpenalised group has a gradient."""
    (g,) = nm.operands(grad)
    norm = _norm(g, _layout(g.shape, groups, axis))
    bound = _strength(norm, alpha, weights)
    return jnp.min(nm.dual_ratio(norm, bound), initial=1.0)


def alpha_max(grad: ArrayLike, alpha: ArrayLike, *, groups=None, axis=None, weights: ArrayLike | None = None) -> Array:
    """``max_g ||grad_g|| / (alpha weight_g)``."""
    (g,) = nm.operands(grad)
    norm = _norm(g, _layout(g.shape, groups, axis))
    bound = _strength(norm, alpha, weights)
    return nm.critical_ratio(norm, bound)


@binds(value, prox, subgradient, conjugate, dual_scale, alpha_max)
@pytree_dataclass
class GroupLasso(Penalty):
    """``alpha sum_g weight_g ||w_g||_2``: keeps or drops whole groups.

    Groups are given by ``groups``, one integer label >= 0 per entry (members need not be adjacent, labels may be
    unused), or by ``axis``: the norm runs over that axis, so each index of the other axes is a group (``axis=0`` on a
    dense kernel drops whole units). With neither, all entries form one group. ``weights`` has one entry per label, or
    the shape that is left after reducing over ``axis``; 1 if not given (Yuan and Lin use the root of the group's size).

    Wrong on weights in front of batch normalisation, which undoes their size: the norms of all units fall alike,
    whatever the units contribute. Penalise the scale behind it, by L1 (docs/pitfalls.md).

    >>> import jax.numpy as jnp, proxreg as pr
    >>> pen = pr.GroupLasso(1.0, groups=[0, 0, 1])
    >>> print(pen.prox(jnp.array([3.0, 4.0, 0.5]), 1.0))
    [2.4 3.2 0. ]
    """

    separable = False

    alpha: ArrayLike = 1.0
    groups: Groups | ArrayLike | None = static(default=None)
    axis: int | tuple[int, ...] | None = static(default=None)
    weights: ArrayLike | None = None

    def __post_init__(self):
        nm.require_nonnegative(alpha=self.alpha, weights=self.weights)
        if self.groups is not None:
            if self.axis is not None:
                raise ValueError("pass groups= or axis=, not both")
            groups = self.groups if isinstance(self.groups, Groups) else Groups(self.groups)
            object.__setattr__(self, "groups", groups)
            if self.weights is not None and np.shape(self.weights) not in ((), (groups.count,)):
                raise ValueError(
                    f"weights has shape {np.shape(self.weights)}, expected ({groups.count},): one per group label"
                )
        elif isinstance(self.axis, list):
            object.__setattr__(self, "axis", tuple(self.axis))

    def is_valid(self) -> Array:
        """Return whether all parameters are in their ranges."""
        return nm.nonnegative(self.alpha, self.weights)

    def group_norms(self, w: Array) -> Array:
        """``||w_g||`` for each group that has a member, in the order of their labels or of the other axes."""
        (x,) = nm.operands(w)
        norm = _norm(x, _layout(x.shape, self.groups, self.axis))
        return norm[np.unique(self.groups.labels)] if isinstance(self.groups, Groups) else norm.ravel()

    def pull(self, w: Array) -> Array:
        """``alpha weight_g / sqrt(size_g)``, what each entry of a group bears on average; 0 where it is infinite."""
        (x,) = nm.operands(w)
        layout = _layout(x.shape, self.groups, self.axis)
        strength = _strength(layout.largest(jnp.abs(x)), self.alpha, self.weights)
        each = strength / np.sqrt(np.maximum(layout.size, 1)).astype(strength.dtype)
        return layout.spread(jnp.where(jnp.isinf(each), 0, each))

    def metric(self, curvature: Array) -> Array:
        """The largest curvature of each group, in a shape that broadcasts: with it, prox has its closed form."""
        layout = _layout(curvature.shape, self.groups, self.axis)
        return layout.spread(layout.largest(curvature))
