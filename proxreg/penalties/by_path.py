"""A penalty for a whole tree of parameters: each leaf takes the one whose pattern its path matches."""

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, PyTree, pytree_dataclass, static, tree_sum
from proxreg.penalties.base import Penalty
from proxreg.penalties.zero import Zero


def path_name(path: Any) -> str:
    """A path as people write it, ``encoder/dense_1/kernel``; empty for a tree that is one array.

    A last attribute ``value``, by which flax.nnx's variables hold their arrays, is left out.
    """
    if path and path[-1] == jax.tree_util.GetAttrKey("value"):
        path = path[:-1]
    return jax.tree_util.keystr(path, simple=True, separator="/")


@contextlib.contextmanager
def at_leaf(path: Any) -> Iterator[None]:
    """Adds the leaf's path to the message of a ``ValueError``."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"at {path_name(path) or 'the only parameter'}: {error}") from error


def by_path(rules: Iterable[tuple[str, Penalty | None]], default: Penalty | None = None) -> "ByPath":
    r"""A penalty for a tree of parameters, from ``(regex, penalty)`` pairs; None leaves a parameter unpenalised.

    ``pen(params) = sum over leaves of pen_leaf(leaf)``. A regex is searched (``re.search``) in the short path of each
    leaf, ``dense_1/kernel`` or ``layers/0/weight``; if it is found in none, in the paths as ``jax.tree_util.keystr``
    writes them, ``['dense_1']['kernel']`` or ``.layers[0].weight``. Leaves without a match take ``default``.
    Works for any pytree whose nodes name their children: dicts, tuples, dataclasses, flax and equinox modules.

    A group penalty along an axis drops whole units: ``GroupLasso(alpha, axis=0)`` the columns of a dense kernel
    ``(inputs, units)``, ``axis=(0, 1, 2)`` the output channels of a convolution ``(height, width, inputs, channels)``,
    ``axis=(0, 2)`` the heads of a projection ``(inputs, heads, size)``.

    To leave parameters unpenalised, give them None, or no rule, and wrap nothing in ``optax.masked``: around an
    optimiser that makes the raw gradients of what is masked out its updates (docs/pitfalls.md).

    A regex that matches no leaf, a leaf that two match, or a penalty that does not fit the shape of its leaf (an axis
    out of range) is a ``ValueError`` when the penalty first meets the parameters, in ``init`` of a transformation.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> params = {"dense": {"kernel": jnp.array([[3.0, 0.1], [4.0, 0.2]]), "bias": jnp.array([0.1, 0.2])}}
    >>> pen = pr.by_path([("kernel", pr.GroupLasso(1.0, axis=0))])
    >>> print(pen.prox(params, 1.0)["dense"]["kernel"])
    [[2.4 0. ]
     [3.2 0. ]]
    """
    pairs = list(rules)
    for pair in pairs:
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ValueError(f"rules must be pairs (regex, penalty or None), got {pair!r}")
        try:
            re.compile(pair[0])
        except re.error as error:
            raise ValueError(f"{pair[0]!r} is not a regular expression: {error}") from None
    named = [(f"the penalty of {pattern!r}", penalty) for pattern, penalty in pairs]
    for name, penalty in [*named, ("default", default)]:
        if not (penalty is None or (isinstance(penalty, Penalty) and not isinstance(penalty, ByPath))):
            raise ValueError(f"{name} must be a penalty such as proxreg.L1(1e-4), or None, got {penalty!r}")
    return ByPath(tuple(pattern for pattern, _ in pairs), tuple(penalty for _, penalty in pairs), default)


@pytree_dataclass
class ByPath(Penalty):
    """What ``by_path`` returns: ``sum over leaves of pen_leaf(leaf)``, every method leaf by leaf."""

    patterns: tuple[str, ...] = static(default=())
    penalties: tuple[Penalty | None, ...] = ()
    default: Penalty | None = None

    @property
    def separable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether every penalty in it is."""
        return all(penalty is None or penalty.separable for penalty in (*self.penalties, self.default))

    def is_valid(self) -> Array:
        """Return whether every penalty in it is valid."""
        parts = [part.is_valid() for part in (*self.penalties, self.default) if part is not None]
        return jnp.all(jnp.stack([*parts, jnp.asarray(True)]))

    def per_leaf(self, tree: PyTree) -> list[Penalty]:
        """The penalty of each leaf, ``Zero()`` where there is none."""
        return [penalty for _, penalty in self._assigned(tree)]

    def value(self, w: PyTree) -> Array:
        """``sum over leaves of pen_leaf(leaf)``."""
        return tree_sum(self._each("value", w))

    def prox(self, v: PyTree, step: ArrayLike) -> PyTree:
        """The prox of each leaf; ``step`` a scalar, or a tree like ``v``."""
        return self._mapped("prox", v, step)

    def subgradient(self, w: PyTree, grad: PyTree = 0.0) -> PyTree:
        """The smallest subgradient of each leaf."""
        return self._mapped("subgradient", w, grad)

    def residual(self, w: PyTree, grad: PyTree, scale: ArrayLike | None = None) -> PyTree:
        """Return the residual of each leaf, ``scale`` being the size of gradients that count."""
        return self._mapped("residual", w, grad, scale)

    def conjugate(self, u: PyTree) -> Array:
        """The sum of the leaves' conjugates."""
        return tree_sum(self._each("conjugate", u))

    def dual_scale(self, w: PyTree, grad: PyTree) -> Array:
        """The smallest factor of the leaves."""
        return jnp.min(jnp.stack(self._each("dual_scale", w, grad)))

    def dual_value(self, w: PyTree, grad: PyTree, scale: ArrayLike) -> Array:
        """The sum over leaves."""
        return tree_sum(self._each("dual_value", w, grad, scale))

    def alpha_max(self, grad: PyTree) -> Array:
        """The largest over the leaves that are penalised."""
        penalised = [(p, g) for p, g in zip(self.per_leaf(grad), jax.tree.leaves(grad)) if not isinstance(p, Zero)]
        return jnp.max(jnp.stack([p.alpha_max(g) for p, g in penalised] or [jnp.zeros(())]))

    def metric(self, curvature: PyTree) -> PyTree:
        """The diagonal of each leaf."""
        return self._mapped("metric", curvature)

    def pull(self, w: PyTree) -> PyTree:
        """The bound of each leaf."""
        return self._mapped("pull", w)

    def _each(self, method: str, tree: PyTree, *others: Any) -> list[Any]:
        structure = jax.tree.structure(tree)
        found = []
        same = [jax.tree.leaves(o) if jax.tree.structure(o) == structure else None for o in others]
        for i, ((path, penalty), leaf) in enumerate(zip(self._assigned(tree), jax.tree.leaves(tree))):
            arguments = [other if column is None else column[i] for other, column in zip(others, same)]
            with at_leaf(path):
                found.append(getattr(penalty, method)(leaf, *arguments))
        return found

    def _mapped(self, method: str, tree: PyTree, *others: Any) -> PyTree:
        return jax.tree.unflatten(jax.tree.structure(tree), self._each(method, tree, *others))

    def _assigned(self, tree: PyTree) -> list[tuple[Any, Penalty]]:
        # a node without children stands for a parameter that is masked out: its path counts as matched, it has no leaf
        nodes = jax.tree_util.tree_leaves_with_path(tree, is_leaf=lambda x: not jax.tree.leaves(x))
        found = [_matches(pattern, [path for path, _ in nodes]) for pattern in self.patterns]
        assigned = []
        for k, (path, node) in enumerate(nodes):
            matching = [i for i, matches in enumerate(found) if matches[k]]
            if len(matching) > 1:
                both = " and ".join(repr(self.patterns[i]) for i in matching)
                raise ValueError(f"{path_name(path)} is matched by {both}: narrow one, so that each leaf has one rule")
            if jax.tree.leaves(node):
                assigned.append((path, (self.penalties[matching[0]] if matching else self.default) or Zero()))
        for pattern, matches in zip(self.patterns, found):
            if not any(matches):
                raise ValueError(_unmatched(pattern, [path_name(path) for path, _ in nodes]))
        return assigned


def _matches(pattern: str, paths: list[Any]) -> list[bool]:
    """Which of the paths a pattern matches; one spelling for all, or a negative pattern would match in the other."""
    for spelling in (path_name, jax.tree_util.keystr):
        found = [re.search(pattern, spelling(path)) is not None for path in paths]
        if any(found):
            return found
    return [False] * len(paths)


def _unmatched(pattern: str, names: list[str]) -> str:
    """The message for a pattern without a match: the paths nearest to its letters first."""
    words = re.sub(r"\\.|[^\w/]+", "", pattern)

    def likeness(name):
        parts = [name, *name.split("/")]
        return max(difflib.SequenceMatcher(None, words, part).ratio() for part in parts)

    near = sorted(names, key=likeness, reverse=True)[:3]
    return f"the pattern {pattern!r} matches no parameter; the nearest are {', '.join(near) or 'none at all'}"
