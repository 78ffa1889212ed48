"""Penalties of one form on the same coefficients, that differ in strength: one to each lane."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, replace
from proxreg.batch.buckets import filled
from proxreg.penalties import L1, L2, BoundedElasticNet, ElasticNet, Penalty


class PenaltyBatch(NamedTuple):
    """The template with each lane's alpha, times a factor per column, and l1_ratio in its fields' place."""

    template: Penalty
    factor: Any  # (p,) multiplies alpha, or None
    alpha: Any  # (L,)
    l1_ratio: Any  # (L,), or None: the template's own

    def lanes(self, chosen: Any) -> "PenaltyBatch":
        """The lanes with these numbers, in that order."""
        ratio = None if self.l1_ratio is None else self.l1_ratio[chosen]
        return self._replace(alpha=self.alpha[chosen], l1_ratio=ratio)

    def columns(self, chosen: np.ndarray, p: int, size: int) -> "PenaltyBatch":
        """The penalties of these of p columns, and of ``size - chosen.size`` further ones that stay at zero."""
        at = filled(chosen, size)

        def leaf(x):
            return np.asarray(x)[at] if np.shape(x) == (p,) else x

        return self._replace(template=jax.tree.map(leaf, self.template), factor=leaf(self.factor))

    @property
    def l1(self) -> np.ndarray:
        """The strength ``(L,)`` of the l1 part, of a column with factor 1."""
        if isinstance(self.template, L2):
            return np.zeros_like(np.asarray(self.alpha))
        ratio = getattr(self.template, "l1_ratio", 1.0) if self.l1_ratio is None else self.l1_ratio
        ratio = np.asarray(ratio)
        return np.asarray(self.alpha) * (ratio if self.l1_ratio is not None or ratio.ndim == 0 else 1.0)

    @property
    def is_sparse(self) -> bool:
        """Return whether every lane keeps coefficients at zero, one by one."""
        return self.template.separable and bool(np.all(self.l1 > 0))

    def limits(self, p: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper ones of p coefficients."""
        template: Any = self.template
        if isinstance(template, BoundedElasticNet):
            given = template.lower, template.upper
        else:
            given = 0.0 if getattr(template, "positive", False) else -np.inf, np.inf
        lower, upper = (np.broadcast_to(np.asarray(limit, dtype), p) for limit in given)
        return lower, upper

    def penalties(self) -> Penalty:
        """All of them as one pytree, every leaf with the lane axis in front."""
        return jax.vmap(self.penalty)(self.alpha, self.l1_ratio)

    def penalty(self, alpha: Array, ratio: Array | None) -> Penalty:
        """One of them; serves inside ``jit``."""
        own = {} if ratio is None else {"l1_ratio": ratio}
        return replace(self.template, alpha=strength(alpha, self.factor), **own)


def is_plain(template: Penalty) -> bool:
    """Return whether a penalty has an l1 and an l2 part, and nothing else."""
    return isinstance(template, (L1, L2, ElasticNet)) and not getattr(template, "positive", False)


def strength(alpha: Array, factor: ArrayLike | None) -> Array:
    """Alpha times a factor per column; an infinite factor stays infinite where alpha is 0."""
    return alpha if factor is None else jnp.where(jnp.isinf(factor), jnp.inf, alpha * factor)
