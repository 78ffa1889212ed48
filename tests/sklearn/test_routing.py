"""scikit-learn's metadata routing: splitters and scorers get what they ask for, and nothing goes unasked."""

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone as unfitted
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import accuracy_score, get_scorer, make_scorer, r2_score
from sklearn.model_selection import GroupKFold

import proxreg.sklearn as ps
from tests.sklearn.shared import WEIGHTS, X, Y, named, sk

clone: Any = unfitted
LABELS = np.where(Y > 140, "high", "low")
SCORED = [
    (ps.LogisticRegressionCV(Cs=[0.1, 10.0], cv=3), LABELS, accuracy_score),
    (ps.RidgeCV(cv=3), Y, r2_score),
    (ps.RidgeCV(), Y, r2_score),
]
scored = pytest.mark.parametrize(("model", "y", "metric"), SCORED, ids=named)


@scored
@pytest.mark.parametrize("asks", [True, False])
def test_a_scorer_gets_weights_if_it_asks(model, y, metric, asks):
    seen = []

    def record(truth, prediction, sample_weight=None):
        seen.append(sample_weight)
        return metric(truth, prediction, sample_weight=sample_weight)

    with sklearn.config_context(enable_metadata_routing=True):
        scorer: Any = make_scorer(record)
        scorer = scorer.set_score_request(sample_weight=asks)
        clone(model).set_params(scoring=scorer).fit(X, y, sample_weight=WEIGHTS)
    assert seen
    for weights in seen:
        assert (weights is not None) == asks
        assert not asks or set(weights) <= set(WEIGHTS)


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9),
    reason="before scikit-learn 1.9 its own estimators pass by in silence what nobody has said anything about",
)
@scored
def test_what_nobody_said_about_raises(model, y, metric):
    with sklearn.config_context(enable_metadata_routing=True):
        silent = clone(model).set_params(scoring=make_scorer(metric))
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            silent.fit(X, y, sample_weight=WEIGHTS)
        silent.fit(X, y)
        with pytest.raises(TypeError, match="unexpected argument"):
            clone(model).fit(X, y, colour=WEIGHTS)


@pytest.mark.parametrize(
    "model",
    [*(model for model, _, _ in SCORED), ps.LassoCV(), ps.ElasticNetCV(), ps.RidgeCV(scoring="r2")],
    ids=named,
)
def test_the_same_routes(model):
    names = [name for name in ("cv", "scoring") if name in model.get_params()]
    options = {name: model.get_params()[name] for name in names}
    with sklearn.config_context(enable_metadata_routing=True):
        theirs = getattr(sk, type(model).__name__)(**options).get_metadata_routing()
        ours = model.get_metadata_routing()
    assert set(ours._route_mappings) == set(theirs._route_mappings)
    for name, pair in theirs._route_mappings.items():
        assert str(ours._route_mappings[name].mapping) == str(pair.mapping)
        one, other = ours._route_mappings[name].router, pair.router
        if name == "scorer":
            assert str(one) == str(other)


def test_ridges_own_choice_is_weighted():
    with sklearn.config_context(enable_metadata_routing=True):
        routed = ps.RidgeCV(cv=3).fit(X, Y, sample_weight=WEIGHTS)
        theirs = sk.RidgeCV(cv=3).fit(X, Y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(routed.best_score_, theirs.best_score_, rtol=1e-8)
    assert routed.best_score_ == ps.RidgeCV(cv=3).fit(X, Y, sample_weight=WEIGHTS).best_score_


def test_a_score_on_other_rows():
    model = ps.LogisticRegressionCV(Cs=[1.0], cv=3, scoring="accuracy").fit(X, LABELS)
    known = accuracy_score(LABELS, model.predict(X), sample_weight=WEIGHTS)
    assert model.score(X, LABELS, sample_weight=WEIGHTS) == known
    with sklearn.config_context(enable_metadata_routing=True):
        asking: Any = get_scorer("accuracy")
        model.set_params(scoring=asking.set_score_request(sample_weight=True))
        assert model.score(X, LABELS, sample_weight=WEIGHTS) == known
        model.set_params(scoring=asking.set_score_request(sample_weight=False))
        assert model.score(X, LABELS, sample_weight=WEIGHTS) == model.score(X, LABELS)


def test_weights_and_groups_together():
    groups = np.arange(len(Y)) % 4
    with sklearn.config_context(enable_metadata_routing=True):
        asking: Any = get_scorer("neg_log_loss")
        asking = asking.set_score_request(sample_weight=True)
        options: dict[str, Any] = {"Cs": [0.1, 10.0], "cv": GroupKFold(4), "scoring": asking}
        both = {"sample_weight": WEIGHTS, "groups": groups}
        ours = ps.LogisticRegressionCV(**options).fit(X, LABELS, **both)
        new: dict[str, Any] = {"l1_ratios": (0.0,), "use_legacy_attributes": False}
        theirs = sk.LogisticRegressionCV(**options, **new, tol=1e-8).fit(X, LABELS, **both)
    np.testing.assert_allclose(ours.scores_, theirs.scores_, rtol=1e-5)
