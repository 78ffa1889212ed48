"""scikit-learn's linear models on proxreg's solvers: same names, same objectives, a duality gap; extra ``sklearn``."""

try:
    import sklearn.utils.validation as _validation

    _validation.validate_data  # noqa: B018
except (ImportError, AttributeError) as error:
    message = 'proxreg.sklearn needs scikit-learn 1.6 or newer: pip install "scikit-learn>=1.6"'
    raise ImportError(message) from error

from proxreg.sklearn.cross_validated import ElasticNetCV as ElasticNetCV
from proxreg.sklearn.cross_validated import LassoCV as LassoCV
from proxreg.sklearn.linear import ElasticNet as ElasticNet
from proxreg.sklearn.linear import Lasso as Lasso
from proxreg.sklearn.linear import Ridge as Ridge
from proxreg.sklearn.logistic import LogisticRegression as LogisticRegression
from proxreg.sklearn.logistic_cv import LogisticRegressionCV as LogisticRegressionCV
from proxreg.sklearn.poisson import PoissonRegressor as PoissonRegressor
from proxreg.sklearn.ridge_cv import RidgeCV as RidgeCV
