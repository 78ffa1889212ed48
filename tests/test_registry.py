"""Every exported penalty, loss and solver has a case, so that every property test sees it."""

import pytest

import proxreg as pr
from tests import cases


def exported(module, base):
    """The classes that a module exports and that derive from ``base``, itself excepted."""
    found = (getattr(module, name) for name in dir(module) if not name.startswith("_"))
    return {x for x in found if isinstance(x, type) and issubclass(x, base) and x is not base}


def without_case(module, base, instances):
    """Names of the exported classes of which there is no instance."""
    return sorted(cls.__name__ for cls in exported(module, base) - {type(instance) for instance in instances})


def test_every_penalty_has_a_case():
    assert without_case(pr, pr.Penalty, [case.penalty for case in cases.PENALTIES]) == []


def test_every_loss_has_a_case():
    assert without_case(pr, pr.Loss, [case.loss for case in cases.LOSSES]) == []


def test_a_missing_case_is_noticed():
    assert {pr.Squared, pr.Custom} <= exported(pr, pr.Loss)
    assert without_case(pr, pr.Loss, [case.loss for case in cases.LOSSES if case.id != "poisson"]) == ["Poisson"]
    assert {pr.L1, pr.GroupLasso} <= exported(pr, pr.Penalty)
    assert without_case(pr, pr.Penalty, [case.penalty for case in cases.PENALTIES if case.id != "zero"]) == ["Zero"]


@pytest.mark.parametrize("registry", ["PENALTIES", "LOSSES", "SOLVERS"])
def test_ids_are_distinct(registry):
    ids = [case.id for case in getattr(cases, registry)]
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("case", cases.PENALTIES, ids=lambda case: case.id)
def test_separability_is_declared(case):
    assert case.penalty.separable == case.separable
