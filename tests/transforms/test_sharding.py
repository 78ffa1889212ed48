"""Parameters spread over eight devices: the same numbers, and every state lies where its parameter does."""

import os
import subprocess
import sys

PROGRAM = """
import warnings
warnings.simplefilter("error")
import jax, jax.numpy as jnp, numpy as np, optax, proxreg as pr
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from tests.transforms.optimisers import IMPURE, OPTIMISERS

assert jax.device_count() == 8
mesh = Mesh(np.array(jax.devices()).reshape(4, 2), ("in", "out"))
rng = np.random.default_rng(0)
shapes = {"kernel": (16, 8), "bias": (8,)}

def normal():
    return {name: jnp.asarray(rng.standard_normal(shape), "float32") for name, shape in shapes.items()}

start, grads = normal(), [normal() for _ in range(5)]
places = {"kernel": NamedSharding(mesh, P("in", "out")), "bias": NamedSharding(mesh, P("out"))}
penalty = pr.by_path([("kernel", pr.GroupLasso(3.0, axis=0)), ("bias", pr.L1(0.8))])

def train(optimiser, spread):
    params, state = start, optimiser.init(start)
    if spread:
        params = jax.device_put(params, places)
        state = jax.jit(optimiser.init)(params)
        state = optax.tree_utils.tree_map_params(
            optimiser, lambda leaf, place: jax.device_put(leaf, place), state, places
        )
    @jax.jit
    def step(params, state, grads):
        updates, state = optimiser.update(grads, state, params)
        return optax.apply_updates(params, updates), state
    for g in grads:
        params, state = step(params, state, jax.device_put(g, places) if spread else g)
    return params, state

chains = [(case.id, case(0.05, penalty)) for case in [*OPTIMISERS, *IMPURE]]
chains.append(("chain", optax.chain(optax.sgd(0.05), pr.proximal(penalty, 0.05))))
for name, optimiser in chains:
    alone, _ = train(optimiser, False)
    spread, state = train(optimiser, True)
    for key in start:
        np.testing.assert_allclose(spread[key], alone[key], rtol=1e-5, atol=1e-6, err_msg=name)
        np.testing.assert_array_equal(spread[key] == 0, alone[key] == 0, err_msg=name)
        assert spread[key].sharding.is_equivalent_to(places[key], spread[key].ndim), name
    for leaf in jax.tree.leaves(state):
        if leaf.shape == (16, 8):
            assert leaf.sharding.is_equivalent_to(places["kernel"], 2), name
print("sharded", len(chains) - len(OPTIMISERS) - len(IMPURE))
"""


def test_eight_devices_agree_with_one():
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["sharded", "1"]
