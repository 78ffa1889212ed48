"""The registries that every property test runs over: a new penalty, loss or solver adds its entries here."""

import dataclasses
from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np
from scipy import special, stats

import proxreg as pr
from tests import references as ref


@dataclasses.dataclass(frozen=True)
class PenaltyCase:
    """A penalty with what is known about it independently of the library."""

    id: str
    penalty: pr.Penalty
    terms: Callable[[np.ndarray], np.ndarray]  # NumPy, batched: summands of the value
    dual_prox: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None  # NumPy: prox of the conjugate, if convex
    shape: tuple[int, ...] = (6,)  # of the parameters
    blocks: np.ndarray | None = None  # label per entry: entries with the same label interact; None: none do
    radius: Callable[[np.ndarray], np.ndarray] | None = None  # step -> block norm up to which prox is zero, per entry
    faces: tuple[np.ndarray, ...] = ()  # where prox has kinks whatever the step
    domain: Callable[[np.ndarray], np.ndarray] = np.asarray  # projects w onto where the value is finite
    convex: bool = True
    homogeneous: bool = False  # value(c w) = c value(w) for c > 0
    odd: bool = True  # prox(-v) = -prox(v)

    @property
    def separable(self) -> bool:
        """Whether each coordinate stands alone."""
        return self.blocks is None

    @property
    def labels(self) -> np.ndarray:
        """A label per entry; entries with the same label interact."""
        return np.arange(np.prod(self.shape)).reshape(self.shape) if self.blocks is None else self.blocks

    def value(self, w: np.ndarray) -> np.ndarray:
        """The penalty of each element of a batch."""
        terms = self.terms(w)
        return terms.reshape(*w.shape[: w.ndim - len(self.shape)], -1).sum(-1)

    def block_norms(self, v: np.ndarray) -> np.ndarray:
        """For each entry the Euclidean norm of its block, for a batch ``(B, *shape)``."""
        flat, labels = v.reshape(len(v), -1), self.labels.ravel()
        return np.stack([np.linalg.norm(flat[:, labels == b], axis=1) for b in labels], 1).reshape(v.shape)

    def kinks(self, step: float) -> list[np.ndarray]:
        """Points v at which prox is not differentiable in any penalised coordinate."""
        if self.radius is None:
            return [np.broadcast_to(face, self.shape) for face in self.faces]
        size = np.array([np.sum(self.labels == b) for b in self.labels.ravel()]).reshape(self.shape)
        edge = np.broadcast_to(self.radius(np.asarray(step)), self.shape) / np.sqrt(size)
        return [edge, -edge] if self.odd else [edge]


def _net(id, penalty, alpha, l1_ratio, positive=False):
    l1, l2 = np.multiply(alpha, l1_ratio), np.multiply(alpha, 1 - np.asarray(l1_ratio))
    return PenaltyCase(
        id,
        penalty,
        terms=partial(ref.elastic_net, l1=l1, l2=l2, positive=positive),
        dual_prox=partial(ref.elastic_net_dual_prox, l1=l1, l2=l2, positive=positive),
        radius=(lambda step: step * l1) if positive or np.any(l1) else None,
        domain=partial(np.maximum, 0.0) if positive else np.asarray,
        homogeneous=not np.any(l2),
        odd=not positive,
    )


def _l1(id, alpha, positive=False):
    return _net(id, pr.L1(alpha, positive), alpha, 1.0, positive)


def _elastic_net(id, alpha, l1_ratio, positive=False):
    return _net(id, pr.ElasticNet(alpha, l1_ratio, positive), alpha, l1_ratio, positive)


def _l2(id, alpha):
    return _net(id, pr.L2(alpha), alpha, 0.0)


def _group_lasso(id, alpha, labels, weights=None, given=None):
    """``given`` are the arguments that make the library see the grouping ``labels``; groups=labels if None."""
    labels = np.asarray(labels)
    strengths = alpha * np.broadcast_to(1.0 if weights is None else np.ravel(weights), (labels.max() + 1,))
    return PenaltyCase(
        id,
        pr.GroupLasso(alpha, **({"groups": labels} if given is None else given), weights=weights),
        terms=partial(ref.groups, labels=labels, strengths=strengths),
        dual_prox=partial(ref.groups_dual_prox, labels=labels, strengths=strengths),
        shape=labels.shape,
        blocks=labels,
        radius=lambda step: step * strengths[labels],
        homogeneous=True,
    )


def _box(id, lower, upper, penalty=None):
    faces = tuple(np.where(np.isfinite(bound), bound, 0.1) for bound in (lower, upper))
    return PenaltyCase(
        id,
        pr.Box(lower, upper) if penalty is None else penalty,
        terms=partial(ref.box, lower=lower, upper=upper),
        dual_prox=partial(ref.box_dual_prox, lower=lower, upper=upper),
        faces=faces,
        domain=partial(np.clip, a_min=lower, a_max=upper),
        odd=bool(np.all(np.asarray(lower) == -np.asarray(upper))),
    )


def _bounded(id, alpha, l1_ratio, lower, upper):
    l1, l2 = np.multiply(alpha, l1_ratio), np.multiply(alpha, 1 - np.asarray(l1_ratio))
    both = {"l1": l1, "l2": l2, "lower": lower, "upper": upper}
    return PenaltyCase(
        id,
        pr.BoundedElasticNet(alpha, l1_ratio, lower, upper),
        terms=partial(ref.bounded_elastic_net, **both),
        dual_prox=partial(ref.bounded_elastic_net_dual_prox, **both),
        faces=tuple(np.where(np.isfinite(bound), bound, 0.1) for bound in (lower, upper)),
        domain=partial(np.clip, a_min=lower, a_max=upper),
        odd=bool(np.all(np.asarray(lower) == -np.asarray(upper))),
    )


def _by_path(id, of, wrap):
    """What a case of the registry is as a penalty by path."""
    (case,) = [case for case in PENALTIES if case.id == of]
    return dataclasses.replace(case, id=id, penalty=wrap(case.penalty))


_ALPHAS = np.array([0.3, 0.0, 1.2, 0.7, 2.0, 0.1])
_RATIOS = np.array([0.3, 0.5, 1.0, 0.0, 0.9, 0.1])
_LOWER = np.array([-1.0, 0.0, -np.inf, 0.4, -0.3, -2.0])
_UPPER = np.array([1.0, 0.8, 0.2, np.inf, -0.1, -2.0])
_BELOW = np.array([-1.0, 0.0, -np.inf, -0.4, -0.1, -2.0])
_ABOVE = np.array([1.0, 0.8, 0.2, np.inf, 0.3, 0.0])
_COLUMNS = np.broadcast_to(np.arange(3), (4, 3))
_ROWS = np.broadcast_to(np.arange(4)[:, None], (4, 3))
_CHANNELS = np.broadcast_to(np.arange(3)[:, None], (2, 3, 2))

PENALTIES: list[PenaltyCase] = [
    PenaltyCase("zero", pr.Zero(), ref.zero, ref.zero_dual_prox, homogeneous=True),
    _l1("l1", 0.7),
    _l1("l1-coordinates", _ALPHAS),
    _l1("l1-none", 0.0),
    _l1("l1-positive", 0.7, positive=True),
    _l1("l1-positive-coordinates", _ALPHAS, positive=True),
    _l2("l2", 0.8),
    _l2("l2-coordinates", _ALPHAS),
    _l2("l2-none", 0.0),
    _elastic_net("elastic_net", 0.9, 0.3),
    _elastic_net("elastic_net-ridge", 0.9, 0.0),
    _elastic_net("elastic_net-lasso", 0.9, 1.0),
    _elastic_net("elastic_net-coordinates", _ALPHAS, _RATIOS),
    _elastic_net("elastic_net-none", 0.0, 0.3),
    _elastic_net("elastic_net-positive", 0.9, 0.3, positive=True),
    _elastic_net("elastic_net-positive-ridge", 0.9, 0.0, positive=True),
    _group_lasso("group_lasso-whole", 0.7, np.zeros(6, int), given={}),
    _group_lasso("group_lasso-none", 0.0, np.array([0, 0, 1, 1, 1, 2])),
    _group_lasso("group_lasso-contiguous", 0.7, np.array([0, 0, 1, 1, 1, 2])),
    _group_lasso("group_lasso-scattered", 0.7, np.array([3, 0, 2, 0, 3, 3]), np.array([0.5, 9.0, 1.7, 1.1])),
    _group_lasso("group_lasso-unpenalised", 0.7, np.array([1, 0, 2, 0, 1, 1]), np.array([0.5, 0.0, 1.7])),
    _group_lasso("group_lasso-singles", 0.7, np.array([2, 0, 1, 5, 4, 3]), np.array([0.2, 1.0, 1.7, 0.6, 1.1, 3.0])),
    _group_lasso("group_lasso-labelled-kernel", 0.7, np.array([[0, 1], [1, 2], [2, 0]]), np.array([0.5, 1.0, 2.0])),
    _group_lasso("group_lasso-columns", 0.7, _COLUMNS, np.array([0.5, 1.7, 1.0]), given={"axis": 0}),
    _group_lasso("group_lasso-rows", 0.7, _ROWS, given={"axis": -1}),
    _group_lasso("group_lasso-axes", 0.7, _CHANNELS, np.array([1.0, 0.6, 1.4]), given={"axis": (0, 2)}),
    _box("non_negative", 0.0, np.inf, pr.NonNegative()),
    _box("box", -0.5, 1.2),
    _box("box-symmetric", -0.5, 0.5),
    _box("box-coordinates", _LOWER, _UPPER),
    _box("box-from-below", 0.3, np.inf),
    _box("box-from-above", -np.inf, 0.4),
]
PENALTIES += [
    _bounded("bounded_elastic_net", 0.9, 0.3, -0.5, 1.2),
    _bounded("bounded_elastic_net-lasso", 0.9, 1.0, -0.5, 0.5),
    _bounded("bounded_elastic_net-ridge", 0.9, 0.0, -0.5, np.inf),
    _bounded("bounded_elastic_net-free", 0.9, 0.3, -np.inf, np.inf),
    _bounded("bounded_elastic_net-coordinates", _ALPHAS, _RATIOS, _BELOW, _ABOVE),
]
PENALTIES += [  # a tree that is one array takes its rule, or the default
    _by_path("by_path", "l1", lambda penalty: pr.by_path([("", penalty)])),
    _by_path("by_path-default", "group_lasso-columns", lambda penalty: pr.by_path([], default=penalty)),
]


@dataclasses.dataclass(frozen=True)
class LossCase:
    """A loss with what is known about it independently of the library."""

    id: str
    loss: pr.Loss
    y: Callable[[np.random.Generator, int], np.ndarray]  # valid responses (n,), extreme ones among them
    value: Callable[[np.ndarray, np.ndarray], np.ndarray]  # NumPy, of (eta, y)
    eta: tuple[float, float] = (-5.0, 5.0)  # where to test


def _counts(rng, n):
    return np.where(np.arange(n) % 4 == 0, 0, rng.poisson(3.0, n)).astype(float)


def _log_pmf(eta, y):
    """Half the Poisson deviance as a difference of two log-likelihoods."""
    return stats.poisson.logpmf(y, y) - stats.poisson.logpmf(y, np.exp(eta))


LOSSES: list[LossCase] = [
    LossCase("squared", pr.Squared(), lambda rng, n: rng.normal(size=n), lambda eta, y: 0.5 * (y - eta) ** 2),
    LossCase(
        "logistic",
        pr.Logistic(),
        lambda rng, n: rng.permutation(np.arange(n) % 2).astype(float),
        lambda eta, y: -stats.bernoulli.logpmf(y.astype(int), special.expit(eta)),
    ),
    LossCase("huber", pr.Huber(), lambda rng, n: rng.normal(size=n), lambda eta, y: special.huber(1.345, eta - y)),
    LossCase(
        "huber-small", pr.Huber(0.2), lambda rng, n: rng.normal(size=n), lambda eta, y: special.huber(0.2, eta - y)
    ),
    LossCase("poisson", pr.Poisson(), _counts, _log_pmf, (-4.0, 3.0)),
    LossCase(
        "custom",
        pr.Custom(lambda eta, y: jnp.logaddexp(eta - y, y - eta) - np.log(2.0)),
        lambda rng, n: rng.normal(size=n),
        lambda eta, y: np.log(np.cosh(eta - y)),
    ),
]


@dataclasses.dataclass(frozen=True)
class SolverCase:
    """A solver with what it can take."""

    id: str
    solve: Callable
    any_penalty: bool = False  # non-separable ones too
    any_function: bool = False  # of any pytree of parameters


SOLVERS: list[SolverCase] = [
    SolverCase("fista", pr.fista, any_penalty=True, any_function=True),
    SolverCase("coordinate_descent", pr.coordinate_descent),
]
