"""The report of the command line and what it says on the terminal."""

import io
import re
import sys
import time
import warnings

import jax
import numpy as np
import pytest

import proxreg as pr
from proxreg._cli.report import convergence, count, entering, path_table, spread
from proxreg._cli.terminal import progress, warnings_in_one_line
from proxreg._progress import listening
from proxreg.datasets import load_diabetes

DATA = load_diabetes()


def test_features_enter_in_the_order_of_the_first_alpha_then_of_size():
    coef = np.array([[0, 0, 0, 0, 0], [0, -1, 0, 3, 0], [5, 0, 0, 0, 0], [0, 0, 0, 1, 9]])
    assert entering(coef, np.ones(5)) == [3, 1, 0, 4]
    assert entering(coef, np.array([1, 4, 1, 1, 1])) == [1, 3, 0, 4]


def test_a_narrow_table_counts_the_names_that_do_not_fit():
    names = [f"a long name of a feature {j}" for j in range(10)]
    path = pr.fit_path(*DATA[:2], l1_ratio=[0.01], n_alphas=3, standardize=True, feature_names=names)
    for width in (20, 100):
        table = path_table(path, DATA.X, DATA.y, width=width).splitlines()
        assert re.search(r"a long name of a feature \d and \d more$", table[2])
        assert max(map(len, table)) <= 100


def test_columns_that_overflow_have_no_spread():
    X = np.array([[1e308, 1.0, 5.0], [-1e308, 3.0, 5.0]])
    np.testing.assert_array_equal(spread(X), [0, 1, 0])


def test_one_thing_is_no_plural():
    assert [count(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


def test_certificates_are_called_what_they_are():
    X, y, _ = DATA
    loss = pr.Custom(lambda eta, y: (eta - y) ** 2 / 2)  # no dual of it is known
    path = pr.fit_path(X, y, alphas=[3.0, 1.0], standardize=True, dtype=np.float64, loss=loss)
    assert convergence(path).startswith("2 of 2 converged, worst relative violation of the optimality conditions")
    path = pr.fit_path(X, y, alphas=[3.0], standardize=True, dtype=np.float64)
    assert (
        convergence(path)
        == f"1 of 1 converged, worst certified gap {path.gap[0]:.1e} of the loss of the intercept alone"
    )


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_shows_the_stage_on_a_terminal_and_is_erased(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("proxreg._cli.terminal._PATIENCE", 0.01)

    def work():
        deadline = time.monotonic() + 10
        while "reading data.csv ... 0." not in terminal.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        raise KeyError

    with pytest.raises(KeyError), progress("reading data.csv"):
        work()
    assert "reading data.csv ... 0." in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_progress_is_silent_where_there_is_no_terminal(capsys):
    with progress("fitting"):
        pass
    assert capsys.readouterr() == ("", "")


def test_only_warnings_for_users_are_shown(capsys):
    with warnings_in_one_line():
        warnings.warn("two\n  lines", pr.DataWarning, stacklevel=1)
        warnings.warn("about the code", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "proxreg: warning: two lines\n"


def test_progress_shows_how_many_folds_are_done(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("proxreg._cli.terminal._PATIENCE", 0.001)
    with progress("fitting"):
        pr.cv_path(*DATA[:2], n_alphas=60, standardize=True, dtype="float64")
        deadline = time.monotonic() + 10
        while "[########################] 6/6" not in terminal.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "fitting [########################] 6/6 " in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_listener_hears_of_every_part_and_of_nothing_afterwards():
    heard = []
    options = {"key": jax.random.key(0), "alphas": [1.0], "num_samples": 3, "standardize": True}
    with listening(lambda *parts: heard.append(parts)):
        pr.cv_path(*DATA[:2], n_alphas=60, standardize=True, folds=3, dtype="float64")
        assert heard == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
        pr.bootstrap(*DATA[:2], **options)
    assert heard[5:] == [(0, 1), (1, 1), (3, 3)]  # the fit on all rows, then the samples
    pr.bootstrap(*DATA[:2], **options)
    assert len(heard) == 8
