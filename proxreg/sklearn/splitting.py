"""Which rows estimators hold out, and what ``fit`` and ``score`` were given for the splitter and the scorer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing


class SplitsRows:
    """An estimator with ``cv``, whose ``fit`` hands metadata, groups for instance, on to the splitter."""

    cv: Any

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what ``fit`` takes besides X and y, and who asks for it; see scikit-learn's guide to routing."""
        return router(self)


def router(estimator: Any, scorer: Any = None, scored_by: Sequence[str] = ("fit",)) -> MetadataRouter:
    """Return what an estimator hands on: ``fit`` to its splitter, the methods ``scored_by`` to its scorer, if any."""
    routes = MetadataRouter(owner=estimator).add_self_request(estimator)
    to_split = MethodMapping().add(caller="fit", callee="split")
    routes.add(splitter=check_cv(estimator.cv), method_mapping=to_split)
    if scorer is None:
        return routes
    to_score = MethodMapping()
    for method in scored_by:
        to_score.add(caller=method, callee="score")
    return routes.add(scorer=scorer, method_mapping=to_score)


def route(estimator: Any, method: str, params: dict[str, Any], sample_weight: Any = None) -> Any:
    """Return ``splitter.split`` and ``scorer.score``: of what a method was given, what each of these asks for.

    Without scikit-learn's metadata routing weights go to the scorer, and nothing else is taken.
    """
    if sklearn.get_config()["enable_metadata_routing"]:
        return process_routing(estimator, method, sample_weight=sample_weight, **params)
    passed = [name for name, value in params.items() if value is not None]
    if passed:
        raise ValueError(
            f"{type(estimator).__name__}.{method} takes {', '.join(passed)} only with sklearn.set_config("
            "enable_metadata_routing=True): passing it is only supported if enable_metadata_routing=True; else pass "
            "cv=list(splitter.split(X, y, groups))"
        )
    score = {} if sample_weight is None else {"sample_weight": sample_weight}
    return Bunch(splitter=Bunch(split={}), scorer=Bunch(score=score))


def splits(
    estimator: Any, X: np.ndarray, y: np.ndarray, routed: Any, *, classifier: bool = False
) -> Sequence[tuple[Any, Any]]:
    """Return rows to fit on and rows to judge by, as ``cv`` of an estimator says, with what ``route`` has for it."""
    splitter: Any = check_cv(estimator.cv, y, classifier=classifier)
    return [(train, test) for train, test in splitter.split(X, y, **routed.splitter.split)]
