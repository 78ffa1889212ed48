"""scikit-learn's own checks of estimators, all of them; it skips one of each itself, unless SCIPY_ARRAY_API is set."""

from sklearn.utils.estimator_checks import parametrize_with_checks

import proxreg.sklearn as ps

ESTIMATORS = [
    ps.Lasso(),
    ps.Lasso(alpha=0.01, positive=True),
    ps.ElasticNet(alpha=0.1),
    ps.Ridge(),
    ps.LassoCV(),
    ps.ElasticNetCV(),
    ps.RidgeCV(),
    ps.LogisticRegression(),
    ps.LogisticRegressionCV(Cs=[1.0], cv=3),  # each number of strengths is a program, for each number of rows
    ps.PoissonRegressor(),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimator(estimator, check):
    check(estimator)
