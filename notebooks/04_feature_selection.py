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
# # proxreg: which features matter?
#
# Nine ways to select features, on data whose right answer is known and on the breast-cancer data, where noise is
# planted. How many false features does each select, how many true ones does it miss, and when can one hope for exactly
# the right set? No method wins everywhere, and the text says which one fails where. What it claims, a cell asserts.
#
# Many responses to one X are lanes of one call: `y` of shape `(n, T)` gives T paths, or T cross-validations.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("proxreg") is None:  # install the clone that this notebook lies in
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "..[plot]", "scikit-learn"])

import os
import warnings

import jax
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import false_discovery_control
from sklearn.datasets import load_breast_cancer
from sklearn.feature_selection import RFECV, f_classif, f_regression
from sklearn.linear_model import LinearRegression
from threadpoolctl import threadpool_limits

import proxreg as pr

jax.config.update("jax_enable_x64", True)

# colours that colour-blind readers can tell apart (Petroff 2021); markers and dashes do without them
blue, orange, purple, grey = "#3f90da", "#e76300", "#832db6", "#717581"
looks = [(blue, "-", "o"), (orange, "--", "s"), (purple, ":", "D"), ("black", "-.", "^"), (grey, "-", "v")]
plt.rcParams.update(
    {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.constrained_layout.use": True,
        "figure.figsize": (8, 4.2),
        "font.size": 9,
    }
)

size = os.environ.get("PROXREG_NOTEBOOK_SIZE", "full")
seeds, shuffles, problems, thetas = {
    "small": (6, 1, [(64, 9)], np.array([0.5, 2.5])),
    "full": (100, 3, [(64, 4), (64, 9), (128, 15)], np.array([0.4, 0.7, 1.0, 1.3, 1.8, 2.5])),
}[size]
print(f"size: {size}, {seeds} seeds")

# %% [markdown]
# ## Data with a known answer
#
# 120 rows, 36 columns of unit variance, 6 of which matter, noise of standard deviation 1. Each seed has noise of its
# own, and all seeds are columns of one `Y`. Two designs:
#
# * **neighbours**: column j is correlated $0.6^{|i-j|}$ with column i; each seed draws its own 6 columns, coefficients
#   $\pm 0.7$.
# * **decoys**: columns 0 to 5 matter, with coefficient 0.7. Column 6 is half the sum of columns 0, 1, 2 plus a little
#   noise, column 7 half the sum of 3, 4, 5; neither matters. The others are independent.
#
# The second is made against the lasso: it can select the right set with the right signs only if no wrong column,
# regressed on the right ones, has coefficients that add up to more than 1 in absolute value, each times the sign of
# its column's own coefficient (the irrepresentable condition; Zhao and Yu 2006). For the decoys they add up to about
# $3 \times 0.5 = 1.5$.

# %%
n, p, k, strength = 120, 36, 6, 0.7
rng = np.random.default_rng(0)


def neighbours(n, p, rho):
    """Columns correlated with their neighbours."""
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    return X


def random_supports(count, p, k, strength):
    """Coefficients ``(count, p)``, k of each row not zero, with random signs."""
    W = np.zeros((count, p))
    for w in W:
        w[rng.choice(p, k, replace=False)] = strength * rng.choice([-1, 1], k)
    return W


def irrepresentable(X, w):
    """Largest sum of weights with which the signs of the support predict another column."""
    used = w != 0
    weights = np.linalg.lstsq(X[:, used], X[:, ~used], rcond=None)[0]
    return np.abs(np.sign(w[used]) @ weights).max()


X = rng.standard_normal((n, p))
for decoy, copied in ((6, [0, 1, 2]), (7, [3, 4, 5])):
    X[:, decoy] = 0.5 * X[:, copied].sum(axis=1) + 0.5 * rng.standard_normal(n)
truth = np.tile(np.where(np.arange(p) < k, strength, 0.0), (seeds, 1))
designs = {
    "neighbours": (neighbours(n, p, 0.6), random_supports(seeds, p, k, strength)),
    "decoys": (X, truth),
}
data = {name: (X, X @ W.T + rng.standard_normal((n, seeds)), W) for name, (X, W) in designs.items()}

for name, (X, W) in designs.items():
    print(f"{name:12} the irrepresentable condition holds for {np.mean([irrepresentable(X, w) < 1 for w in W]):.0%}")
assert all(irrepresentable(designs["decoys"][0], w) > 1 for w in truth)

# %% [markdown]
# ## Nine selections
#
# Each takes `X (n, p)`, `Y (n, T)` and says which columns it selects, `(T, p)`. The lasso's
# 100 seeds are lanes of one call; the last five methods of the table go from seed to seed.
#
# | | |
# |---|---|
# | lasso, min / 1se | `cv_path`, with the alpha of the smallest loss, or the largest within a standard error of it |
# | lasso, EBIC | the model of the path with the smallest extended BIC (Chen and Chen 2008) |
# | relaxed, EBIC | the same after refitting each model of the path without penalty (`relax`; Meinshausen 2007) |
# | adaptive, EBIC | the same with penalty factors from a ridge fit (`adaptive`; Zou 2006) |
# | ridge, cut | `ridge_cv`; coefficients above their mean size, scikit-learn's default threshold |
# | F tests, BH | one column at a time, false discovery rate 10 % (Benjamini and Hochberg 1995) |
# | stability | `stability_selection`, at most one false selection expected (Shah and Samworth 2013) |
# | RFECV | scikit-learn: drop the smallest coefficients of least squares, one by one; five folds say how many to keep |


# %%
def by_lasso(X, Y, min_ratio=1e-2):
    """All responses and folds in one call, and five choices from it and from its refit."""
    cv = pr.cv_path(X, Y, folds=5, n_alphas=30, min_ratio=min_ratio, tol=1e-6)
    assert cv.path.converged.all()
    relaxed = pr.relax(cv.path)
    return {
        "lasso, min": cv.coef("min") != 0,
        "lasso, 1se": cv.coef("1se") != 0,
        "lasso, EBIC": pr.information_criterion(cv.path, kind="ebic").coef != 0,
        "relaxed, EBIC": pr.information_criterion(relaxed, kind="ebic").coef != 0,
    }


def one_response(X, y):
    """Two uses of ridge, tests of one column at a time, and what fits hundreds of models to select once."""
    ridge = pr.ridge_cv(X, y).coef("min")
    factor = pr.adaptive(X, y, pilot=ridge)
    path = pr.fit_path(X, y, n_alphas=30, min_ratio=1e-4, penalty_factor=factor, tol=1e-6)
    with threadpool_limits(1):  # least squares this small is several times slower on two threads
        eliminated = RFECV(LinearRegression(), cv=5).fit(X, y).support_
    return {
        "adaptive, EBIC": pr.information_criterion(path, kind="ebic").coef != 0,
        "ridge, cut": np.abs(ridge) >= np.abs(ridge).mean(),
        "F tests, BH": false_discovery_control(f_regression(X, y)[1]) <= 0.1,
        "stability": pr.stability_selection(X, y, key=jax.random.key(0), n_alphas=5).selected,
        "RFECV": eliminated,
    }


def select(X, Y):
    """By method, what it selects for each response ``(T, p)``."""
    each = [one_response(X, y) for y in Y.T]
    return by_lasso(X, Y) | {name: np.array([found[name] for found in each]) for name in each[0]}


# %% [markdown]
# False positives are selected columns that do not matter, false negatives columns that matter and are not selected;
# "exact" is the share of seeds with neither.

# %%
chosen = {name: select(X, Y) for name, (X, Y, _) in data.items()}
false = {
    design: {
        name: np.stack([np.sum(S & (W == 0), axis=1), np.sum(~S & (W != 0), axis=1)]) for name, S in methods.items()
    }
    for (design, methods), (_, _, W) in zip(chosen.items(), data.values())
}
mean = {design: {name: f.mean(axis=1) for name, f in methods.items()} for design, methods in false.items()}
exact = {design: {name: np.mean(~f.any(axis=0)) for name, f in methods.items()} for design, methods in false.items()}

print(f"means over {seeds} seeds" + "".join(f"{design:>29}" for design in false))
print(f"{'':20}" + f"{'false +':>14}{'false -':>8}{'exact':>7}" * 2)
for name in chosen["decoys"]:
    print(f"{name:20}" + "".join("{:14.2f}{:8.2f}{:7.0%}".format(*mean[d][name], exact[d][name]) for d in false))

# %%
names = list(chosen["decoys"])[::-1]
rows = np.arange(len(names))
fig, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharex=True, sharey=True)
for ax, (design, methods) in zip(axes, false.items()):
    for row, (label, colour, marker, shift) in enumerate(
        [("false positives", orange, "s", 0.15), ("false negatives", blue, "o", -0.15)]
    ):
        counts = [methods[name][row] for name in names]
        low, high = np.transpose([np.quantile(each, [0.1, 0.9]) for each in counts])
        ax.hlines(rows + shift, low, high, color=colour, linewidth=2, alpha=0.4)
        ax.plot([each.mean() for each in counts], rows + shift, marker, color=colour, markersize=5, label=label)
    ax.set(title=design, xlabel=f"features ({k} matter, {p - k} do not)")
    ax.set_yticks(rows, names)
    ax.grid(axis="x", color="0.9")
axes[1].legend(frameon=False, loc="lower right", title="mean, and 10-90 % of the seeds")
plt.show()

# %% [markdown]
# What one sees, and why:
#
# * **The lasso that predicts best selects too much**: ten false features, and it misses none. To shrink the right
#   coefficients little it needs an alpha so small that others slip in (Meinshausen and Bühlmann 2006). One standard
#   error halves that; EBIC on the path does no better, since it judges the shrunken fits.
# * **Refitting helps**: the same EBIC after `relax` keeps a third of the false features, and the adaptive lasso fewer.
#   But `relax` takes its supports from the path, and where the decoys enter first no support on it is right.
# * **Stability selection** keeps its promise of few false features among neighbours, and pays with half of the true
#   ones. With the decoys it fails outright: it selects both, in nearly every seed, and little else. Its bound takes
#   features that do not matter to be selected no more often than by chance, and these are not.
# * **Recursive elimination** is the best here: rows are more than three times the columns, and least squares knows
#   neighbours and decoys from what matters. It needs so many rows, and it is the slowest.
# * **F tests** of one column at a time answer another question. A neighbour of a column that matters *is* correlated
#   with the response, and for such a test no false discovery; and columns whose neighbours cancel them are missed.
# * **Ridge** misses nothing, and has no zero: what counts as small is up to whoever cuts.

# %%
near, trap = mean["neighbours"], mean["decoys"]
assert near["lasso, min"][0] > 5
assert near["lasso, 1se"][0] < 0.7 * near["lasso, min"][0]
assert near["adaptive, EBIC"][0] < near["lasso, EBIC"][0]
assert near["relaxed, EBIC"][0] < near["lasso, EBIC"][0]
assert all(exact["decoys"][name] == 0 for name in ("lasso, min", "lasso, 1se", "lasso, EBIC", "relaxed, EBIC"))
assert near["stability"][1] > 1
assert np.mean(chosen["decoys"]["stability"][:, 6:8]) > 0.9
assert size == "small" or exact["decoys"]["RFECV"] == max(exact["decoys"].values())
assert near["F tests, BH"][0] > 5

# %% [markdown]
# ## When can one hope for exactly the right set?
#
# For independent normal columns the lasso finds the right signs, with probability near 1, if n is larger than
# $2\,k\,\log(p-k)$ by any factor, and fails if it is smaller, for large p (Wainwright 2009). So take
# $\theta = n / (2 k \log(p-k))$ for the axis. Each point is one X and 100 responses, each with a support of its
# own, and 20 alphas: 2000 fits in one call. Coefficients are $\pm 0.5$, the noise has standard deviation 0.5.
#
# Left: for several p and k, whether *any* alpha of the path gives exactly the right signs. That is the best that
# one can do with the lasso, however alpha is chosen (to the fineness of the grid). Right:
# p = 64, k = 9, and rules to choose it.

# %%
sigma, responses = 0.5, 100


def recovered(coef, W):
    """Share of responses whose signs are all right."""
    return np.mean(np.all(np.sign(coef) == np.sign(W), axis=-1))


def rows_for(theta, p, k):
    return round(2 * theta * k * np.log(p - k))


best, rules, fits = {}, {}, 0
for p_, k_ in problems:
    for theta in thetas:
        n_ = rows_for(theta, p_, k_)
        X, W = rng.standard_normal((n_, p_)), random_supports(responses, p_, k_, 0.5)
        Y = X @ W.T + sigma * rng.standard_normal((n_, responses))
        grid = {"n_alphas": 20, "min_ratio": 0.02, "tol": 1e-5}
        path = pr.fit_path(X, Y, **grid)
        fits += path.gap.size
        assert path.converged.all()
        right = np.all(np.sign(path.coef) == np.sign(W)[:, None], axis=-1)
        best.setdefault((p_, k_), []).append(right.any(axis=1).mean())
        if (p_, k_) != (64, 9):
            continue
        known = sigma * np.sqrt(2 * np.log(k_) * np.log(p_ - k_) / n_)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pr.DataWarning)  # with few rows the mean predicts some responses best
            cv = pr.cv_path(X, Y, folds=5, **grid)
            ebic = pr.information_criterion(pr.relax(path), kind="ebic")  # and for others the refit of all columns wins
        by_rule = {
            "any alpha of the path": best[p_, k_][-1],
            "alpha from the known noise": recovered(pr.fit_path(X, Y, alphas=[known], tol=1e-5).coef[:, 0], W),
            "relaxed, EBIC": recovered(ebic.coef, W),
            "cross-validation, 1se": recovered(cv.coef("1se"), W),
            "cross-validation, min": recovered(cv.coef("min"), W),
        }
        for rule, share in by_rule.items():
            rules.setdefault(rule, []).append(share)

print(f"{fits} fits in {len(problems) * len(thetas)} calls, each to a relative duality gap of 1e-5")
print(f"{'theta':28}" + "".join(f"{theta:6g}" for theta in thetas))
for name, shares in [*((f"p = {p_}, k = {k_}", b) for (p_, k_), b in best.items()), *rules.items()]:
    print(f"{name:28}" + "".join(f"{share:6.0%}" for share in shares))

# %%
fig, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True)
left = {f"p = {p_}, k = {k_}": shares for (p_, k_), shares in best.items()}
for ax, curves, title in zip(axes, (left, rules), ("any alpha of the path", "p = 64, k = 9: who chooses alpha?")):
    for (label, shares), (colour, line, marker) in zip(curves.items(), looks):
        ax.plot(thetas, np.multiply(100, shares), line, marker=marker, color=colour, markersize=4, label=label)
    ax.axvline(1, color="0.7", linewidth=1, zorder=0)
    ax.set(xlabel=r"$\theta = n\; / \;(2\,k\,\log(p-k))$", title=title)
    ax.legend(frameon=False, fontsize=8)
axes[0].set(ylabel="exactly the right signs (% of responses)", ylim=(-3, 103))
plt.show()

# %% [markdown]
# The curves of different p and k nearly fall on one another: with $2 k \log(p-k)$ as the unit, their shape is what the
# theorem says, though at such sizes the step is a slope, and half of the responses are right between 1.1 and 1.4. A
# criterion for the refits comes near the best; cross-validation, which chooses for prediction, hardly ever finds the
# exact set, however many rows there are.

# %%
assert all(shares[0] < 0.1 and shares[-1] > 0.8 for shares in best.values())
assert max(rules["cross-validation, min"]) < 0.1
assert rules["relaxed, EBIC"][-1] > 0.7

# %% [markdown]
# ## The breast-cancer data
#
# 569 tumours, 30 measurements of cell nuclei, many of which say nearly the same (radius, perimeter and area correlate
# above 0.98). Nobody knows which of them matter. But noise can be planted: a copy of all 30 columns with the rows
# shuffled keeps how the columns hang together and has nothing to do with the diagnosis, so each copy that is selected
# is certainly false. And each method selects on two halves of the rows: do they agree? (Shared features over features
# that either half selects; 1 is full agreement.)
#
# Here the response is the diagnosis as 0 or 1 and the loss is the squared one, as for a linear discriminant; the F test
# of scikit-learn's `f_classif` is then the very one of `f_regression`. The next notebook is about the logistic loss.

# %%
cancer = load_breast_cancer()
Z = (cancer.data - cancer.data.mean(axis=0)) / cancer.data.std(axis=0)
diagnosis = cancer.target.astype(float)
m = Z.shape[1]
np.testing.assert_allclose(f_classif(Z, cancer.target)[0], f_regression(Z, diagnosis)[0])

picked, rng = {}, np.random.default_rng(1)
for _ in range(shuffles):
    doubled = np.hstack([Z, rng.permutation(Z)])
    order = rng.permutation(len(Z))
    for half in (order[: len(Z) // 2], order[len(Z) // 2 :]):
        A, b = doubled[half], diagnosis[half]
        for name, S in (by_lasso(A, b, min_ratio=1e-3) | one_response(A, b)).items():
            picked.setdefault(name, []).append(S)
picked = {name: np.reshape(S, (shuffles, 2, 2, m)) for name, S in picked.items()}  # (shuffle, half, copy, column)
real, planted, agreement = {}, {}, {}
for name, S in picked.items():
    real[name], planted[name] = S.sum(axis=-1).mean(axis=(0, 1))
    one, other = S[:, 0, 0], S[:, 1, 0]
    agreement[name] = np.mean(np.sum(one & other, axis=1) / np.maximum(np.sum(one | other, axis=1), 1))

print(f"{'':20}{'real':>8}{'planted':>9}{'agreement':>11}   means over {2 * shuffles} halves of the rows, of {m} each")
for name in picked:
    print(f"{name:20}{real[name]:8.1f}{planted[name]:9.2f}{agreement[name]:11.2f}")

# %%
share = np.array([S[:, :, 0].mean(axis=(0, 1)) for S in picked.values()])
order = np.argsort(-share.mean(axis=0), kind="stable")
fig, ax = plt.subplots(figsize=(8, 3.8))
mesh = ax.pcolormesh(100 * share[::-1, order], cmap="Greys", vmin=0, vmax=100, edgecolors="white", linewidth=0.5)
ax.set_yticks(np.arange(len(picked)) + 0.5, list(picked)[::-1])
ax.set_xticks(np.arange(m) + 0.5, cancer.feature_names[order], rotation=90, fontsize=7)
ax.tick_params(length=0)
fig.colorbar(mesh, label="selected (% of halves)", pad=0.01)
plt.show()

# %% [markdown]
# The planted columns show who selects too much: the lasso at the smallest cross-validated loss, the cut ridge and
# recursive elimination take several of them. Elimination, the best above, has lost its advantage: among columns that
# say nearly the same, least squares on half of the rows cannot tell which to drop, and the halves agree on little. One
# standard error is uneven: no planted column or one in most halves, many in one of them. EBIC, with or without a refit,
# and stability selection take next to none. The F tests keep nearly all real columns, for each by itself does tell of
# the diagnosis; that both halves agree on them says little.
#
# ## In sum
#
# * To predict, take the lasso at the smallest cross-validated loss, and do not read its support as the truth.
# * To find a support, refit or reweight (`relax`, `adaptive`) and judge by EBIC; with many more rows than columns,
#   elimination is as good or better.
# * To be nearly sure of what is selected, take stability selection, unless a column that does not matter stands for
#   several that do; what it leaves out may matter.
# * No choice of alpha helps much where the rows are fewer than about $2 k \log(p-k)$, and none where the columns
#   themselves mislead.

# %%
assert planted["lasso, min"] > 1
assert planted["RFECV"] > 1
for name in ("lasso, EBIC", "relaxed, EBIC", "stability"):
    assert planted[name] < 1
assert real["F tests, BH"] > 20
assert size == "small" or agreement["RFECV"] < agreement["relaxed, EBIC"]
