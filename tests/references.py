"""NumPy references of the penalties, written naively in float64 and sharing nothing with the library.

``terms`` functions take ``w`` with any leading batch axes and return summands: their sum over the axes that remain is
the penalty's value. ``*_dual_prox(y, s, ...)`` is ``argmin_z f*(z) + ||z - y||^2 / (2 s)`` with ``f*`` the conjugate.
"""

import numpy as np


def zero(w):
    """0."""
    return np.zeros_like(w)


def zero_dual_prox(y, s):
    """The conjugate allows 0 only."""
    return np.zeros_like(y)


def elastic_net(w, l1, l2, positive=False):
    """``l1 |w| + l2/2 w^2``; the lasso has l2 = 0, ridge l1 = 0."""
    terms = l1 * np.abs(w) + 0.5 * l2 * w**2
    return np.where(w < 0, np.inf, terms) if positive else terms


def elastic_net_dual_prox(y, s, l1, l2, positive=False):
    """The conjugate is ``(|y| - l1)_+^2 / (2 l2)``: nothing happens within l1, beyond it the excess is shrunk."""
    excess = (y if positive else np.abs(y)) - l1
    side = 1.0 if positive else np.sign(y)
    return np.where(excess <= 0, y, side * (l1 + excess * l2 / (l2 + s)))


def groups(w, labels, strengths):
    """``strength_g ||w_g||``, one column per label."""
    flat = w.reshape(*w.shape[: w.ndim - labels.ndim], -1)
    members = [flat[..., labels.ravel() == g] for g in range(len(strengths))]
    return np.stack([c * np.sqrt(np.sum(m**2, axis=-1)) for c, m in zip(strengths, members)], axis=-1)


def groups_dual_prox(y, s, labels, strengths):
    """Projection of each group onto the ball of radius ``strength_g``."""
    projected = y.reshape(len(y), -1).copy()
    for row in projected:
        for g, radius in enumerate(strengths):
            norm = np.linalg.norm(row[labels.ravel() == g])
            if norm > radius:
                row[labels.ravel() == g] *= radius / norm
    return projected.reshape(y.shape)


def box(w, lower, upper):
    """0 within the bounds, else infinite."""
    return np.where((w < lower) | (w > upper), np.inf, 0.0)


def box_dual_prox(y, s, lower, upper):
    """The conjugate is ``max(lower y, upper y)``: a soft threshold with two different slopes."""
    return np.where(y > s * upper, y - s * upper, np.where(y < s * lower, y - s * lower, 0.0))


def bounded_elastic_net(w, l1, l2, lower, upper):
    """The elastic net within the bounds, else infinite."""
    return elastic_net(w, l1, l2) + box(w, lower, upper)


def bounded_elastic_net_dual_prox(y, s, l1, l2, lower, upper):
    """What is left of y when the primal minimiser of ``f(u) + s/2 (u - y/s)^2`` is taken away, s times."""
    u = np.sign(y) * np.maximum(np.abs(y) - l1, 0) / (l2 + s)
    return y - s * np.minimum(np.maximum(u, lower), upper)
