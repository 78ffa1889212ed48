"""scikit-learn's own checks of estimators, all of them."""

import os
import subprocess
import sys

import pytest
import sklearn
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

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


checks = parametrize_with_checks(ESTIMATORS)


# listed: some versions of scikit-learn hand on a generator, which pytest 9 deprecates
@pytest.mark.parametrize(checks.args[0], list(checks.args[1]), **checks.kwargs)
def test_estimator(estimator, check):
    check(estimator)


@pytest.mark.skipif(parse_version(sklearn.__version__) < parse_version("1.9"), reason="1.9 brought them")
def test_the_checks_that_need_a_setting_of_scipy():
    """Skipped above, one of each estimator: it counts at the import of scipy, so in a process of their own."""
    arguments = ["-m", "pytest", "-q", "-n0", __file__, "-k", "test_estimator and array_api"]
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PROXREG_TESTS": "full"}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert f"{len(ESTIMATORS)} passed" in done.stdout
    assert "skipped" not in done.stdout
