# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # proxreg: sparse networks with optax
#
# L1 in the loss of a network makes its weights small, and not one of them zero. This notebook shows why, and what to
# change: the *proximal* optimisers of `proxreg` fit into any optax training loop and set weights to exactly `0.0`,
# one by one or a whole neuron at a time, after which the network can be made smaller without changing what it
# computes. What the text claims, a cell asserts.
#
# The data are scikit-learn's bundled handwritten digits, and the network is small, so that everything runs in about a
# minute on two cores of a CPU. `bench/digits.py` trains a larger one, on more seeds and for longer.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("proxreg") is None:  # install the clone that this notebook lies in
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "..[plot]", "scikit-learn"])

import functools
import itertools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from sklearn.datasets import load_digits

import proxreg as pr

# ten colours that colour-blind readers can tell apart (Petroff 2021)
blue, orange, grey = "#3f90da", "#e76300", "#717581"
colours = [blue, "#bd1f01", orange, "#832db6", grey, "#a96b59", "#b9ac70", "#92dadd", "#94a4a2", "#ffa90e"]
plt.rcParams.update(
    {
        "axes.prop_cycle": plt.cycler(color=colours),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.constrained_layout.use": True,
        "figure.figsize": (8, 4.2),
        "font.size": 9,
    }
)

device = jax.devices()[0]
print(f"JAX runs on {device.platform} ({device.device_kind}) in {jnp.zeros(()).dtype}")

# %% [markdown]
# ## Why L1 in the loss gives no zeros
#
# One weight is enough to see it. Take the loss $(w - 0.4)^2 / 2$ and the penalty $\alpha |w|$ with $\alpha = 1$. The
# data pull the weight to $0.4$ with a force that is always weaker than the penalty's, so the minimum is at $w = 0$.
#
# * **Subgradient.** Add $\alpha\,\mathrm{sign}(w)$ to the gradient, which is what automatic differentiation of the
#   penalised loss does. The force of the penalty does not fade as the weight gets small: every step is of the same
#   size, and steps over zero instead of landing on it.
# * **Prox.** Take the step of the loss alone, then the prox map of the penalty,
#   $\mathrm{prox}(v, t) = \arg\min_u \alpha |u| + (u - v)^2 / (2t)$, which moves the weight towards zero by
#   $t\,\alpha$ and *stops there*.

# %%
alpha, rate, steps = 1.0, 0.1, 40
penalty = pr.L1(alpha)
classic = optax.chain(pr.add_subgradient(penalty), optax.sgd(rate))
proximal = pr.proximal_sgd(rate, penalty)


def follow(optimizer, w):
    """The weight after each step."""

    def step(carry, _):
        w, state = carry
        updates, state = optimizer.update(w - 0.4, state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    return np.asarray(jax.lax.scan(step, (w, optimizer.init(w)), length=steps)[1])


start = jnp.array(1.0)
jumping, landing = follow(classic, start), follow(proximal, start)

fig, (whole, close) = plt.subplots(1, 2, figsize=(8, 3.2), width_ratios=(1, 1.2))
for ax in (whole, close):
    ax.axhline(0, color="0.7", linewidth=1)
    ax.plot(range(1, steps + 1), jumping, "s--", color=orange, markersize=3, linewidth=1, label="subgradient")
    ax.plot(range(1, steps + 1), landing, "o-", color=blue, markersize=3, linewidth=1, label="prox")
    ax.set_xlabel("step")
whole.set(title="one weight", ylabel="w")
close.set(title="the same, enlarged", ylim=(-0.06, 0.15))
whole.legend(frameon=False)
plt.show()

arrived = int(np.argmax(landing == 0))
print(f"prox: exactly 0.0 from step {arrived + 1} on; subgradient: |w| between", end=" ")
print(f"{np.abs(jumping[-10:]).min():.3f} and {np.abs(jumping[-10:]).max():.3f} in the last ten steps")
assert np.all(landing[arrived:] == 0.0)
assert not np.any(jumping == 0)
assert np.all(np.abs(jumping[arrived:]) <= rate * (alpha + 0.4))
assert len(set(np.sign(jumping[-10:]))) == 2  # on both sides of zero

# %% [markdown]
# Adam makes it no better: its steps are about as long as the learning rate, whatever the gradient. And a prox cannot
# simply be put behind Adam, because it must measure distance as the optimiser does. `pr.proximal_adam` takes the prox
# in Adam's own metric, so that its rest points are those of loss + penalty; there are `proximal_sgd`,
# `proximal_adagrad`, `proximal_lion`, `ftrl` and `rda` as well.
#
# ## Four lines
#
# In a training loop of your own it looks like this:
#
# ```python
# penalty = pr.by_path([("kernel", pr.L1(1e-3))])       # all parameters whose path contains "kernel"
# optimizer = pr.proximal_adam(5e-3, penalty)           # instead of optax.adam(5e-3)
# updates, state = optimizer.update(grads, state, params)
# params = optax.apply_updates(params, updates)
# ```
#
# The gradients are those of the loss *without* the penalty.
#
# ## Data and network
#
# 1797 images of 8 x 8 pixels: half to train on, a fifth for validation, the rest to test. A seed decides the split,
# the initial weights and the batches, and everything is done for three seeds. The network is a multilayer perceptron
# with ReLU. Weights are the kernels; biases are never penalised and not counted among the zeros.

# %%
widths = (64, 128, 64, 10)
seeds, epochs, batch, top_rate = 3, 99, 64, 5e-3

images, labels = load_digits(return_X_y=True)
images, labels = (images / 16).astype(np.float32), labels.astype(np.int32)
n = len(labels)
steps = n // 2 // batch


def prepare(seed):
    """The data of one seed, its batches (rows of the training images for each step) and its initial parameters."""
    rng = np.random.default_rng(seed)
    parts = np.split(rng.permutation(n), [n // 2, n // 2 + n // 5])
    data = {name: (images[rows], labels[rows]) for name, rows in zip(("train", "validation", "test"), parts)}
    rows = np.array([rng.permutation(n // 2)[: steps * batch].reshape(steps, batch) for _ in range(epochs)])
    he, shapes = jax.nn.initializers.he_normal(), itertools.pairwise(widths)
    keys = jax.random.split(jax.random.key(seed), len(widths))
    params = {
        f"dense_{k}": {"kernel": he(keys[k], shape), "bias": jnp.zeros(shape[1])} for k, shape in enumerate(shapes)
    }
    return data | {"rows": rows, "start": params, "key": keys[-1]}


data = jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(prepare, range(seeds)))

fig, axes = plt.subplots(1, 10, figsize=(8, 1.1))
for digit, ax in enumerate(axes):
    ax.imshow(images[labels == digit][0].reshape(8, 8), cmap="gray_r")
    ax.set_axis_off()
plt.show()

print(pr.sparsity(prepare(0)["start"]))
assert {name: part[0].shape[1:] for name, part in data.items() if name in ("train", "validation", "test")} == {
    "train": (898, 64),
    "validation": (359, 64),
    "test": (540, 64),
}

# %% [markdown]
# A phase of training, as pure functions: the learning rate falls from 0.005 to 0 along a cosine, the same for
# everything below.


# %%
def forward(params, x, key=None, dropout=None):
    *hidden, last = params.values()
    for k, layer in enumerate(hidden):
        x = jax.nn.relu(x @ layer["kernel"] + layer["bias"])
        if dropout is not None:
            kept = jax.random.bernoulli(jax.random.fold_in(key, k), 1 - dropout, x.shape)
            x = jnp.where(kept, x / (1 - dropout), 0)
    return x @ last["kernel"] + last["bias"]


def loss(params, x, labels, *noise):
    return optax.softmax_cross_entropy_with_integer_labels(forward(params, x, *noise), labels).mean()


def accuracy(params, x, labels):
    return jnp.mean(jnp.argmax(forward(params, x), axis=-1) == labels)


def zeros(params):
    """Share of the weights that is exactly 0.0."""
    return jnp.mean(jnp.concatenate([layer["kernel"].ravel() for layer in params.values()]) == 0)


def train(make, params, data, rows, dropout=None, watch=lambda params: None):
    """``make(learning rate)`` is the optimiser; returns the parameters and what ``watch`` saw after each epoch."""
    optimizer = make(optax.cosine_decay_schedule(top_rate, rows.shape[0] * rows.shape[1]))

    def step(carry, rows):
        params, state, key = carry
        key, own = (key, None) if dropout is None else jax.random.split(key)
        grads = jax.grad(loss)(params, *(part[rows] for part in data["train"]), own, dropout)
        updates, state = optimizer.update(grads, state, params)
        return (optax.apply_updates(params, updates), state, key), None

    def epoch(carry, rows):
        carry, _ = jax.lax.scan(step, carry, rows)
        return carry, watch(carry[0])

    (params, *_), seen = jax.lax.scan(epoch, (params, optimizer.init(params), data["key"]), rows)
    return params, seen


# %% [markdown]
# ## Six ways to regularise
#
# (a) nothing; (b) L2, as AdamW has it; (c) L1 by its subgradient; (d) proximal L1; (e) proximal group lasso, one group
# for all weights into a neuron; (f) dropout, and early stopping. Each gets the same 99 epochs. (d) and (e) train for 66
# with a penalty that rises from zero over the first 49, and for 33 without it on the weights that survived
# (`pr.debias`); what the rise and the second phase are good for is shown further down.
#
# A strength is an ordinary array: all seeds and strengths of one variant are lanes of a single compiled program.


# %%
def kernels(params):
    """True for weights, False for biases."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def l1(alpha):
    return pr.by_path([("kernel", pr.L1(alpha))])


def by_unit(alpha):
    """The columns of the hidden kernels, (inputs, units); a group weighs the root of its size."""
    first, second = (pr.GroupLasso(alpha, axis=0, weights=inputs**0.5) for inputs in widths[:2])
    return pr.by_path([("dense_0/kernel", first), ("dense_1/kernel", second)])


def dense(optimizer, data, **options):
    return train(optimizer, data["start"], data, data["rows"], **options)


def adamw(decay, data):
    return dense(lambda rate: optax.adamw(rate, weight_decay=decay, mask=kernels), data)[0]


def subgradient(alpha, data):
    return dense(lambda rate: optax.chain(pr.add_subgradient(l1(alpha)), optax.adam(rate)), data)[0]


def dropout(share, data):
    return dense(optax.adam, data, dropout=share)[0]


def early(_, data):
    """The parameters of the epoch with the lowest validation loss."""
    _, each = dense(optax.adam, data, watch=lambda params: params)
    best = jnp.argmin(jax.vmap(lambda params: loss(params, *data["validation"]))(each))
    return jax.tree.map(lambda leaf: leaf[best], each)


switch = 2 * epochs // 3
rise = optax.linear_schedule(0.0, 1.0, epochs // 2 * steps)


def sparsify(penalty, data):
    """The first phase."""
    make = functools.partial(pr.proximal_adam, penalty=penalty, strength=rise)
    return train(make, data["start"], data, data["rows"][:switch])[0]


def retrain(params, data):
    """The second phase."""
    return train(lambda rate: pr.debias(optax.adam(rate), mask=kernels), params, data, data["rows"][switch:])[0]


grid = np.array([4e-4, 8e-4, 1.6e-3, 3.2e-3, 6.4e-3, 1.28e-2])
variants = {
    "(a) nothing": ([0.0], adamw),
    "(b) L2 (AdamW)": ([0.01, 0.1, 0.3, 1.0], adamw),
    "(c) L1 by subgradient": (grid, subgradient),
    "(d) proximal L1": (grid, lambda alpha, data: retrain(sparsify(l1(alpha), data), data)),
    "(e) proximal group lasso": (grid, lambda alpha, data: retrain(sparsify(by_unit(alpha), data), data)),
    "(f) dropout": ([0.1, 0.2, 0.3, 0.5], dropout),
    "(f) early stopping": ([0.0], early),
}


def sweep(strengths, fit):
    """Networks and facts about them, leading axes (strength, seed)."""

    def lane(strength, data):
        params = fit(strength, data)
        facts = {part: accuracy(params, *data[part]) for part in ("validation", "test")}
        return params, facts | {"zeros": zeros(params), "loss": loss(params, *data["test"])}

    return jax.jit(jax.vmap(jax.vmap(lane, (None, 0)), (0, None)))(jnp.asarray(strengths, float), data)


networks, facts = {}, {}
for name, (strengths, fit) in variants.items():
    networks[name], found = sweep(strengths, fit)
    facts[name] = {key: np.asarray(value) for key, value in found.items()}

print(f"means over {seeds} seeds: test accuracy and exact zeros in percent")
for name, (strengths, _) in variants.items():
    accuracies, shares = (100 * facts[name][key].mean(axis=1) for key in ("test", "zeros"))
    print()
    print(f"{name:25}strength", *(f"{strength:7g}" for strength in strengths))
    print(f"{'accuracy':>33}", *(f"{value:7.1f}" for value in accuracies))
    print(f"{'zeros':>33}", *(f"{value:7.1f}" for value in shares))

# %% [markdown]
# ## Accuracy against exact zeros
#
# Test accuracy as the difference to (a) on the same split, in points of a hundred: mean and standard error over the
# seeds. On the left what has no zeros, each strength a point (an arrow where it is further down); on the right what
# has. All strengths are shown, none is chosen here.

# %%
markers = dict(zip(variants, "oPsoDv^"))
shades = dict(zip(variants, (grey, "#832db6", orange, blue, "#bd1f01", "#a96b59", "#b9ac70")))
plain = facts["(a) nothing"]["test"]
sparse = ["(d) proximal L1", "(e) proximal group lasso"]
dense_ones = [name for name in variants if name not in sparse]


def lead(name):
    """Points over (a) for each strength: mean and standard error."""
    points = 100 * (facts[name]["test"] - plain)
    return points.mean(axis=1), points.std(axis=1, ddof=1) / np.sqrt(seeds)


floor, down = -4.5, {"arrowstyle": "->", "color": "black"}
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 4.2), sharey=True, width_ratios=(1.1, 1.5))
for ax in (left, right):
    ax.axhline(0, color="0.6", linewidth=1)
    ax.axhspan(-1, 0, color="0.94")
for k, name in enumerate(dense_ones):
    mean, error = lead(name)
    x = k + np.linspace(-0.3, 0.3, len(mean)) if len(mean) > 1 else [k]
    left.errorbar(x, mean, error, fmt=markers[name], color=shades[name], markersize=5, linewidth=1)
    for below in np.flatnonzero(mean < floor):
        left.annotate("", (x[below], floor), (x[below], floor + 0.6), arrowprops=down)
        left.text(x[below] + 0.12, floor + 0.2, f"{mean[below]:.1f}")
for name in sparse:
    mean, error = lead(name)
    share = 100 * facts[name]["zeros"].mean(axis=1)
    right.errorbar(share, mean, error, fmt=f"{markers[name]}-", color=shades[name], linewidth=1.2, label=name)
short = ["(a)\nnothing", "(b)\nL2", "(c)\nL1, sub-\ngradient", "(f)\ndropout", "(f)\nearly\nstopping"]
left.set_xticks(range(len(dense_ones)), short)
left.set(title="no weight is zero", ylabel="test accuracy, points over (a)", ylim=(floor, 1.3))
right.set(title="weights that are exactly zero", xlabel="share of all weights (%)", xlim=(0, 100))
right.text(2, -0.97, "at most one point lost", color="0.35", va="bottom")
right.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 0.06))
plt.show()

for name in dense_ones:
    assert np.all(facts[name]["zeros"] == 0), name
for name in sparse:
    assert np.all(np.diff(facts[name]["zeros"], axis=0) > 0), name  # stronger is sparser, on every split
good_enough = lead("(d) proximal L1")[0] >= -1
assert facts["(d) proximal L1"]["zeros"].mean(axis=1)[good_enough].max() >= 0.9

# %% [markdown]
# Which strength to take must be told without the test images. The rule here: the sparsest network whose *validation*
# accuracy is at most a point below that of (a), for each seed by itself.


# %%
def choose(name):
    """Index of the strength for each seed."""
    enough = facts[name]["validation"] >= facts["(a) nothing"]["validation"] - 0.01
    return np.argmax(np.where(enough, facts[name]["zeros"], -1), axis=0)


for name in sparse:
    chosen = choose(name), np.arange(seeds)
    points = 100 * (facts[name]["test"][chosen] - plain[0])
    print(f"{name}: {facts[name]['zeros'][chosen].mean():.1%} zeros, {points.mean():+.2f} points of test accuracy")
    assert points.mean() > -2

chosen = choose("(d) proximal L1"), np.arange(seeds)
assert facts["(d) proximal L1"]["zeros"][chosen].mean() > 0.8

# %% [markdown]
# ## Weights of size zero and weights that are zero
#
# The weights of three networks with the same split. (c) and (d) have the same penalty at the same strength, so the same
# objective but for the rise and the second phase. The subgradient leaves a heap of small weights that are all in use; a
# threshold would have to be guessed. The prox leaves no heap: a weight is zero or it matters.

# %%
at = 4
alpha = grid[at]


def weights(name, index, seed=0):
    params = jax.tree.map(lambda leaf: leaf[index, seed], networks[name])
    return np.concatenate([np.asarray(layer["kernel"]).ravel() for layer in params.values()])


three = {
    "(a) nothing": weights("(a) nothing", 0),
    f"(c) subgradient, {alpha:g}": weights("(c) L1 by subgradient", at),
    f"(d) proximal, {alpha:g}": weights("(d) proximal L1", at),
}
edges = np.linspace(-1.6, 1.6, 82)

fig, axes = plt.subplots(1, 3, figsize=(8, 3.2), sharex=True, sharey=True)
for ax, (name, values) in zip(axes, three.items()):
    none = np.sum(values == 0)
    ax.hist(values[values != 0], edges, color=blue, log=True, label="not zero")
    if none:
        ax.bar(0, none, width=0.07, color=orange, edgecolor="black", linewidth=0.6, label="exactly 0.0")
        ax.annotate(f"{none / values.size:.0%}", (0.03, none), (0.18, none), va="center", color="black")
    else:
        ax.annotate("no zeros", (0.97, 0.9), xycoords="axes fraction", ha="right")
    ax.set(title=name, xlabel="weight")
axes[0].set_ylabel("number of weights")
handles = axes[-1].get_legend_handles_labels()
fig.legend(*handles, loc="outside lower center", ncols=2, frameon=False)
plt.show()

for name, values in three.items():
    tiny = np.abs(values) < 1e-2
    print(f"{name:24}{np.mean(values == 0):6.1%} are 0.0, {np.mean(tiny & (values != 0)):6.1%} are not but below 0.01")
without, coupled, ours = three.values()
assert np.all(without != 0)
assert np.all(coupled != 0)
assert np.mean(np.abs(coupled) < 1e-2) > 0.5  # small and alive
assert np.mean(ours == 0) > 0.9
assert np.mean((np.abs(ours) < 1e-2) & (ours != 0)) < 0.03  # no heap

# %% [markdown]
# ## Dead neurons
#
# Scattered zeros save storage, but a dense matrix product multiplies them like any other number.
# `pr.GroupLasso(alpha, axis=0)` on a kernel `(inputs, units)` makes a group of each column, all weights into one
# neuron, and the group is zero or it is not. `pr.sparsity` tells what is left, here of the first seed's network at the
# strength 0.0064.


# %%
def first_seed(name, index):
    return jax.tree.map(lambda leaf: leaf[index, 0], networks[name])


by_l1, by_group = (first_seed(name, at) for name in sparse)
report = pr.sparsity(by_group, by_unit(1.0))
print(report)

kernel = by_group["dense_0"]["kernel"]
alive = np.any(kernel != 0, axis=0)
dead = {leaf.path: leaf.dead_groups for leaf in report.leaves}
assert dead["dense_0/kernel"] == np.sum(~alive) > 0
assert np.all(kernel[:, alive] != 0)  # a column is zero as a whole or not at all

# %% [markdown]
# The first kernel as a picture, one column per neuron, one row per pixel. Group lasso (left) keeps whole columns, L1
# (middle) keeps single weights. On the right the same L1 network again: how many weights each pixel still has. Some
# pixels are blank in all training images; their weights get no gradient and L1 removes them, without being told.

# %%
first = {"group lasso": by_group["dense_0"]["kernel"], "L1": by_l1["dense_0"]["kernel"]}
used = np.sum(by_l1["dense_0"]["kernel"] != 0, axis=1)
blank = np.all(np.asarray(data["train"][0][0]) == 0, axis=0)

fig, axes = plt.subplots(1, 3, figsize=(8, 3), width_ratios=(2, 2, 1.25))
for ax, (name, kernel) in zip(axes, first.items()):
    ax.imshow(kernel != 0, cmap="gray_r", aspect="auto", interpolation="nearest")
    ax.set(title=f"{name}: weights in use", xlabel="neuron", ylabel="pixel")
shown = axes[-1].imshow(used.reshape(8, 8), cmap="cividis")
axes[-1].set(title="L1: weights per pixel", xlabel="x: blank in training", xticks=[], yticks=[])
row, column = np.divmod(np.flatnonzero(blank), 8)
axes[-1].plot(column, row, "x", color="white")
fig.colorbar(shown, ax=axes[-1], shrink=0.7)
plt.show()

assert blank.any()
assert np.all(used[blank] == 0)

# %% [markdown]
# ## Smaller arrays, the same function
#
# `pr.prune` takes dead neurons out of a stack of dense layers. A neuron without inputs is a constant, which moves into
# the next bias; a neuron that nothing reads goes too, and so does what dies with it. The result is an ordinary, dense,
# smaller network.

# %%
x, labels_of_x = (part[0] for part in data["test"])
subjects = {"(a)": first_seed("(a) nothing", 0), "(d)": by_l1, "(e)": by_group}
pruned = {name: pr.prune(params, activation=jax.nn.relu) for name, params in subjects.items()}
for name, small in pruned.items():
    arrays = " -> ".join(str(size) for size in (64, *(layer["bias"].size for layer in small.values())))
    report = pr.sparsity(small)
    print(f"{name} {arrays:24}{report.size:6} parameters, {report.nonzero:6} of them not zero")

for small, large in ((pruned["(d)"], by_l1), (pruned["(e)"], by_group)):
    before, after = forward(large, x), forward(small, x)
    np.testing.assert_allclose(after, before, atol=1e-4 * float(jnp.abs(before).max()))
    assert jnp.mean(jnp.argmax(before, axis=1) == jnp.argmax(after, axis=1)) == 1  # the same predictions
assert pr.sparsity(pruned["(a)"]).size == pr.sparsity(data["start"]).size / seeds  # nothing to remove
assert pr.sparsity(pruned["(e)"]).size < 0.2 * pr.sparsity(pruned["(a)"]).size

# %% [markdown]
# ## A penalty for each layer
#
# `pr.by_path` takes pairs of a regular expression and a penalty; each parameter gets the penalty whose expression is
# found in its path, `dense_0/kernel` here. The first layer is to choose pixels one by one, the second to drop whole
# neurons, the last is left alone.

# %%
layers = pr.by_path(
    [
        ("dense_0/kernel", pr.L1(6.4e-3)),
        ("dense_1/kernel", pr.GroupLasso(2e-2, axis=0)),
        ("dense_2/kernel", None),
    ]
)
one = jax.tree.map(lambda leaf: leaf[0], data)  # the first seed
mixed = jax.jit(lambda data: retrain(sparsify(layers, data), data))(one)
report = pr.sparsity(mixed, layers)
print(report)
print(f"{accuracy(mixed, *one['test']):.1%} of the test images are right")

rows = {leaf.path: leaf for leaf in report.leaves}
assert rows["dense_2/kernel"].nonzero == rows["dense_2/kernel"].size
assert rows["dense_1/kernel"].dead_groups > 0
second = mixed["dense_1"]["kernel"]
assert jnp.all(jnp.all(second == 0, axis=0) | jnp.all(second != 0, axis=0))
assert rows["dense_0/kernel"].nonzero < 0.2 * rows["dense_0/kernel"].size
assert accuracy(mixed, *one["test"]) > 0.93

# %% [markdown]
# A slip in an expression does not leave a layer without its penalty in silence:

# %%
try:
    pr.proximal_adam(1e-3, pr.by_path([("dens_0/kernel", pr.L1(1e-3))])).init(mixed)
    message = ""
except ValueError as error:
    message = str(error)
print(message)
assert "dense_0/kernel" in message  # what it may have meant

# %% [markdown]
# ## A strength that rises
#
# `strength=` is a factor on the penalty, a number or an optax schedule. A strong penalty from the first step on removes
# weights before the data had a chance to say which matter; in the extreme it removes all, and a network without
# weights does not come back. Raised slowly, the same penalty ends at about as many zeros with a network that works.
# One phase of 99 epochs at three strengths, from the start (dashed) and rising over the first half (solid); mean over
# the seeds.

# %%
strong = jnp.array([6.4e-3, 1.28e-2, 2.56e-2])


def history(strength, alpha, data):
    """Exact zeros and validation accuracy after each epoch."""
    make = functools.partial(pr.proximal_adam, penalty=l1(alpha), strength=strength)
    return dense(make, data, watch=lambda params: (zeros(params), accuracy(params, *data["validation"])))[1]


histories = {}
for name, strength in (("constant", 1.0), ("rising", rise)):
    lanes = jax.vmap(jax.vmap(functools.partial(history, strength), (None, 0)), (0, None))
    histories[name] = [np.asarray(values.mean(axis=1)) for values in jax.jit(lanes)(strong, data)]

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8))
for name, style in (("constant", "--"), ("rising", "-")):
    for ax, values in zip((left, right), histories[name]):
        for alpha, value, colour in zip(strong, values, ("#b9ac70", blue, "#832db6")):
            label = f"{alpha:g}, {name}"
            ax.plot(range(1, epochs + 1), 100 * value, style, color=colour, label=label)
left.set(title="weights that are exactly zero", xlabel="epoch", ylabel="share of all weights (%)")
right.set(title="validation accuracy", xlabel="epoch", ylabel="right (%)", ylim=(0, 100))
fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
plt.show()

(zeros_at_once, right_at_once), (zeros_risen, right_risen) = histories["constant"], histories["rising"]
assert np.all(zeros_risen[:, 0] < zeros_at_once[:, 0])
assert zeros_at_once[-1, -1] == 1  # the strongest has removed every weight
assert right_at_once[-1, -1] < 0.2
assert zeros_risen[-1, -1] > 0.97
assert right_risen[-1, -1] > 0.7
assert np.all(np.abs(zeros_risen[:, -1] - zeros_at_once[:, -1]) < 0.03)  # about as many zeros
assert np.all(right_risen[1:, -1] > right_at_once[1:, -1] + 0.03)  # a network that works, or works better

# %% [markdown]
# ## Debias: what the second phase is for
#
# A penalty does two things: it tells which weights matter, and it shrinks those as well. Once the pattern is found the
# shrinkage is of no more use. `pr.debias(optimizer)` freezes the zeros that it finds at `init` and trains the rest
# without penalty: the relaxed lasso, for networks.

# %%
alpha = 6.4e-3
found = jax.jit(jax.vmap(functools.partial(sparsify, l1(alpha))))(data)
relaxed = jax.jit(jax.vmap(retrain))(found, data)

fig, axes = plt.subplots(1, 3, figsize=(8, 3))
for ax, name in zip(axes, found):
    before, after = (params[name]["kernel"][0].ravel() for params in (found, relaxed))
    reach = 1.05 * float(jnp.maximum(jnp.abs(before), jnp.abs(after)).max())
    ax.axline((0, 0), slope=1, color="0.7", linestyle=":")
    ax.plot(before[before != 0], after[before != 0], ".", color=blue, markersize=3, label="survivors")
    ax.plot(0, 0, "o", color=orange, markersize=7, label="zeros, which stay")
    ax.set(title=f"{name}/kernel", xlabel="weight after the first phase", xlim=(-reach, reach), ylim=(-reach, reach))
axes[0].set_ylabel("after the second")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
plt.show()


def judge(params):
    """Mean size of the survivors, training loss and test accuracy, means over the seeds."""
    sizes = np.concatenate([np.abs(layer["kernel"]).ravel() for layer in params.values()])
    train_loss = jax.vmap(lambda params, data: loss(params, *data["train"]))(params, data).mean()
    correct = jax.vmap(lambda params, data: accuracy(params, *data["test"]))(params, data).mean()
    return sizes[sizes != 0].mean(), float(train_loss), float(correct)


before, after = judge(found), judge(relaxed)
for name, (size, train_loss, correct) in (("with the penalty", before), ("debiased", after)):
    print(f"{name:17} mean |survivor| {size:.3f}, training loss {train_loss:.4f}, test accuracy {correct:.1%}")

for name, layer in found.items():
    assert jnp.array_equal(layer["kernel"] == 0, relaxed[name]["kernel"] == 0)  # the pattern is the same
assert after[0] > before[0]
assert after[1] < 0.5 * before[1]
assert after[2] > before[2]

# %% [markdown]
# ## Further
#
# * `python -m bench.digits` trains a network of 64-300-100-10 on five seeds with all variants, and measures sizes and
#   times after pruning; its results are in `bench/results/digits.md`.
# * The starting point for a network of your own: `pr.proximal_adam` in place of Adam, a penalty on the kernels, a
#   strength that rises over the first half of training, `pr.sparsity` to look, `pr.debias` to finish, `pr.prune` to
#   ship.
