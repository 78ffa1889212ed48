"""proxreg: the regularisation layer of JAX.

Exact zeros in optax, whole grids of penalised linear models in one call, and a duality gap that certifies each fit.

    minimise over (b, w)   (1/S) sum_i s_i loss(y_i, o_i + b + x_i . w)  +  penalty(w),    S = sum_i s_i

>>> import proxreg as pr
>>> X, y, names = pr.datasets.load_diabetes()
>>> cv = pr.cv_path(X, y, standardize=True, feature_names=names, n_alphas=50, min_ratio=1e-2, dtype="float64")
>>> print([name for name, w in zip(names, cv.coef("1se")) if w], bool(cv.path.gap.max() <= 1e-4))
['sex', 'bmi', 'bp', 's3', 's5', 's6'] True

Where to begin, each with ``help(pr.fit_path)`` and the like:

* a grid of models: ``fit_path``, ``cv_path``, ``ridge_cv``, ``information_criterion``; one model: ``fit``
* what they return: ``Path``, ``CVPath``, ``Fit``, with ``.predict``, ``.table``, ``.at(alpha)``, ``.plot``, ``.save``;
  ``load`` reads what was saved, and ``show_progress`` tells how far a long call is
* how sure a selection is: ``stability_selection``, ``bootstrap``, ``relax``, ``adaptive``
* neural networks with optax: ``proximal``, ``proximal_adam``, ``by_path``, ``sparsity``, ``prune``
* under jit and vmap: a path in one call, ``solve_path``; solvers ``fista``, ``coordinate_descent``, which can be
  differentiated; penalties such as ``L1``, ``GroupLasso``
* scikit-learn's estimators: ``proxreg.sklearn``; pictures: ``proxreg.plotting``

The README, the notebooks and ``python -m proxreg --help`` show each of them at work.
"""

from proxreg import datasets as datasets
from proxreg._core import enable_compilation_cache as enable_compilation_cache
from proxreg._progress import show_progress as show_progress
from proxreg._pytree import pytree_dataclass as pytree_dataclass
from proxreg._warnings import ConvergenceWarning as ConvergenceWarning
from proxreg._warnings import DataWarning as DataWarning
from proxreg.adaptation import adaptive as adaptive
from proxreg.batch import solve_path as solve_path
from proxreg.bootstrapping import Bootstrap as Bootstrap
from proxreg.bootstrapping import bootstrap as bootstrap
from proxreg.conversion import convert as convert
from proxreg.criteria import Criterion as Criterion
from proxreg.criteria import information_criterion as information_criterion
from proxreg.cv_result import CVPath as CVPath
from proxreg.losses import Custom as Custom
from proxreg.losses import Huber as Huber
from proxreg.losses import Logistic as Logistic
from proxreg.losses import Loss as Loss
from proxreg.losses import Poisson as Poisson
from proxreg.losses import Squared as Squared
from proxreg.models import Coefficients as Coefficients
from proxreg.models import LinearModel as LinearModel
from proxreg.models import Quadratic as Quadratic
from proxreg.path import alpha_max as alpha_max
from proxreg.path import fit as fit
from proxreg.path import fit_path as fit_path
from proxreg.penalties import L1 as L1
from proxreg.penalties import L2 as L2
from proxreg.penalties import BoundedElasticNet as BoundedElasticNet
from proxreg.penalties import Box as Box
from proxreg.penalties import ByPath as ByPath
from proxreg.penalties import ElasticNet as ElasticNet
from proxreg.penalties import GroupLasso as GroupLasso
from proxreg.penalties import NonNegative as NonNegative
from proxreg.penalties import Penalty as Penalty
from proxreg.penalties import Zero as Zero
from proxreg.penalties import bounded_elastic_net as bounded_elastic_net
from proxreg.penalties import box as box
from proxreg.penalties import by_path as by_path
from proxreg.penalties import elastic_net as elastic_net
from proxreg.penalties import group_lasso as group_lasso
from proxreg.penalties import l1 as l1
from proxreg.penalties import l2 as l2
from proxreg.penalties import non_negative as non_negative
from proxreg.penalties import zero as zero
from proxreg.relaxation import relax as relax
from proxreg.results import Fit as Fit
from proxreg.results import Path as Path
from proxreg.ridge import ridge_cv as ridge_cv
from proxreg.selection import cv_path as cv_path
from proxreg.serialization import load as load
from proxreg.solvers import Result as Result
from proxreg.solvers import Status as Status
from proxreg.solvers import coordinate_descent as coordinate_descent
from proxreg.solvers import fista as fista
from proxreg.stability import Stability as Stability
from proxreg.stability import stability_selection as stability_selection
from proxreg.transforms import Sparsity as Sparsity
from proxreg.transforms import adam_euclidean_prox as adam_euclidean_prox
from proxreg.transforms import add_subgradient as add_subgradient
from proxreg.transforms import debias as debias
from proxreg.transforms import decoupled_shrinkage as decoupled_shrinkage
from proxreg.transforms import ftrl as ftrl
from proxreg.transforms import gradient_mapping as gradient_mapping
from proxreg.transforms import proximal as proximal
from proxreg.transforms import proximal_adagrad as proximal_adagrad
from proxreg.transforms import proximal_adam as proximal_adam
from proxreg.transforms import proximal_lion as proximal_lion
from proxreg.transforms import proximal_sgd as proximal_sgd
from proxreg.transforms import prune as prune
from proxreg.transforms import rda as rda
from proxreg.transforms import sparsity as sparsity

__all__ = [
    "L1",
    "L2",
    "Bootstrap",
    "BoundedElasticNet",
    "Box",
    "ByPath",
    "CVPath",
    "Coefficients",
    "ConvergenceWarning",
    "Criterion",
    "Custom",
    "DataWarning",
    "ElasticNet",
    "Fit",
    "GroupLasso",
    "Huber",
    "LinearModel",
    "Logistic",
    "Loss",
    "NonNegative",
    "Path",
    "Penalty",
    "Poisson",
    "Quadratic",
    "Result",
    "Sparsity",
    "Squared",
    "Stability",
    "Status",
    "Zero",
    "adam_euclidean_prox",
    "adaptive",
    "add_subgradient",
    "alpha_max",
    "bootstrap",
    "bounded_elastic_net",
    "box",
    "by_path",
    "convert",
    "coordinate_descent",
    "cv_path",
    "datasets",
    "debias",
    "decoupled_shrinkage",
    "elastic_net",
    "enable_compilation_cache",
    "fista",
    "fit",
    "fit_path",
    "ftrl",
    "gradient_mapping",
    "group_lasso",
    "information_criterion",
    "l1",
    "l2",
    "load",
    "non_negative",
    "proximal",
    "proximal_adagrad",
    "proximal_adam",
    "proximal_lion",
    "proximal_sgd",
    "prune",
    "pytree_dataclass",
    "rda",
    "relax",
    "ridge_cv",
    "show_progress",
    "solve_path",
    "sparsity",
    "stability_selection",
    "zero",
]


def __dir__() -> list[str]:
    """Return the public names: what completion offers, without the modules that they come from."""
    return __all__
