"""Certificates of many lanes: from the columns that decide, the same as from all."""

import importlib

import jax
import numpy as np
import pytest

import proxreg as pr
from proxreg.batch import PenaltyBatch
from proxreg.engine import Scales

certify = importlib.import_module("proxreg.engine.certify")  # the package has a function of that name


@pytest.mark.parametrize(
    "penalty",
    [
        pr.L1(1.0),
        pr.L1(1.0, positive=True),
        pr.ElasticNet(1.0, 0.3),
        pr.ElasticNet(1.0, 0.3, positive=True),
        pr.L2(1.0),
        pr.BoundedElasticNet(1.0, 0.5, -0.5, 1.0),
    ],
)
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_the_columns_that_decide_tell_as_much_as_all(monkeypatch, penalty, scale):
    rng = np.random.default_rng(0)
    lanes, p = 20, 70
    w = np.where(rng.random((lanes, p)) < 0.2, rng.uniform(0, 0.4, (lanes, p)), 0.0)
    w[0], w[1] = 0, 0.3  # none in use, and all
    g = scale * rng.standard_normal((lanes, p))
    g[2, 5] = np.nan
    g[3, np.flatnonzero(w[3])[0]] = 50.0  # the largest is in use
    family = PenaltyBatch(penalty, None, np.geomspace(2, 0.1, lanes), None)
    norms = rng.uniform(0.1, 3, p)
    scales = Scales(np.zeros(lanes, int), np.ones(lanes))
    found = []
    with jax.enable_x64(True):
        for large in (0, 1 << 30):
            monkeypatch.setattr(certify, "LARGE", large)
            found.append(certify.certify(family, scales, norms, w, g, np.ones(lanes)))
    for name, few, every in zip(found[0]._fields, *found):
        np.testing.assert_allclose(few, every, rtol=1e-12, atol=1e-15, err_msg=name)
