"""Static fields of pytrees as text: with them ``jax.export`` serialises programs that take or return our objects."""

import json
from collections.abc import Callable
from typing import Any

from jax import export

_CODECS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "tuple": (tuple, lambda values: [_encoded(value) for value in values], lambda parts: tuple(map(_decoded, parts)))
}


def register_static(name: str, cls: type, encode: Callable[[Any], Any], decode: Callable[[Any], Any]) -> None:
    """Declare how a static field of type ``cls`` is written as JSON, and how it is read back."""
    _CODECS[name] = cls, encode, decode


def register_serialization(cls: type) -> None:
    """Let ``jax.export`` serialise trees with ``cls``, whose auxiliary data are the tuple of its static fields.

    A class is found again by its module and name. One defined anew under a name that is taken (in a notebook) is
    left out: ``jax.export`` then says that it does not know the type.
    """
    try:
        export.register_pytree_node_serialization(
            cls,
            serialized_name=f"{cls.__module__}.{cls.__qualname__}",
            serialize_auxdata=lambda fields: json.dumps(_encoded(fields)).encode(),
            deserialize_auxdata=lambda text: _decoded(json.loads(text)),
        )
    except ValueError:
        return


def _encoded(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    for name, (cls, encode, _) in _CODECS.items():
        if isinstance(value, cls):
            return {name: encode(value)}
    raise ValueError(
        f"jax.export cannot serialise a tree with {value!r} in a static field: only numbers, strings and their tuples"
    )


def _decoded(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((name, parts),) = value.items()
    return _CODECS[name][2](parts)
