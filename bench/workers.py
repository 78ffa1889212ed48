"""A solver in a process of its own: nothing compiled before its first call, a time limit, its own peak memory."""

import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

Solver = tuple[Callable[[], Any], Callable[[Any], dict]]  # solve, which is timed, and judge, which is not


class Failed(Exception):
    """The worker's own exception, as text."""


class Worker:
    """Holds what ``build(*args)`` returns, in a fresh process; builds while the caller goes on."""

    def __init__(self, build: Callable[..., Solver], *args: Any):
        context = multiprocessing.get_context("spawn")  # JAX does not survive a fork
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, build, args), daemon=True)
        self._process.start()
        theirs.close()
        self._built = False

    def run(self, limit: float) -> dict | None:
        """One call: ``seconds``, ``peak_mb`` and what judge says; None if it passed the limit, which ends the worker.

        The limit, in seconds, does not count the building.
        """
        if not self._built:
            self._receive()
            self._built = True
        self._connection.send(True)
        if not self._connection.poll(max(limit, 0)):
            self.close()
            return None
        return self._receive() | self._receive()

    def close(self) -> None:
        """Ends the process and those that it has started, whatever they are doing: they would disturb the others."""
        try:
            assert self._process.pid
            os.killpg(self._process.pid, signal.SIGKILL)
        except (AttributeError, OSError):  # no groups on this system; or it has ended, or not begun
            self._process.kill()
        self._process.join()

    def _receive(self) -> dict:
        try:
            answer = self._connection.recv()
        except EOFError:
            self._process.join()
            raise Failed(f"the process ended with code {self._process.exitcode}") from None
        if isinstance(answer, str):
            raise Failed(answer)
        return answer


def _serve(connection: Any, build: Callable[..., Solver], args: tuple) -> None:
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own, with the processes that it starts
    try:
        solve, judge = build(*args)
        connection.send({})
        while connection.recv():
            start = time.perf_counter()
            answer = solve()
            seconds = time.perf_counter() - start
            connection.send({"seconds": seconds, "peak_mb": peak_mb()})
            connection.send(judge(answer))
    except EOFError:
        pass
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")


def peak_mb() -> float:
    """Peak resident memory of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
