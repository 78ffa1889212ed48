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
# # proxreg: ten thousand models
#
# Alphas x l1_ratios x folds x bootstraps: that is how many elastic nets a careful analysis fits. This notebook fits
# more than ten thousand of them as lanes of one compiled program, with a certificate for each, on whatever device it
# finds. Then it fits the same models in a loop over scikit-learn, and says what the lanes bring and what they do not.
# What the text claims, a cell asserts; times are measured and shown, but they are those of one machine, and no text
# relies on them.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("proxreg") is None:  # install the clone that this notebook lies in
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "..[plot]", "scikit-learn"])

import os
import time
import warnings

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import ElasticNetCV, enet_path
from sklearn.model_selection import KFold

import proxreg as pr

jax.config.update("jax_enable_x64", True)  # gaps of 1e-6 need more digits than float32 has

# colours that colour-blind readers can tell apart (Petroff 2021)
blue, orange, purple, grey = "#3f90da", "#e76300", "#832db6", "#717581"
plt.rcParams.update(
    {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.constrained_layout.use": True,
        "figure.figsize": (8, 4.2),
        "font.size": 9,
    }
)

# %% [markdown]
# ## The device, and how much to ask of it
#
# The environment variable `PROXREG_NOTEBOOK_SIZE` chooses: `small` (about a thousand models), `full` (more than ten
# thousand, the default on a CPU) or `large` (some ninety thousand, the default elsewhere). `at_once` is the number of
# problems whose lanes take their steps together: few enough to stay in the cache of a CPU, many for an accelerator.

# %%
backend, device = jax.default_backend(), jax.devices()[0]
size = os.environ.get("PROXREG_NOTEBOOK_SIZE", "full" if backend == "cpu" else "large")
n, n_alphas, every, bootstraps = {
    "small": (2_000, 20, 2, 8),
    "full": (10_000, 100, 3, 32),
    "large": (10_000, 100, 3, 256),
}[size]
at_once = 1 if backend == "cpu" else 64
print(f"JAX runs on {device.platform} ({device.device_kind}), {len(jax.devices())} of them; size: {size}")
assert jnp.zeros(()).dtype == np.float64

# %% [markdown]
# The data: columns of which each is correlated 0.7 with its neighbours, ten of a hundred that matter, and noise that
# is stronger than they are.

# %%
p, folds, tol = 100, 5, 1e-6
ratios = np.array([0.5, 0.8, 1.0])

rng = np.random.default_rng(0)
X = rng.standard_normal((n, p))
for j in range(1, p):
    X[:, j] = 0.7 * X[:, j - 1] + np.sqrt(1 - 0.7**2) * X[:, j]
truth = np.zeros(p)
truth[5::10] = np.linspace(1, 0.1, 10) * (-1) ** np.arange(10)
y = 3 + X @ truth + 4 * rng.standard_normal(n)

assert np.count_nonzero(truth) == 10
assert np.var(X @ truth) < 0.3 * np.var(y)


def timed(function, *arguments, **options):
    """The result and the seconds it took."""
    start = time.perf_counter()
    result = jax.block_until_ready(function(*arguments, **options))
    return result, time.perf_counter() - start


# %% [markdown]
# ## One path, and a certificate for each fit
#
# `fit_path` takes a vector of `l1_ratio` and fits all alphas for each. `gap` bounds how far the objective of a fit is
# above its minimum, relative to the loss of the intercept-only model; the stopping rule is that very number. The
# first call compiles, the second does not.

# %%
path, first = timed(pr.fit_path, X, y, l1_ratio=ratios, n_alphas=n_alphas, tol=tol)
path, second = timed(pr.fit_path, X, y, l1_ratio=ratios, n_alphas=n_alphas, tol=tol)
print(path)
print(f"\n{path.gap.size} fits, {first:.2f} s with compilation, {second:.2f} s without")

assert path.coef.shape == (len(ratios), n_alphas, p)
assert path.coef.dtype == np.float64
assert path.gap.max() <= tol
assert np.all(path.nnz[:, 0] == 0)

# %% [markdown]
# A certificate should not need the solver that it certifies. Here it is again, in NumPy, from the data: the elastic
# net is a lasso with $p$ extra rows, and its residual, scaled until no column's correlation with it exceeds the L1
# strength, is a point of the dual. The scale 1 is another one where there is an L2 part, and the better of the two
# counts.


# %%
def relative_gap(X, y, coef, intercept, alpha, l1_ratio):
    """Of one fit, over the loss of the intercept-only model."""
    l1, l2, centred = alpha * l1_ratio, alpha * (1 - l1_ratio), y - y.mean()
    residual = y - intercept - X @ coef
    primal = np.mean(residual**2) / 2 + l1 * np.abs(coef).sum() + l2 / 2 * coef @ coef
    residual = residual - residual.mean()
    correlation = X.T @ residual / len(y)
    slope, square = np.mean(residual * centred), np.mean(residual**2)

    scale = min(1.0, l1 / np.abs(correlation - l2 * coef).max())
    dual = scale * slope - scale**2 / 2 * (square + l2 * coef @ coef)
    if l2 > 0:
        excess = np.maximum(np.abs(correlation) - l1, 0)
        dual = max(dual, slope - square / 2 - excess @ excess / (2 * l2))
    return (primal - dual) / (np.mean(centred**2) / 2)


some = [(r, k) for r in range(len(ratios)) for k in range(0, n_alphas, 3)]
independent = np.array(
    [relative_gap(X, y, path.coef[i], path.intercept[i], path.alphas[i], ratios[i[0]]) for i in some]
)
library = max(path.gap[i] for i in some)
print(f"worst of {len(some)} gaps: {independent.max():.2e} from NumPy, {library:.2e} from the library")
assert independent.max() <= 1.01 * tol

# %% [markdown]
# ## Why it is cheap
#
# For the squared loss, the data enter through sums over rows alone. With the matrix $A = [X, y, 1]$ all of them are in
# $A^\top S A$, $S$ the sample weights:
#
# * **One pass over X** serves every alpha and l1_ratio. Sums of disjoint rows add up, so it serves every **fold** too:
#   those of the rows outside a fold are those of all rows less the fold's own.
# * A **bootstrap sample** is a vector of weights: how often each row was drawn.
# * A **gradient step for all lanes is one matrix product**: $G\,[w_1, w_2, \dots] - c$, with $2 p^2$ operations per
#   lane however many rows there are.

# %%
fold_of = np.arange(n) * folds // n  # consecutive rows, as scikit-learn's KFold cuts
A = np.column_stack([X - X.mean(axis=0), y - y.mean(), np.ones(n)])
whole = A.T @ A
for fold in range(folds):
    inside, outside = A[fold_of == fold], A[fold_of != fold]
    np.testing.assert_allclose(whole - inside.T @ inside, outside.T @ outside, atol=1e-9 * n)

G, c = whole[:p, :p] / n, whole[:p, p] / n
W = path.coef.reshape(-1, p).T
together, seconds = timed(lambda: G @ W - c[:, None])
one_by_one, looped = timed(lambda: np.stack([A[:, :p].T @ (A[:, :p] @ w - A[:, p]) / n for w in W.T[::10]], axis=1))
print(f"gradients: {W.shape[1]} lanes from the sums in {1e3 * seconds:.1f} ms", end="; ")
print(f"{one_by_one.shape[1]} lanes one by one from the rows in {1e3 * looped:.0f} ms")
np.testing.assert_allclose(together[:, ::10], one_by_one, atol=1e-10)

# %% [markdown]
# ## alphas x l1_ratios x folds
#
# `cv_path` does this: one pass over X, and then every alpha and l1_ratio on all rows and outside each fold. It warns
# if any fit, in any fold, misses its tolerance; here that would be an error.

# %%
options = {"folds": folds, "l1_ratio": ratios, "n_alphas": n_alphas, "tol": tol}
with warnings.catch_warnings():
    warnings.simplefilter("error")
    pr.cv_path(X, y, **options)  # compiles
    cv, seconds = timed(pr.cv_path, X, y, **options)
cv_fits = cv.alphas.size * (folds + 1)
print(cv)
print(f"\n{n_alphas} alphas x {len(ratios)} l1_ratios x ({folds} folds + all rows) = {cv_fits} fits in {seconds:.2f} s")
assert cv.path.gap.max() <= tol

# %% [markdown]
# scikit-learn's `ElasticNetCV` on the same folds and alphas, at a tolerance that gives the same gap (its `tol` is
# relative to $\|y\|^2$, twice our reference). Its loss is the squared error, ours the objective's own, half of that.
# All losses agree, and so does the choice.

# %%
started = time.perf_counter()
peers = [
    ElasticNetCV(l1_ratio=ratio, alphas=alphas, cv=KFold(folds), tol=tol / 2, max_iter=100_000).fit(X, y)
    for ratio, alphas in zip(ratios, cv.alphas)
]
print(f"scikit-learn: {cv_fits - cv.path.gap.size + len(ratios)} fits in {time.perf_counter() - started:.2f} s")

losses = np.stack([peer.mse_path_.mean(axis=-1) / 2 for peer in peers])
best = int(np.argmin(losses.min(axis=1)))
chosen = np.unravel_index(np.argmin(cv.mean_loss), cv.mean_loss.shape)
print(f"proxreg chooses alpha {cv.alpha_min:.5g}, l1_ratio {cv.l1_ratio_min:g};", end=" ")
print(f"scikit-learn alpha {peers[best].alpha_:.5g}, l1_ratio {ratios[best]:g}")
np.testing.assert_allclose(cv.mean_loss, losses, rtol=1e-5)
np.testing.assert_allclose(losses.min(), cv.mean_loss[chosen], rtol=1e-6)
assert (peers[best].alpha_, ratios[best]) == (cv.alpha_min, cv.l1_ratio_min)

# %%
looks = [(blue, "-", "o"), (orange, "--", "s"), (purple, ":", "D")]
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), width_ratios=(1.4, 1))
for r, (colour, line, marker) in enumerate(looks):
    mean, error, x = cv.mean_loss[r], cv.se_loss[r], np.log10(cv.alphas[r])
    lowest = int(np.argmin(mean))
    near = slice(max(lowest - n_alphas // 6, 0), lowest + n_alphas // 10)
    left.plot(x, mean, line, color=colour, linewidth=1.8, label=f"l1_ratio {ratios[r]:g}")
    if r == chosen[0]:
        left.fill_between(
            x, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0, label="± standard error"
        )
    right.plot(x[near], mean[near], line, color=colour, linewidth=1.8)
    right.plot(x[lowest], mean[lowest], marker, color=colour, markersize=5)
for ax in (left, right):
    ax.plot(np.log10(cv.alpha_min), cv.mean_loss[chosen], "*", color="black", markersize=12, zorder=3, label="chosen")
    ax.set(xlabel=r"$\log_{10}(\alpha)$")
left.set(ylabel="loss on held-out rows (half the squared error)", title=f"mean over {folds} folds")
left.legend(frameon=False, loc="upper left")
right.set(title="enlarged; markers: smallest of each")
plt.show()

# %% [markdown]
# ## alphas x l1_ratios x folds x bootstraps
#
# Nothing in `pr.solve_path` knows of bootstraps. They are an axis like any other: a pure function that solves the whole
# grid of one data set, and `jax.vmap` or `jax.lax.map` around it (`vmap` takes all data sets together, `lax.map` one
# batch after the other). One could put the weights into `pr.LinearModel`, and it would take the sums over rows itself;
# here they are taken once for all folds of a bootstrap, and handed over as `pr.Quadratic`. A lane that is done leaves
# its place to the next. Every fit starts from the one on the data themselves, which is not far.


# %%
blocks = jnp.asarray(A).reshape(folds, n // folds, p + 2)


def centred(sums):
    """The loss whose rows have these sums, and the means of X and y."""
    means = sums[-1, :-1] / sums[-1, -1]
    C = sums[:-1, :-1] / sums[-1, -1] - jnp.outer(means, means)
    return pr.Quadratic(C[:p, :p], C[:p, p], C[p, p] / 2), means


def statistics(weights):
    """Losses of the rows outside each fold and of all rows, leading axis (folds + 1,); sums inside each fold."""
    inside = jnp.einsum("fij,fik->fjk", blocks * weights.reshape(folds, -1, 1), blocks)
    outside = inside.sum(axis=0) - jnp.concatenate([inside, jnp.zeros_like(inside[:1])])
    return *jax.vmap(centred)(outside), inside


def solve(weights, alphas, start):
    """Weights (bootstraps, n), alphas and starts (l1_ratios, alphas): fits, intercepts, losses on held-out rows."""
    smooth, means, inside = jax.lax.map(statistics, weights)
    problems = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), smooth)

    def grid(smooth):
        return pr.solve_path(smooth, pr.ElasticNet(), alphas, l1_ratio=ratios, w0=start, tol=tol)

    found = jax.lax.map(grid, problems, batch_size=at_once)
    fits = jax.tree.map(lambda leaf: leaf.reshape(len(weights), folds + 1, *leaf.shape[1:]), found)

    intercept = means[..., None, None, p] - jnp.einsum("bfj,bfrkj->bfrk", means[..., :p], fits.w)
    residual = jnp.concatenate(  # of [X, y, 1]
        [-fits.w, jnp.ones_like(fits.w[..., :1]), -intercept[..., None]], axis=-1
    )[:, :folds]
    held = jnp.einsum("bfrki,bfij,bfrkj->brk", residual, inside, residual) / (2 * n)
    return fits, intercept, held


counts = rng.multinomial(n, np.full(n, 1 / n), size=bootstraps).astype(float)
part = slice(0, n_alphas * 3 // 5, every)  # of the grid above, down to beyond the choice
alphas, start = cv.alphas[:, part], jnp.asarray(cv.path.coef[:, part])


def compiled(count):
    """The program for so many bootstraps."""
    return jax.jit(solve).lower(jnp.asarray(counts[:count]), alphas, start).compile()


program, compiling = timed(compiled, bootstraps)
(fits, intercept, held), seconds = timed(program, jnp.asarray(counts), alphas, start)
gaps, w, intercept = np.asarray(fits.gap), np.asarray(fits.w), np.asarray(intercept)
print(f"{alphas.shape[1]} alphas x {len(ratios)} l1_ratios x ({folds} folds + all rows) x {bootstraps} bootstraps")
print(f"= {gaps.size} fits in {seconds:.2f} s ({compiling:.1f} s to compile), worst gap {gaps.max():.2e}")

assert gaps.shape == (bootstraps, folds + 1, *alphas.shape)
assert gaps.max() <= tol
assert jnp.all(fits.status == pr.Status.CONVERGED)
assert size == "small" or gaps.size > 10_000
assert cv.alpha_min > alphas[chosen[0]].min()

# %% [markdown]
# Are these the fits that one would get by drawing rows? Forty lanes at random against the drawn rows themselves: no
# weights and no sums in the check.

# %%
centre = X.mean(axis=0)


def drawn(b, fold):
    """The rows of one bootstrap outside one fold; the last fold is empty."""
    rows = np.repeat(np.arange(n), counts[b].astype(int))
    rows = rows[fold_of[rows] != fold]
    return X[rows] - centre, y[rows] - y.mean()


sample = [tuple(rng.integers(gaps.shape)) for _ in range(40)]
independent = np.array([relative_gap(*drawn(*i[:2]), w[i], intercept[i], alphas[i[2:]], ratios[i[2]]) for i in sample])
library = np.array([gaps[i] for i in sample])
print(f"worst of 40 gaps: {independent.max():.2e} from the drawn rows, {library.max():.2e} from the sums")
assert independent.max() <= 1.01 * tol

# %% [markdown]
# What the bootstraps tell. Left: how often a feature is selected (on all rows of a sample, at the l1_ratio that
# cross-validation chose), the stability paths of Meinshausen and Bühlmann (2010). Right: each bootstrap cross-validates
# for itself; a row that was drawn twice is in one fold with its double, so nothing leaks.

# %%
frequency = np.mean(w[:, -1, chosen[0]] != 0, axis=0)  # (alphas, p)
held = np.asarray(held).reshape(bootstraps, -1)
picked_ratio, picked_alpha = np.divmod(held.argmin(axis=1), alphas.shape[1])
grid = alphas[chosen[0]]

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), width_ratios=(1.4, 1))
left.plot(np.log10(grid), 100 * frequency[:, truth == 0], color="0.75", linewidth=0.7)
left.plot(np.log10(grid), 100 * frequency[:, truth != 0], color=blue, linewidth=1.8)
matter = left.plot([], [], color=blue, linewidth=1.8, label=f"{np.count_nonzero(truth)} features that matter")
rest = left.plot([], [], color="0.75", linewidth=0.7, label=f"{np.sum(truth == 0)} that do not")
own = left.axvline(np.log10(cv.alpha_min), color="black", linestyle="--", linewidth=1, label="chosen on the data")
left.set(xlabel=r"$\log_{10}(\alpha)$", ylabel=f"selected (% of {bootstraps} bootstraps)")
left.set(title=f"stability paths, l1_ratio {ratios[chosen[0]]:g}")
handles = [*matter, *rest, own]
for r, (colour, _, marker) in enumerate(looks):
    mine = picked_ratio == r
    if mine.any():
        x, label = (
            np.log10(alphas[r, picked_alpha[mine]]),
            f"l1_ratio {ratios[r]:g} ({mine.sum()} of {bootstraps} bootstraps)",
        )
        handles += right.plot(x, held.min(axis=1)[mine], marker, color=colour, fillstyle="none", label=label)
x = np.log10(cv.alpha_min)
handles += right.plot(x, cv.mean_loss[chosen], "*", color="black", markersize=12, label="the data themselves")
right.set(xlabel=r"chosen $\log_{10}(\alpha)$", ylabel="its loss on held-out rows", title="what each bootstrap chooses")
right.margins(0.25, 0.1)
fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
plt.show()

at_choice = frequency[np.argmin(np.abs(grid - cv.alpha_min))]
strong = np.abs(truth) > 0.5
print(
    f"at the chosen alpha, features with |coefficient| > 0.5 are selected in at least {at_choice[strong].min():.0%}",
    end=" ",
)
print(f"of the bootstraps, those that do not matter in {at_choice[truth == 0].mean():.0%} on average")
assert np.all(at_choice[strong] == 1)
assert at_choice[truth == 0].mean() < 0.5

# %% [markdown]
# ## Against a loop over scikit-learn
#
# Two loops over `enet_path`, the strongest that scikit-learn offers here: warm starts along the alphas, compiled
# coordinate descent on the Gram matrix.
#
# * **From the rows**: draw, cut, centre, `enet_path` for each l1_ratio. What one would write. It is run on one
#   bootstrap.
# * **From the sums**: the trick of this notebook given to scikit-learn. A Cholesky factor $R$ of the sums,
#   $R^\top R = [X, y]^\top S\,[X, y]$, is a data set of $p + 1$ rows with the very same elastic nets, and checks of the
#   input are off. All bootstraps; the time to form the sums is included.


# %%
def peer(X, y, **options):
    """Coefficients (l1_ratios, alphas, p) of centred data."""
    options = {"tol": tol / 2, "max_iter": 100_000} | options
    return [enet_path(X, y, l1_ratio=ratio, alphas=each, **options)[1].T for ratio, each in zip(ratios, alphas)]


def from_rows(b, fold):
    X, y = drawn(b, fold)
    return peer(X - X.mean(axis=0), y - y.mean(), precompute=True)


def from_sums(b, fold):
    G, c, constant = (leaf[b, fold] for leaf in host)
    rows = p + 1
    R = np.sqrt(rows) * np.linalg.cholesky(np.block([[G, c[:, None]], [c[None], 2 * constant]])).T
    Z = np.asfortranarray(R[:, :p])
    return peer(Z, R[:, p].copy(), precompute=rows * G, Xy=rows * c, copy_X=False, check_input=False)


def loop(fit, count):
    """Coefficients, and the seconds after each problem."""
    start, found, clock = time.perf_counter(), [], []
    for b in range(count):
        for fold in range(folds + 1):
            found.append(fit(b, fold))
            clock.append(time.perf_counter() - start)
    return np.reshape(found, (count, folds + 1, *alphas.shape, p)), np.array(clock)


sums = jax.jit(lambda weights: jax.lax.map(statistics, weights)[0])
sums(jnp.asarray(counts))  # compiles
formed, forming = timed(sums, jnp.asarray(counts))
host = jax.tree.leaves(jax.device_get(formed))
w_sums, clock_sums = loop(from_sums, bootstraps)
clock_sums = clock_sums + forming * np.arange(1, len(clock_sums) + 1) / len(clock_sums)
w_rows, clock_rows = loop(from_rows, 1)


def worst_gap(w, sample):
    """From the drawn rows, for lanes (bootstrap, fold, l1_ratio, alpha)."""
    found = []
    for b, fold, r, k in sample:
        X, y = drawn(b, fold)
        coef = w[b, fold, r, k]
        found.append(relative_gap(X, y, coef, y.mean() - X.mean(axis=0) @ coef, alphas[r, k], ratios[r]))
    return max(found)


of_first = [(0, *i[1:]) for i in sample]
rows = [
    ("proxreg, all lanes at once", gaps.size, seconds, max(worst_gap(w, sample), worst_gap(w, of_first))),
    ("scikit-learn, from the rows", w_rows.size // p, clock_rows[-1], worst_gap(w_rows, of_first)),
    ("scikit-learn, from the sums", w_sums.size // p, clock_sums[-1], worst_gap(w_sums, sample)),
]
print(f"{'':30}{'models':>8}{'seconds':>10}{'models/s':>11}{'worst gap':>12}")
for name, models, took, gap in rows:
    print(f"{name:30}{models:8d}{took:10.2f}{models / took:11.0f}{gap:12.1e}")
print(f"\nforming the sums: {forming:.2f} s of the first and of the last")

best = max(rows, key=lambda row: row[1] / row[2])[0]
print(f"most models per second here: {best}")

assert all(gap <= 1.01 * tol for *_, gap in rows)
for other, mine in ((w_sums, w), (w_rows, w[:1])):  # not further apart than two such gaps allow
    assert np.sqrt(np.mean((X @ (other - mine).reshape(-1, p)[::50].T) ** 2, axis=0)).max() < 0.01 * np.std(y)

# %% [markdown]
# The middle row against the last is what the sums bring, whoever uses them. The first against the last is
# what lanes bring over one model after the other, with warm starts and coordinate descent. On a few cores of a CPU and
# with a hundred columns do not expect a gain from them: coordinate descent skips the zeros, and waits for no slower
# neighbour. Lanes are products of matrices, which is what many cores and accelerators are made for. And they bring the
# gap of every model along; that of the loops had to be computed by hand.
#
# ## How it grows
#
# More bootstraps, each 6 x l1_ratios x alphas models. One program for each size, compiled beforehand.

# %%
steps = [count for count in (1, 3, 10, 32, 100) if count < bootstraps]
per = gaps[0].size
models = per * np.array([*steps, bootstraps])
taken = [timed(compiled(count), jnp.asarray(counts[:count]), alphas, start) for count in steps]
took = np.array([*(elapsed for _, elapsed in taken), seconds])

curves = {
    "proxreg": (models, took),
    "scikit-learn, from the rows": (per // (folds + 1) * np.arange(1, len(clock_rows) + 1), clock_rows),
    "scikit-learn, from the sums": (per // (folds + 1) * np.arange(1, len(clock_sums) + 1), clock_sums),
}
fig, ax = plt.subplots()
for (name, (x, seconds_of)), (colour, line, marker) in zip(curves.items(), looks):
    slope = np.polyfit(np.log(x), np.log(seconds_of), 1)[0]
    shown = np.unique(np.geomspace(1, len(x), 12).astype(int)) - 1
    ax.loglog(
        x[shown], seconds_of[shown], marker + line, color=colour, markersize=5, label=f"{name}, slope {slope:.2f}"
    )
    print(f"{name:30}{x[-1]:7d} models in {seconds_of[-1]:6.2f} s, seconds ~ models^{slope:.2f}")
ax.set(xlabel="number of models", ylabel="time (s)", title=f"{n} rows, {p} columns, relative duality gap {tol:g}")
ax.legend(frameon=False)
plt.show()

for count, ((some_fits, *_), _) in zip(steps, taken):
    assert some_fits.gap.max() <= tol
    np.testing.assert_allclose(some_fits.objective, fits.objective[:count], rtol=2 * tol)

# %% [markdown]
# ## In sum

# %%
total = path.gap.size + cv_fits + gaps.size
print(f"{path.gap.size} fits of paths + {cv_fits} of cross-validation + {gaps.size} of bootstraps = {total} models,")
print(f"each with a relative duality gap of at most {max(path.gap.max(), cv.path.gap.max(), gaps.max()):.1e}")
assert total > (1_000 if size == "small" else 10_000)
assert path.converged.all()
assert cv.path.converged.all()
assert jnp.all(fits.status == pr.Status.CONVERGED)
assert max(path.gap.max(), cv.path.gap.max(), gaps.max()) <= tol
