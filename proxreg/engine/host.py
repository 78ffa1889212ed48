"""Products with NumPy on all cores, in a way that leaves the cores to XLA afterwards.

A BLAS with threads of its own keeps them spinning for some ten milliseconds after every product (OpenBLAS's
THREAD_TIMEOUT), on the cores that XLA's next program needs: a program that alternates with products takes up to twice
as long. So BLAS gets one thread while the engine works, and large products are cut in pieces, a thread of ours to each.
"""

import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Sized
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import numpy as np
from threadpoolctl import ThreadpoolController

from proxreg import _precision

LARGE = 1 << 24  # multiplications from which threads pay

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")


_thread = threading.local()  # whether it is one of as many as there are cores


class OneBlasThread:
    """BLAS has one thread inside; what it had before is restored when the last of those who asked leaves.

    A context, and a decorator for functions.
    """

    _lock = threading.Lock()
    _inside = 0
    _limiter: Any = None

    def __enter__(self) -> None:
        kind = OneBlasThread
        with kind._lock:
            if not kind._inside:
                kind._limiter = _controller().limit(limits=1, user_api="blas")
            kind._inside += 1

    def __exit__(self, *_: object) -> None:
        kind = OneBlasThread
        with kind._lock:
            kind._inside -= 1
            if not kind._inside:
                kind._limiter.restore_original_limits()

    def __call__(self, function: Callable[..., Answer]) -> Callable[..., Answer]:
        @functools.wraps(function)
        def inside(*args: Any, **options: Any) -> Answer:
            with OneBlasThread():
                return function(*args, **options)

        return inside


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # finds the libraries of this process: some milliseconds


@functools.cache
def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parallel(function: Callable[[Piece], Answer], pieces: Iterable[Piece]) -> list[Answer]:
    """The function of each piece, on as many threads as there are cores; pieces are made while others are at work.

    The single piece of a list stays on the caller's thread, and so do all where every core has a piece already.
    """
    known = len(pieces) if isinstance(pieces, Sized) else 0
    if cores() == 1 or known == 1 or getattr(_thread, "busy", False):
        return [function(piece) for piece in pieces]
    wide, errors = jax.config.jax_enable_x64, np.geterr()  # pyright: ignore[reportAttributeAccessIssue]

    def work(piece: Piece) -> Answer:
        _thread.busy = known >= cores()
        # settings of the caller's thread, and of no other
        with _precision.scope(np.dtype(np.float32)), jax.enable_x64(wide), np.errstate(**errors):
            return function(piece)

    with OneBlasThread(), ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, pieces))


def cuts(size: int, pieces: int) -> list[slice]:
    """``range(size)`` in so many pieces of about the same length."""
    ends = [size * k // pieces for k in range(pieces + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(ends)]


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a @ b`` of matrices."""
    (rows, inner), columns = a.shape, b.shape[1]
    if rows * inner * columns < LARGE:
        return a @ b
    out = np.empty((rows, columns), np.result_type(a, b))

    def piece(at: slice) -> None:
        if rows > columns:
            np.matmul(a[at], b, out=out[at])
        else:
            np.matmul(a, b[:, at], out=out[:, at])

    in_parallel(piece, cuts(max(rows, columns), min(cores(), max(rows, columns))))
    return out


def gram(a: np.ndarray) -> np.ndarray:
    """``a' a``, each pair of columns once."""
    p = a.shape[1]
    if a.shape[0] * p * p < LARGE:
        return a.T @ a
    out = np.empty((p, p), a.dtype)

    def piece(pair: tuple[slice, slice]) -> None:
        left, right = pair
        np.matmul(a[:, left].T, a[:, right], out=out[left, right])
        if left != right:
            out[right, left] = out[left, right].T

    pairs = list(itertools.combinations_with_replacement(cuts(p, min(2 * cores(), p)), 2))
    in_parallel(piece, sorted(pairs, key=lambda pair: pair[0] == pair[1]))  # the long ones first
    return out
