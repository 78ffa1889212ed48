"""Threads of the host: products are right, pieces keep their order and JAX's types, BLAS gets its threads back."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from proxreg.engine import host


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.mark.parametrize("shape", [(3, 4, 5), (700, 300, 100), (100, 300, 700), (2, 5000, 2000)])
def test_products(shape):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape[:2]), rng.standard_normal(shape[1:])
    np.testing.assert_allclose(host.matmul(a, b), a @ b, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(host.matmul(b.T, a.T), (a @ b).T, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(host.gram(b), b.T @ b, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_pieces_keep_their_order_and_the_types_of_their_caller(monkeypatch, cores):
    monkeypatch.setattr(host, "cores", lambda: cores)
    assert host.in_parallel(lambda piece: piece**2, range(7)) == [k**2 for k in range(7)]
    for wide in (False, True):
        with jax.enable_x64(wide):
            kinds = host.in_parallel(lambda _: jnp.zeros(1).dtype, range(3))
        assert kinds == [np.dtype(np.float64 if wide else np.float32)] * 3


def test_pieces_say_of_overflow_what_their_caller_wants_said():
    large = np.full((600, 400), 1e200)
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.isinf(host.gram(large)).all()
        assert np.isinf(host.matmul(large.T, large)).all()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        host.in_parallel(lambda x: x * x, [large, large])


def test_an_error_in_a_piece_is_the_callers():
    with pytest.raises(ZeroDivisionError):
        host.in_parallel(lambda piece: 1 / piece, [1, 0])


def test_cuts_cover_everything_once():
    for size, pieces in [(10, 3), (2, 5), (0, 2), (7, 1)]:
        assert [k for cut in host.cuts(size, pieces) for k in range(size)[cut]] == list(range(size))


def test_blas_has_one_thread_inside_and_its_own_number_outside():
    before = blas_threads()
    with host.OneBlasThread():
        inside = blas_threads()
        with host.OneBlasThread():
            pass
        assert blas_threads() == inside
        other = threading.Thread(target=host.OneBlasThread()(lambda: None))
        other.start()
        other.join()
        assert blas_threads() == inside
    assert set(inside) <= {1}
    assert blas_threads() == before
    with pytest.raises(ValueError, match="inside"), host.OneBlasThread():
        raise ValueError("inside")
    assert blas_threads() == before
