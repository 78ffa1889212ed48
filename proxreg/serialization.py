"""Fits in files: an ``.npz`` of arrays beside a JSON description, without pickle, so that loading runs no code."""

import dataclasses
import json
import zipfile
import zlib
from typing import Any

import jax
import numpy as np

from proxreg import losses, penalties
from proxreg.cv_result import CVPath
from proxreg.losses import Loss
from proxreg.penalties import Penalty
from proxreg.penalties.group_lasso import Groups
from proxreg.results import Fit, Origin, Path

FORMAT = "proxreg"
VERSION = 1  # of the layout of files; a change that old files do not follow raises it
DESCRIPTION = "json"  # the entry that holds everything but arrays

RESULTS = (Fit, Path, CVPath)
_BASES = (Penalty, Loss, losses.Custom)
_PARTS = {
    value
    for module in (penalties, losses)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, (Penalty, Loss)) and value not in _BASES
}
_TYPES: dict[str, Any] = {cls.__name__: cls for cls in (*RESULTS, Origin, *_PARTS)}


def save(result: Fit | CVPath, file: Any) -> None:
    """Write a ``Fit``, ``Path`` or ``CVPath`` to a file, everything but the data that it was fitted on.

    ``file`` is a path, taken as it is, or an open binary file. Raises ValueError where something in it is code: losses
    and penalties that are not the library's own.
    """
    arrays: dict[str, Any] = {}
    content = _encoded(result, "the result", arrays)
    text = json.dumps({"format": FORMAT, "version": VERSION, "content": content}, allow_nan=False)
    arrays[DESCRIPTION] = np.frombuffer(text.encode(), np.uint8)
    if hasattr(file, "write"):
        np.savez_compressed(file, **arrays)
        return
    with open(file, "wb") as handle:  # NumPy would add .npz to a path without it
        np.savez_compressed(handle, **arrays)


def load(file: Any) -> Any:
    """Return the ``Fit``, ``Path`` or ``CVPath`` that ``.save(file)`` wrote, every number as it was.

    The data are not in the file: ``relax`` and ``information_criterion`` need them passed again. JAX arrays in a
    penalty come back as NumPy's. Loading runs no code of the file. Raises ValueError for any other file, by name.

    >>> import io, proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> path = pr.fit_path(X, y, standardize=True, n_alphas=20, feature_names=names)
    >>> file = io.BytesIO()  # or "diabetes.npz"
    >>> path.save(file)
    >>> again = pr.load(file)
    >>> print(bool((again.coef == path.coef).all()), again.feature_names[:2])
    True ('age', 'sex')
    """
    if not hasattr(file, "read"):
        with open(file, "rb") as handle:  # NumPy would leave a file open that is none of its own
            return load(handle)
    file.seek(0)
    name = repr(getattr(file, "name", file))
    arrays, described = _read(file)
    if described.get("format") != FORMAT or not isinstance(described.get("version"), int):
        raise ValueError(f"{name} was not written by .save(file) of a Fit, Path or CVPath, or is damaged")
    if described["version"] > VERSION:
        raise ValueError(f"{name} has format {described['version']}, from a newer proxreg; this one reads {VERSION}")
    try:
        result = _decoded(described["content"], arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{name} is damaged: {error}") from None
    if not isinstance(result, RESULTS):
        raise ValueError(f"{name} is damaged: it holds no Fit, Path or CVPath")
    return result


def _read(file: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return arrays and description; of another file none."""
    try:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            return {}, {}
        with archive:
            arrays = {name: archive[name] for name in archive.files}
        described = json.loads(arrays[DESCRIPTION].tobytes())
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return {}, {}
    return arrays, described if isinstance(described, dict) else {}


def _encoded(value: Any, where: str, arrays: dict[str, Any]) -> Any:
    """Return what JSON can say of a value, its arrays put aside."""
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return {"kind": "scalar" if isinstance(value, np.generic) else "array", "name": _kept(value, where, arrays)}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"kind": "float", "value": repr(value)}
    if isinstance(value, bytes):
        return {"kind": "bytes", "value": value.hex()}
    if isinstance(value, Groups):
        return {"kind": "groups", "labels": _encoded(value.labels, where, arrays)}
    if type(value) in _TYPES.values():
        fields = {name: _encoded(part, f"{where}.{name}", arrays) for name, part in _fields(value).items()}
        return {"kind": type(value).__name__, "fields": fields}
    if type(value) in (tuple, list):
        items = [_encoded(item, where, arrays) for item in value]
        return {"kind": type(value).__name__, "items": items}
    if type(value) is dict and all(isinstance(key, str) for key in value):
        return {"kind": "dict", "items": {key: _encoded(item, where, arrays) for key, item in value.items()}}
    what = f"the {'loss' if isinstance(value, Loss) else 'penalty'} {type(value).__name__} of your own"
    what = what if isinstance(value, (Loss, Penalty)) else f"a {type(value).__name__} in {where}"
    raise ValueError(f"{what} cannot be saved: files hold numbers and names, no code; pickle it, or save its arrays")


def _kept(value: Any, where: str, arrays: dict[str, Any]) -> str:
    array = np.asarray(value)
    if array.dtype.kind not in "biufcUSmM":
        raise ValueError(f"an array of {array.dtype} in {where} cannot be saved; convert it to numbers or text first")
    name = f"array_{len(arrays)}"
    arrays[name] = array
    return name


def _fields(value: Any) -> dict[str, Any]:
    if isinstance(value, Origin):
        return value._replace(data=())._asdict()  # the data are not the path's to write to a file
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _decoded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value["kind"]
    if kind in ("array", "scalar"):
        array = arrays[value["name"]]
        return array[()] if kind == "scalar" else array
    if kind == "float":
        return float(value["value"])
    if kind == "bytes":
        return bytes.fromhex(value["value"])
    if kind == "groups":
        return Groups(_decoded(value["labels"], arrays))
    if kind in ("tuple", "list"):
        items = [_decoded(item, arrays) for item in value["items"]]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict":
        return {key: _decoded(item, arrays) for key, item in value["items"].items()}
    if kind not in _TYPES:
        raise ValueError(f"it names a {kind!r}")
    return _TYPES[kind](**{name: _decoded(part, arrays) for name, part in value["fields"].items()})
