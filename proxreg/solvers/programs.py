"""Compiled programs for functions that users pass: each lives as long as its function, and no longer."""

import types
import weakref
from collections.abc import Callable
from typing import Any

import jax


class FunctionPrograms:
    """A program for each function, built by ``solve(function, *arguments)``.

    A function often holds its data, and so does the program that JAX compiles for it. In an ordinary cache of ``jit``
    both would stay for ever; here they go with the function, or, for a method, with its object.
    """

    def __init__(self, solve: Callable[..., Any], **options: Any):
        self._solve, self._options = solve, options
        self._programs: dict[int, dict[Any, Callable[..., Any]]] = {}  # by the identity of the owner

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``solve(function, *arguments)``, compiled once for each function and shape of the arguments."""
        bound = isinstance(function, types.MethodType)  # a new object each time it is looked up
        owner, method = (function.__self__, function.__func__) if bound else (function, None)
        try:
            reference = weakref.ref(owner)
        except TypeError:  # no such object can be told from one that takes its place in memory
            return self._program(lambda: function)(*arguments)
        if id(owner) not in self._programs:
            self._programs[id(owner)] = {}
            weakref.finalize(owner, self._programs.pop, id(owner), None)
        programs = self._programs[id(owner)]
        if method not in programs:
            programs[method] = self._program(lambda: _bound(reference(), method))
        return programs[method](*arguments)

    def _program(self, function: Callable[[], Any]) -> Callable[..., Any]:
        def solve(*arguments: Any) -> Any:
            return self._solve(function(), *arguments)

        return jax.jit(solve, **self._options)


def _bound(owner: Any, method: Any) -> Any:
    return owner if method is None else method.__get__(owner)
