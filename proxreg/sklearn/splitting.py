"""Which rows estimators hold out: what ``cv`` says, with what ``fit`` was given for the splitter."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing


class SplitsRows:
    """An estimator with ``cv``, whose ``fit`` hands metadata, groups for instance, on to the splitter."""

    cv: Any

    def get_metadata_routing(self) -> MetadataRouter:
        """What ``fit`` takes besides X and y, and who asks for it; see scikit-learn's guide to metadata routing."""
        to_split = MethodMapping().add(caller="fit", callee="split")
        return (
            MetadataRouter(owner=self).add_self_request(self).add(splitter=check_cv(self.cv), method_mapping=to_split)
        )


def splits(
    estimator: Any, X: np.ndarray, y: np.ndarray, params: dict[str, Any], *, classifier: bool = False
) -> Sequence[tuple[Any, Any]]:
    """Rows to fit on and rows to judge by, as ``cv`` of an estimator says; ``params`` are for its splitter."""
    splitter: Any = check_cv(estimator.cv, y, classifier=classifier)
    given: dict[str, Any] = {}
    params = {name: value for name, value in params.items() if value is not None}
    if params:
        if not sklearn.get_config()["enable_metadata_routing"]:
            raise ValueError(
                f"{type(estimator).__name__}.fit takes {', '.join(params)} only with sklearn.set_config("
                "enable_metadata_routing=True); else pass cv=list(splitter.split(X, y, groups))"
            )
        given = process_routing(estimator, "fit", **params).splitter.split
    return [(train, test) for train, test in splitter.split(X, y, **given)]
