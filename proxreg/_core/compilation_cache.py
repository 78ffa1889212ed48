"""Compiled programs that outlive the process: JAX's persistent compilation cache, in a folder of the user's."""

import contextlib
import functools
import hashlib
import os
import platform
import sys
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

#: environment variable: a folder in the place of the user's cache folder, or "off"
VARIABLE = "PROXREG_COMPILATION_CACHE"
#: bytes of programs, some thousands of them; what was used longest ago goes first. A size makes JAX lock the folder for
#: each file that it reads or writes, so that processes may share it.
SIZE = 1 << 30


def enable_compilation_cache(folder: str | os.PathLike | None = None) -> None:
    """Keep compiled programs in a folder for later processes: their first fit of about such a size compiles nothing.

    This is JAX's persistent compilation cache, for everything that the process compiles from now on: in ``folder``,
    made if it is not there, or the user's cache folder where None (``~/.cache/proxreg`` on Linux), a subfolder for each
    version of JAX and kind of processor; without a least compile time (by default JAX keeps programs that took more
    than a second, which ours do not); and of at most 1 GB. Processes may share it, and it may be deleted at any time.

    The command line and the estimators of ``proxreg.sklearn`` do so by themselves where JAX has no cache folder yet.
    The environment variable ``PROXREG_COMPILATION_CACHE`` names another folder, or says "off".

    >>> import tempfile, jax, proxreg as pr
    >>> options = "jax_compilation_cache_dir", "jax_compilation_cache_max_size"
    >>> before = {name: getattr(jax.config, name) for name in options}
    >>> pr.enable_compilation_cache(tempfile.mkdtemp())
    >>> for name, value in before.items():  # as it was
    ...     jax.config.update(name, value)
    """
    folder = _user_folder() if folder is None else Path(folder)
    compilation_cache.reset_cache()  # the folder in use until now, if any: JAX would stay with it
    jax.config.update("jax_compilation_cache_dir", os.fspath(folder / _machine()))
    jax.config.update("jax_compilation_cache_max_size", SIZE)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


@functools.cache  # once in a process is enough
def use_compilation_cache() -> None:
    """Enable the cache in the user's folder, unless JAX has one, that folder cannot be written, or it is off."""
    off = os.environ.get(VARIABLE, "").lower() in ("off", "0", "false", "no")
    if off or jax.config.jax_compilation_cache_dir is not None:  # pyright: ignore[reportAttributeAccessIssue]
        return
    with contextlib.suppress(OSError, RuntimeError):  # no home, or one that is not for writing
        folder = _user_folder()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            enable_compilation_cache(folder)


def _user_folder() -> Path:
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "proxreg" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "proxreg"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "proxreg"


def _machine() -> str:
    """Return a name for the version of JAX and the kind of processor: a program for one stops another."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(errors="ignore").splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
        kind = hashlib.sha256(flags.encode()).hexdigest()[:12]
        return f"jax-{jax.__version__}-{platform.machine()}-{kind}"
    return f"jax-{jax.__version__}-{platform.machine()}"
