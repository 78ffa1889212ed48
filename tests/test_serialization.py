"""Files hold every number of a fit exactly, run no code, and are told from any other."""

import dataclasses
import io
import json
import pickle
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg import serialization
from tests import problems

# grids here are short, and end where they like
pytestmark = pytest.mark.filterwarnings("ignore:.*the best mean")

X, Y = problems.regression()
SEVERAL = np.stack([Y, X[:, 3] - Y], axis=1)
NAMES = ("age", "bmi", "é ü", "", "x\ny", "None", "json", "array_0")
OPTIONS: Any = {"alphas": [0.3, 0.0], "dtype": "float64", "feature_names": NAMES}
LABELS = {
    "text": np.where(Y > 0, "ill", "well"),
    "numbers": np.where(Y > 0, 7, 3),
    "truth": Y > 0,
    "bytes": np.where(Y > 0, b"a", b"b"),
}


def same(a: Any, b: Any, where: str = "") -> None:
    """Requires equal numbers, types and structure, down to the fields of penalties."""
    if isinstance(a, (np.ndarray, np.generic)) or hasattr(a, "devices"):
        a = np.asarray(a)
        assert a.dtype == np.asarray(b).dtype, where
        np.testing.assert_array_equal(a, np.asarray(b), err_msg=where)
        assert a.tobytes() == np.asarray(b).tobytes(), where  # signs of zeros, and NaN
    elif dataclasses.is_dataclass(a):
        assert type(a) is type(b), where
        for field in dataclasses.fields(a):
            same(getattr(a, field.name), getattr(b, field.name), f"{where}.{field.name}")
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, tuple):
        assert type(a) is type(b), where
        assert len(a) == len(b), where
        for k, pair in enumerate(zip(a, b)):
            same(*pair, f"{where}[{k}]")
    elif hasattr(a, "labels"):
        same(a.labels, b.labels, where)
    else:
        assert type(a) is type(b), where
        assert a == b or (a != a and b != b), where


def results():
    """Results of every kind, loss and penalty."""
    groups = pr.GroupLasso(1.0, groups=[0, 0, 1, 1, 2, 2, 2, 3], weights=jnp.array([1.0, 2.0, 0.5, 1.0]))
    yield "path", pr.fit_path(X, Y, **OPTIONS)
    yield "single", pr.fit_path(X.astype(np.float32), Y, alphas=[0.1], max_features=8)
    yield "grid", pr.fit_path(X, Y, l1_ratio=[0.5, 1.0], positive=True, standardize=True, **OPTIONS)
    yield "limits", pr.fit_path(X, Y, upper=np.r_[np.inf, np.linspace(0.1, 1, 7)], exclude=[1], **OPTIONS)
    yield "groups", pr.fit_path(X, Y, penalty=groups, alphas=[0.2])
    yield "huber", pr.fit_path(X, Y, loss=pr.Huber(0.5), offset=Y / 2, sample_weight=Y**2 + 1, alphas=[0.2])
    yield "fit", pr.fit(X, Y, penalty=pr.ElasticNet(0.1, 0.5), penalty_factor=np.r_[np.inf, 0.5, np.ones(6)])
    yield "tree", pr.fit(X, Y, penalty=pr.by_path([("", pr.L2(0.1))]))
    yield "box", pr.fit(X, Y, penalty=pr.Box(-0.0, jnp.float32(0.5)))
    cv = pr.cv_path(X, SEVERAL, l1_ratio=[0.5, 1.0], **OPTIONS)
    yield from (("cv", cv), ("model", cv.model("1se")), ("ridge", pr.ridge_cv(X, Y)), ("relaxed", pr.relax(cv)))
    for kind, labels in LABELS.items():
        yield kind, pr.fit_path(X, labels, loss="logistic", alphas=[0.1])
    yield "pairs", pr.cv_path(X, np.stack([Y > 0, Y > 1], axis=1), loss="logistic", alphas=[0.1, 0.05], folds=2)
    yield "counts", pr.fit_path(X, np.round(np.exp(Y)), loss="poisson", alphas=[0.1])


def test_a_file_gives_everything_back(tmp_path):
    made = list(results())
    for number, (kind, result) in enumerate(made):
        file = tmp_path / f"{number} of a kind"  # no .npz is added
        result.save(file if number % 2 else str(file))
        with open(file, "rb") as handle:
            assert type(pr.load(handle)) is type(result)
        again = pr.load(file if number % 2 else str(file))
        without = pickle.loads(pickle.dumps(result))  # which leaves out the data as well
        same(without, again, kind)
        assert repr(again) == repr(result)
        offset = np.zeros(60) if kind == "huber" else None
        np.testing.assert_array_equal(again.predict(X, offset=offset), result.predict(X, offset=offset))
    assert len(list(tmp_path.iterdir())) == len(made)


def test_what_needs_the_data_asks_for_them():
    path = pr.fit_path(X, Y, alphas=[0.3, 0.1], **{k: OPTIONS[k] for k in ("dtype",)})
    file = io.BytesIO()
    path.save(file)
    again = pr.load(file)
    with pytest.raises(ValueError, match="pickled or saved does not carry its data: pass X and y"):
        pr.relax(again)
    np.testing.assert_array_equal(pr.relax(again, X, Y).coef, pr.relax(path).coef)
    assert len(file.getvalue()) < 20_000


class Mine(pr.Penalty):
    """A penalty of one's own."""

    alpha = 1.0

    def value(self, w):
        return 0 * jnp.sum(w)

    def prox(self, v, step):
        return v


def test_code_is_refused_by_name_and_leaves_no_file(tmp_path):
    quartic = pr.fit_path(X, Y / 10, loss=lambda eta, y: (eta - y) ** 4, alphas=[0.1], tol=0.1)
    own = dataclasses.replace(quartic, loss=pr.Squared(), penalty=Mine())
    odd = dataclasses.replace(own, penalty=pr.L1(1.0), classes=(1 + 2j, {3}))
    objects = dataclasses.replace(odd, classes=None, feature_names=np.array(["a", None], object))
    for result, message in [
        (quartic, "the loss Custom of your own cannot be saved: files hold numbers and names, no code; pickle it"),
        (own, "the penalty Mine of your own cannot be saved"),
        (odd, "a complex in the result.classes cannot be saved"),
        (objects, "an array of object in the result.feature_names cannot be saved"),
    ]:
        with pytest.raises(ValueError, match=message):
            result.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def described(content: Any, **changes: Any) -> io.BytesIO:
    """A file with this description."""
    text = json.dumps({"format": "proxreg", "version": 1, "content": content, **changes})
    file = io.BytesIO()
    arrays: Any = {serialization.DESCRIPTION: np.frombuffer(text.encode(), np.uint8)}
    np.savez(file, **arrays)
    return file


def test_other_files_are_refused_by_name(tmp_path):
    path = pr.fit_path(X, Y, alphas=[0.1])
    saved = io.BytesIO()
    path.save(saved)
    whole = saved.getvalue()
    others = {
        "text": b"alpha,coef\n1,2\n",
        "empty": b"",
        "pickle": pickle.dumps({"a": 1}),
        "cut": whole[: len(whole) // 2],
        "turned": whole[:600] + bytes(x ^ 255 for x in whole[600:700]) + whole[700:],
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "array", np.arange(3))
    np.savez(tmp_path / "arrays", coef=np.arange(3))
    np.savez(tmp_path / "objects", json=np.array([{"a": 1}], object))
    for name in (*others, "array.npy", "arrays.npz", "objects.npz"):
        with pytest.raises(ValueError, match=rf"{name}'\)? (was not written by .save\(file\)|is damaged)"):
            pr.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        pr.load(tmp_path / "none")
    for content, message in [
        ({"kind": "Popen", "fields": {}}, "is damaged: it names a 'Popen'"),
        ({"kind": "L1", "fields": {"alpha": -1.0}}, "is damaged: alpha must be >= 0"),
        ({"kind": "L1", "fields": {"alpha": 1.0}}, "is damaged: it holds no Fit, Path or CVPath"),
        ({"kind": "Fit", "fields": {"coef": {"kind": "array", "name": "array_9"}}}, "is damaged"),
        ({"kind": "Fit", "fields": {"beta": 1}}, "is damaged"),
    ]:
        with pytest.raises(ValueError, match=message):
            pr.load(described(content))
    with pytest.raises(ValueError, match="has format 2, from a newer proxreg; this one reads 1"):
        pr.load(described({}, version=2))
    with pytest.raises(ValueError, match="was not written by"):
        pr.load(described({}, format="other"))
