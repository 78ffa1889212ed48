"""The line that shows how far a long call is: what it says, and that nothing is left of it."""

import io

import jax
import numpy as np
import pytest

import proxreg as pr
from proxreg import _progress
from tests import problems

X, Y = problems.regression()


def said(monkeypatch, call):
    """What a call writes, every look of the line by itself."""
    monkeypatch.setattr(_progress, "PAUSE", 0.0)
    stream = io.StringIO()
    with pr.show_progress(stream):
        call()
    return stream.getvalue().split("\r")


@pytest.mark.filterwarnings("ignore:the best mean")
def test_folds_are_counted_and_nothing_is_left(monkeypatch):
    looks = said(monkeypatch, lambda: pr.cv_path(X, Y, folds=3, n_alphas=20, dtype="float64"))
    bars = [look.split(" s")[0].rsplit(" ", 1)[0] for look in looks if look.strip()]
    full = [f"[{'#' * k}{' ' * (24 - k)}] {k // 6}/4" for k in (0, 6, 12, 18)]
    assert bars == full
    assert looks[-2].strip() == looks[-1] == ""  # spaces over the last look, and the cursor at the start
    assert len(looks[-2]) >= max(map(len, looks))


def test_fits_and_samples_are_counted(monkeypatch):
    fits = said(monkeypatch, lambda: pr.fit_path(X, Y, n_alphas=40, dtype="float64", tol=1e-8))
    assert any("/40 " in look for look in fits)
    fits = said(monkeypatch, lambda: pr.fit_path(*problems.regression(40, 300), n_alphas=40, dtype="float64"))
    counts = [int(look.split("] ")[1].split("/")[0]) for look in fits if "/40 " in look]
    assert counts == sorted(counts)
    monkeypatch.setattr("proxreg.resampling.MOST", 1)
    options = {"key": jax.random.key(0), "num_samples": 3, "alphas": [0.1], "dtype": "float64"}
    samples = said(monkeypatch, lambda: pr.bootstrap(X, Y, **options))
    assert [look.split("] ")[1][:3] for look in samples if "/3 " in look] == ["1/3", "2/3"]


def test_a_line_is_erased_where_a_call_fails_and_is_rare(monkeypatch):
    def failing():
        for done in range(1000):
            _progress.report(done, 1000)
        raise ZeroDivisionError

    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError), pr.show_progress(stream):
        failing()
    assert stream.getvalue().startswith("\r[" + " " * 24 + "] 0/1000")
    assert stream.getvalue().endswith(" \r")
    monkeypatch.setattr(_progress, "PAUSE", np.inf)
    stream = io.StringIO()
    with pr.show_progress(stream):
        for done in range(1000):
            _progress.report(done, 1000)
    assert stream.getvalue().count("[") == 1


def test_without_it_nothing_is_said_and_by_default_it_is_stderr(capsys):
    pr.fit_path(X, Y, n_alphas=40, dtype="float64")
    assert capsys.readouterr().err == ""
    with pr.show_progress():
        _progress.report(1, 2)
    assert "1/2" in capsys.readouterr().err
