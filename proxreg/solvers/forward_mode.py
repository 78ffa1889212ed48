"""What loops of unknown length return: differentiable in forward mode, and an error that says so in reverse mode."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from proxreg._pytree import Array, PyTree


def forward_mode_only(tree: PyTree) -> PyTree:
    """Return the tree as it is; reverse-mode differentiation through it raises ValueError with what to do instead."""

    def leaf(x: Array) -> Array:
        return _identity.bind(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x

    return jax.tree.map(leaf, tree)


def _jvp(primals: tuple, tangents: tuple) -> tuple:
    ((x,), (t,)) = primals, tangents
    return _identity.bind(x), t if isinstance(t, ad.Zero) else _identity.bind(t)


def _transpose(cotangent: Any, x: Any) -> Any:
    raise ValueError(
        "reverse-mode differentiation (jax.grad, jax.vjp, jax.jacrev) cannot go through a solver that stops when it is "
        "done: pass unroll=True and a static max_steps, or use forward mode (jax.jvp, jax.jacfwd)"
    )


_identity = Primitive("forward_mode_only")
_identity.def_impl(lambda x: x)
_identity.def_abstract_eval(lambda x: x)
ad.primitive_jvps[_identity] = _jvp
ad.primitive_transposes[_identity] = _transpose
batching.primitive_batchers[_identity] = lambda args, axes: (_identity.bind(*args), axes[0])
mlir.register_lowering(_identity, lambda context, x: [x])
