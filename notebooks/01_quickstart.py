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
# # proxreg: a quick start
#
# `proxreg` fits penalised models in JAX:
#
# $$\min_{b,\,w}\;\; \frac{1}{S}\sum_i s_i\,\mathrm{loss}(y_i,\; o_i + b + x_i^\top w) \;+\; \mathrm{pen}(w),
# \qquad S = \sum_i s_i .$$
#
# Here $s_i$ are sample weights (1 unless given), $o_i$ offsets (0 unless given), and the intercept $b$ is never
# penalised. This notebook shows what the penalties do, a whole path of fits in one call with a certificate for each
# fit, what `jax.vmap` adds, and how to bring a loss or a penalty of your own. What the text claims, a cell asserts.
#
# The first cell installs the library from this clone where it is missing, and says what JAX runs on. Everything below
# runs unchanged on a CPU, a GPU or a TPU.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("proxreg") is None:  # install the clone that this notebook lies in
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "..[plot]", "scikit-learn"])

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

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

device, dtype = jax.devices()[0], jnp.zeros(()).dtype
print(f"JAX runs on {device.platform} ({device.device_kind}) in {dtype}")

# %% [markdown]
# ## Penalties
#
# A penalty is an object with a strength and two methods: its value, and its **prox map**
#
# $$\mathrm{prox}(v, t) = \arg\min_u\; \mathrm{pen}(u) + \frac{\|u - v\|^2}{2t} ,$$
#
# which shrinks, projects or sets to zero. A solver takes a gradient step on the loss, then the prox of the penalty;
# that is how coefficients become *exactly* `0.0`.

# %%
penalties = {
    "L1": pr.L1(1.0),
    "L2": pr.L2(1.0),
    "ElasticNet": pr.ElasticNet(1.0, l1_ratio=0.5),
    "NonNegative": pr.NonNegative(),
    "Box": pr.Box(-0.5, 1.5),
}
v = jnp.linspace(-3, 3, 601)
step = 1.0

fig, axes = plt.subplots(2, len(penalties), figsize=(8, 4.2), sharex=True, sharey="row")
for (name, pen), (top, bottom) in zip(penalties.items(), axes.T):
    value = jax.vmap(pen.value)(v[:, None])
    prox = pen.prox(v, step)
    zero = prox == 0

    top.plot(v, value, color=blue)
    top.fill_between(v, 0, 1, where=jnp.isinf(value), transform=top.get_xaxis_transform(), color="0.9")
    top.set_title(name)
    bottom.plot(v, v, color="0.7", linestyle=":", label="no penalty")
    bottom.plot(v, prox, color=blue, label="prox(v)")
    if zero.sum() > 1:
        bottom.plot(v[zero], prox[zero], color=orange, linewidth=4, label="exactly 0")
    top.set_xlabel("w")
    bottom.set_xlabel("v")
axes[0, 0].set(ylabel="pen(w)", ylim=(-0.2, 4.5), xticks=(-2, 0, 2))
axes[1, 0].set(ylabel="prox(v, 1)", ylim=(-3, 3))
axes[0, -1].text(-1.75, 2.2, r"$\infty$", ha="center", va="center")
axes[0, -1].text(2.25, 2.2, r"$\infty$", ha="center", va="center")
axes[0, -2].text(-1.5, 2.2, r"$\infty$", ha="center", va="center")
fig.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
plt.show()

# %% [markdown]
# `L1` and `ElasticNet` have an interval that they map to zero; `L2` only scales, so it never gives a zero;
# `NonNegative` and `Box` project. Each curve is the true minimiser, here by trying every point of a fine grid.

# %%
u = np.linspace(-3, 3, 6001)
for name, pen in penalties.items():
    worth = np.asarray(jax.vmap(pen.value)(jnp.asarray(u)[:, None]))
    brute = [u[np.argmin(worth + (u - x) ** 2 / (2 * step))] for x in np.asarray(v)]
    np.testing.assert_allclose(pen.prox(v, step), brute, atol=2e-3, err_msg=name)

assert jnp.array_equal(penalties["L1"].prox(v, step) == 0, jnp.abs(v) <= 1.0)
assert jnp.array_equal(penalties["ElasticNet"].prox(v, step) == 0, jnp.abs(v) <= 0.5)
assert jnp.array_equal(penalties["L2"].prox(v, step) == 0, v == 0)

# %% [markdown]
# `GroupLasso` keeps or drops a whole group of coordinates. In two dimensions, with $t = \alpha = 1$:
# `L1` sets each coordinate to zero on its own (the bands; both inside the square), `GroupLasso` sets both to zero
# inside the disc $\|v\| \le t\,\alpha$ and otherwise shortens $v$ without turning it.

# %%
grid = jnp.linspace(-2.1, 2.1, 8)
points = jnp.stack(jnp.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
edge = np.linspace(0, 2 * np.pi, 200)

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 4.2), sharex=True, sharey=True)
shadow = {"color": orange, "alpha": 0.2, "linewidth": 0}
left.axhspan(-1, 1, **shadow)
left.axvspan(-1, 1, **shadow)
right.fill(np.cos(edge), np.sin(edge), **shadow)
images = [jax.vmap(lambda point, pen=pen: pen.prox(point, 1.0))(points) for pen in (pr.L1(1.0), pr.GroupLasso(1.0))]
for ax, name, image in zip((left, right), ("L1", "GroupLasso"), images):
    dead = np.all(image == 0, axis=1)
    start, move = points[~dead], (image - points)[~dead]
    ax.quiver(*start.T, *move.T, angles="xy", scale_units="xy", scale=1, color=blue, width=0.006)
    ax.plot(*start.T, "o", color=blue, markersize=3, label="v, with an arrow to prox(v, 1)")
    ax.plot(*points[dead].T, "o", color=orange, markersize=5, label="v that becomes exactly (0, 0)")
    ax.set(title=name, xlabel="$v_1$", aspect="equal")
left.set_ylabel("$v_2$")
fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
plt.show()

by_coordinate, by_group = images
norms = jnp.linalg.norm(points, axis=1)
assert jnp.array_equal(by_coordinate == 0, jnp.abs(points) <= 1)
assert jnp.array_equal(by_group == 0, jnp.stack([norms <= 1] * 2, axis=1))
turned = by_group[:, 0] * points[:, 1] - by_group[:, 1] * points[:, 0]
np.testing.assert_allclose(turned, 0, atol=1e-5)
np.testing.assert_allclose(jnp.linalg.norm(by_group, axis=1), jnp.maximum(norms - 1, 0), atol=1e-5)

# %% [markdown]
# ## A whole path in one call
#
# The diabetes data: ten measurements of 442 patients, and the progression of the disease a year later. `fit_path`
# fits 100 strengths `alpha` at once, from the smallest that sets all coefficients to zero downwards.

# %%
X, y, names = pr.datasets.load_diabetes()
path = pr.fit_path(X, y, standardize=True, feature_names=names)
print(path)

assert path.converged.all()
assert path.nnz[0] == 0 < path.nnz[1]
assert path.coef.dtype == dtype

# %% [markdown]
# Coefficients come back on the scale of the columns; multiplied by the columns' standard deviations they can be
# compared. `s5` (triglycerides) and `bmi` (body mass index) enter first.

# %%
fig, ax = plt.subplots()
path.plot(scale=X.std(axis=0), ax=ax)
plt.show()

enters = np.argmax(path.coef != 0, axis=0)
order = [names[j] for j in np.argsort(enters, kind="stable")]
print("in order of entering:", ", ".join(order))
assert set(order[:2]) == {"bmi", "s5"}

# %% [markdown]
# ## Every fit has a certificate
#
# `path.gap` bounds how far the objective of each fit is above the minimum, in units of the loss of the intercept-only
# model. It is a duality gap: any $\theta$ with $|z_j^\top \theta| \le n\,\alpha$ for all (centred, scaled) columns
# $z_j$ gives a lower bound of the minimum, and the residual, scaled down until it fits, is such a $\theta$. Nothing of
# this needs the solver, so here it is again in NumPy.

# %%
Z = (X - X.mean(axis=0)) / X.std(axis=0)
centred = y - y.mean()
n = len(y)
null_loss = centred @ centred / (2 * n)


def lasso_gap(coef, alpha):
    """Relative duality gap of one fit, in float64."""
    w = coef.astype(np.float64) * X.std(axis=0)
    residual = centred - Z @ w
    objective = residual @ residual / (2 * n) + alpha * np.abs(w).sum()
    theta = residual * min(1.0, alpha / np.abs(Z.T @ residual / n).max())
    bound = (centred @ centred - (centred - theta) @ (centred - theta)) / (2 * n)
    return (objective - bound) / null_loss


independent = np.array([lasso_gap(*fit) for fit in zip(path.coef, path.alphas)])
print(f"worst gap: {path.gap.max():.2e} from the library, {independent.max():.2e} from NumPy")
assert path.gap.max() <= 1e-4  # the default tol
np.testing.assert_allclose(path.gap, independent, atol=1e-5)  # as far as float32 can tell

# %% [markdown]
# JAX computes in float32 unless told otherwise. `dtype="float64"` gives a 64-bit fit without switching JAX globally,
# and then the gap can be made far smaller. The float32 path is indeed no further from the optimum than its gap says.

# %%
exact = pr.fit_path(X, y, standardize=True, alphas=path.alphas, dtype="float64", tol=1e-10)

assert exact.coef.dtype == np.float64
assert jnp.zeros(()).dtype == dtype  # the rest of JAX is as it was
independent = np.array([lasso_gap(*fit) for fit in zip(exact.coef, exact.alphas)])
np.testing.assert_allclose(exact.gap, independent, rtol=1e-3, atol=1e-13)
assert exact.gap.max() <= 1e-10

excess = (path.objective - exact.objective) / null_loss
assert np.all(excess <= path.gap + 1e-5)

fig, ax = plt.subplots(figsize=(8, 3))
x = -np.log10(path.alphas)
ax.axhline(1e-4, color=blue, linestyle=":")
ax.axhline(1e-10, color=orange, linestyle=":")
ax.semilogy(x, path.gap, ".", color=blue, label=f"{path.coef.dtype}, tol = 1e-4")
ax.semilogy(x, exact.gap, "x", color=orange, markersize=4, label="float64, tol = 1e-10")
ax.set(xlabel=r"$-\log_{10}(\alpha)$", ylabel="relative duality gap", ylim=(1e-13, 1e-2))
ax.set_title("a certificate for every fit")
ax.legend(loc="center", frameon=False)
plt.show()

# %% [markdown]
# ## `vmap` over anything
#
# Beneath `fit_path` are pure functions. `pr.LinearModel` is the loss part of the problem, `pr.fista` minimises it plus
# a penalty, and the strength is an ordinary array: it can be traced and batched, and changing it does not compile
# anything again.

# %%
model = pr.LinearModel(jnp.asarray(Z), jnp.asarray(y), fit_intercept=True)
traced = []


@jax.jit
def solve(alphas):
    traced.append(alphas.shape)  # Python runs this line only when JAX traces
    return jax.vmap(lambda alpha: pr.fista(model, pr.L1(alpha)))(alphas)


lanes = solve(jnp.asarray(path.alphas))
weaker = solve(jnp.asarray(path.alphas) / 2)
stronger = solve(jnp.asarray(path.alphas) * 2)

print("traces:", len(traced))
assert len(traced) == 1
assert jnp.all(lanes.status == pr.Status.CONVERGED)
np.testing.assert_allclose(lanes.objective, exact.objective, rtol=1e-4)
assert not jnp.any(stronger.w.coef[0])

# %% [markdown]
# ### Over penalties
#
# A penalty is a pytree and its hyper-parameters are leaves, so one object can hold a whole batch of penalties. Here
# are 40 alphas by 28 mixing ratios of the elastic net, 1120 fits. Right of the line $\alpha = \alpha_{\max} /
# \mathrm{l1\_ratio}$ every coefficient is exactly zero.

# %%
alpha_max = pr.alpha_max(X, y, standardize=True)
alphas, ratios = jnp.meshgrid(alpha_max * jnp.geomspace(1e-3, 10, 40), jnp.linspace(0.1, 1, 28))
batch = pr.ElasticNet(alpha=alphas, l1_ratio=ratios)
fits = jax.jit(jax.vmap(jax.vmap(lambda pen: pr.fista(model, pen))))(batch)
nnz = jnp.sum(fits.w.coef != 0, axis=-1)

fig, ax = plt.subplots()
colour_map = plt.get_cmap("cividis", 11)
mesh = ax.pcolormesh(alphas, ratios, nnz, cmap=colour_map, vmin=-0.5, vmax=10.5, shading="nearest")
ax.plot(alpha_max / ratios[:, 0], ratios[:, 0], color="white", linewidth=2)
ax.text(alpha_max * 1.45, 0.86, "all zero", color="white")
ax.set(xscale="log", xlabel=r"$\alpha$", ylabel="l1_ratio", title="elastic net on the diabetes data")
fig.colorbar(mesh, label="number of non-zeros", ticks=range(11))
plt.show()

assert fits.status.size == 1120
assert jnp.all(fits.status == pr.Status.CONVERGED)
assert jnp.all(nnz[alphas * ratios > alpha_max * 1.001] == 0)
assert jnp.all(nnz[alphas * ratios < alpha_max * 0.9] > 0)

# %% [markdown]
# ### Over bootstrap samples
#
# Drawing rows with replacement is the same as weighting row $i$ by the number of times it was drawn, so the data stay
# where they are and only the weights are batched. How often is each measurement selected at one alpha?

# %%
alpha = 0.1 * alpha_max
samples = 200


def count(key):
    """How often each row is drawn: multinomial counts."""
    return jnp.bincount(jax.random.choice(key, n, (n,)), length=n).astype(dtype)


@jax.jit
@jax.vmap
def refit(weights):
    weighted = pr.LinearModel(jnp.asarray(Z), jnp.asarray(y), sample_weight=weights, fit_intercept=True)
    return pr.fista(weighted, pr.L1(alpha))


counts = jax.vmap(count)(jax.random.split(jax.random.key(0), samples))
boots = refit(counts)
frequency = np.asarray(jnp.mean(boots.w.coef != 0, axis=0))
by_frequency = np.argsort(frequency)

fig, ax = plt.subplots(figsize=(8, 3.4))
ax.barh(range(10), frequency[by_frequency], color=blue)
ax.set_yticks(range(10), np.array(names)[by_frequency])
ax.bar_label(ax.containers[0], fmt="{:.0%}", padding=3)
ax.xaxis.set_major_formatter("{x:.0%}")
ax.set(xlabel=f"share of {samples} bootstrap samples in which it is selected", xlim=(0, 1.08))
ax.set_title(rf"stability of the selection at $\alpha$ = {alpha:.2f}")
plt.show()

assert jnp.all(boots.status == pr.Status.CONVERGED)
assert frequency[names.index("bmi")] == frequency[names.index("s5")] == 1
rows = np.repeat(np.arange(n), np.asarray(counts[0]).astype(int))
drawn = pr.fit(Z[rows], y[rows], penalty=pr.L1(alpha), tol=1e-5)
np.testing.assert_allclose(boots.objective[0], drawn.objective, rtol=1e-4)

# %% [markdown]
# ## Your own loss
#
# Any function `(eta, y) -> loss of each sample` that is convex and smooth in `eta` will do; derivatives come by
# automatic differentiation. Log-cosh is quadratic for small errors and linear for large ones, so outliers pull with a
# bounded force. Its dual is not known to the library: `gap` is NaN, and the solver stops on the optimality conditions
# (`violation`) instead.
#
# The data: 200 samples, 40 features, of which 5 matter, and one response in ten is off by up to 40.
# Each strength is 0.3 of the one that sets all coefficients to zero.


# %%
def log_cosh(eta, y):
    error = jnp.abs(eta - y)
    return error + jnp.log1p(jnp.exp(-2 * error)) - jnp.log(2.0)


rng = np.random.default_rng(1)
features = 40
truth = np.zeros(features)
truth[:5] = [3.0, -2.5, 2.0, -1.5, 1.0]
A = rng.standard_normal((200, features))
outlier = rng.random(200) < 0.1
b = A @ truth + 0.5 * rng.standard_normal(200) + 40 * outlier * rng.random(200)

plain = pr.LinearModel(A, b, fit_intercept=True)
robust = pr.LinearModel(A, b, log_cosh, fit_intercept=True)
plain_strength, robust_strength = 0.3 * pr.alpha_max(A, b), 0.3 * pr.alpha_max(A, b, loss=log_cosh)
plain_l1 = pr.fista(plain, pr.L1(plain_strength), tol=1e-4)
robust_l1 = pr.fista(robust, pr.L1(robust_strength), tol=1e-4)


def distance(fit):
    """How far the coefficients are from the truth."""
    return float(np.linalg.norm(fit.w.coef - truth))


errors = jnp.linspace(-100, 100, 401)
pull = jax.vmap(jax.grad(log_cosh), in_axes=(0, None))(errors, 0.0)
assert jnp.all(jnp.abs(pull) <= 1)

for label, fit in (("squared", plain_l1), ("log-cosh", robust_l1)):
    nnz = int(jnp.sum(fit.w.coef != 0))
    print(f"{label:>8}: {nnz:2d} non-zeros, distance to the truth {distance(fit):.2f}")

assert plain_l1.status == robust_l1.status == pr.Status.CONVERGED
assert jnp.isnan(robust_l1.gap)
assert robust_l1.violation <= 1e-4
assert distance(robust_l1) < 0.5 * distance(plain_l1)

# %% [markdown]
# ## Your own penalty
#
# A penalty needs `value` and `prox`. L1 pulls every coefficient towards zero by the same amount, large ones included.
# The minimax concave penalty (MCP; Zhang 2010) fades out instead: it is flat beyond $\gamma\alpha$, so large
# coefficients keep their size. It is not convex, so a fit is a stationary point rather than a certified minimum.


# %%
@pr.pytree_dataclass
class MCP(pr.Penalty):
    """``sum_j alpha |w_j| - w_j^2 / (2 gamma)`` up to ``|w_j| = gamma alpha``, constant from there."""

    alpha: float
    gamma: float = 3.0

    def value(self, w):
        size = jnp.minimum(jnp.abs(w), self.gamma * self.alpha)
        return jnp.sum(self.alpha * size - size**2 / (2 * self.gamma))

    def prox(self, v, step):
        size = jnp.abs(v)
        bent = step < self.gamma  # a longer step makes it a hard threshold
        shrink = 1 - step / jnp.where(bent, self.gamma, 2 * step)
        inner = jnp.sign(v) * jnp.maximum(size - step * self.alpha, 0) / shrink
        firm = jnp.where(size <= self.gamma * self.alpha, inner, v)
        hard = jnp.where(size <= self.alpha * jnp.sqrt(self.gamma * step), 0, v)
        return jnp.where(bent, firm, hard)


def cost(pen, u, v, step):
    """What prox minimises, for one coordinate."""
    return jax.vmap(pen.value)(u[..., None]) + (u - v) ** 2 / (2 * step)


pen = MCP(alpha=0.8)
candidates = jnp.linspace(-4, 4, 8001)
starts = jnp.linspace(-4, 4, 161)
for t in (0.1, 1.0, 2.9, 5.0):
    best = jax.vmap(lambda x, t=t: jnp.min(cost(pen, candidates, x, t)))(starts)
    np.testing.assert_allclose(cost(pen, pen.prox(starts, t), starts, t), best, atol=1e-5)

large = jnp.array([3.0, 10.0])  # beyond gamma alpha = 2.4
np.testing.assert_allclose(large - pr.L1(0.8).prox(large, 1.0), 0.8, rtol=1e-5)
assert jnp.array_equal(pen.prox(large, 1.0), large)
assert pen.value(large[:1]) == pen.value(large[1:])

# %% [markdown]
# It works with other losses, with both solvers and under `vmap`, like the penalties that come with the library. With
# the robust loss it finds the five features, and they are not pulled towards zero.

# %%
robust_mcp = pr.fista(robust, MCP(robust_strength), tol=1e-4)

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), width_ratios=(1, 2.4))
curve = jnp.linspace(-4, 4, 801)
left.plot(curve, curve, color="0.7", linestyle=":")
left.plot(curve, pr.L1(0.8).prox(curve, 1.0), color=blue, label="L1")
left.plot(curve, pen.prox(curve, 1.0), color=orange, label="MCP")
left.set(title="prox map", xlabel="v", ylabel="prox(v, 1)", aspect="equal")
left.legend(frameon=False)

shown = np.arange(12)
right.axhline(0, color="0.7", linewidth=1)
right.hlines(truth[shown], shown - 0.4, shown + 0.4, color="0.3", linewidth=2, label="truth")
for shift, label, fit, look in (
    (-0.22, "squared + L1", plain_l1, {"color": grey, "marker": "s"}),
    (0.0, "log-cosh + L1", robust_l1, {"color": blue, "marker": "o"}),
    (0.22, "log-cosh + MCP", robust_mcp, {"color": orange, "marker": "D"}),
):
    right.plot(shown + shift, fit.w.coef[shown], linestyle="", markersize=5, label=label, **look)
right.set(title=f"the first {len(shown)} of {features} coefficients", xlabel="feature", ylabel="coefficient")
right.set_xticks(shown)
right.legend(frameon=False)
plt.show()

assert robust_mcp.status == pr.Status.CONVERGED
assert jnp.isnan(robust_mcp.gap)
assert robust_mcp.violation <= 1e-4
assert jnp.array_equal(robust_mcp.w.coef != 0, truth != 0)
assert distance(robust_mcp) < 0.5 * distance(robust_l1)

gammas = jnp.array([3.0, 10.0, 1e6])  # from MCP to L1
lanes = jax.vmap(lambda gamma: pr.fista(robust, MCP(robust_strength, gamma), tol=1e-4))(gammas)
assert jnp.all(lanes.status == pr.Status.CONVERGED)
np.testing.assert_allclose(lanes.w.coef[-1], robust_l1.w.coef, atol=1e-3)
by_coordinate = pr.coordinate_descent(robust, MCP(robust_strength), tol=1e-4)
np.testing.assert_allclose(by_coordinate.w.coef, robust_mcp.w.coef, atol=1e-3)

# %% [markdown]
# ## Two classes
#
# The same call with another loss, on scikit-learn's breast cancer data: 569 tumours, 30 measurements. Any two labels
# will do; the fit models the probability of the one that sorts last.

# %%
cancer = load_breast_cancer()
labels = np.where(cancer.target == 0, "malignant", "benign")
tumours = pr.fit_path(
    cancer.data,
    labels,
    loss="logistic",
    standardize=True,
    n_alphas=30,
    min_ratio=1e-2,
    feature_names=cancer.feature_names,
)
print(tumours)

middle = int(np.argmax(tumours.nnz >= 8))
malignant = tumours.predict(cancer.data)[middle]
right_class = np.mean(tumours.predict(cancer.data, kind="class")[middle] == labels)
print(f"with {tumours.nnz[middle]} of 30 measurements {right_class:.1%} of these same tumours are classified right")

fig, ax = plt.subplots()
tumours.plot(scale=cancer.data.std(axis=0), names=6, ax=ax)
plt.show()

assert tumours.converged.all()
assert tumours.classes == ("benign", "malignant")
assert malignant[labels == "malignant"].mean() > 0.5 > malignant[labels == "benign"].mean()
assert right_class > 0.95
