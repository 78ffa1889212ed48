"""Compiled programs that outlive the process."""

import os

import jax
from jax.experimental.compilation_cache import compilation_cache


def keep_programs(folder: str | os.PathLike) -> None:
    """Keeps compiled programs in a folder for later processes: their first fit of about such a size compiles nothing.

    This is JAX's persistent compilation cache, for everything that the process compiles from now on, with the two
    options that it takes: the folder, made if it is not there, and no least compile time (by default JAX keeps programs
    that took more than a second, which ours do not). Call it before the first fit. The folder serves one version of
    JAX and one kind of machine at a time, and may be deleted at any time.

    >>> import tempfile, jax, proxreg as pr
    >>> before = jax.config.jax_compilation_cache_dir
    >>> pr.keep_programs(tempfile.mkdtemp())
    >>> jax.config.update("jax_compilation_cache_dir", before)  # as it was
    """
    compilation_cache.reset_cache()  # the folder in use until now, if any: JAX would stay with it
    jax.config.update("jax_compilation_cache_dir", os.fspath(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
