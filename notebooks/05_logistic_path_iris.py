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
# # proxreg: the L1-logistic path of Iris
#
# Four measurements, two kinds of iris, and the coefficients of an L1-penalised logistic regression from the strongest
# penalty to the weakest: a picture that is in many tutorials, and that is easily wrong. Stochastic solvers stop before
# they have arrived; then the picture shows the solver and not the penalty. Here every fit has a certificate, a second
# one is computed in NumPy for every solver, and two stochastic solvers at their default settings are put beside it.
# What the text claims, a cell asserts.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("proxreg") is None:  # install the clone that this notebook lies in
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "..[plot]", "scikit-learn"])

import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit, xlogy
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier

import proxreg as pr

# colours that colour-blind readers can tell apart (Petroff 2021); dashes and markers do without them
blue, orange, purple = "#3f90da", "#e76300", "#832db6"
colours, lines = [orange, purple, blue, "black"], ["--", ":", "-", "-."]
plt.rcParams.update(
    {
        "axes.prop_cycle": plt.cycler(color=[blue, orange, purple, "black"]),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.constrained_layout.use": True,
        "figure.figsize": (8, 4.2),
        "font.size": 9,
    }
)

size = os.environ.get("PROXREG_NOTEBOOK_SIZE", "full")
n_alphas = {"small": 20, "full": 60}[size]
tol = 1e-8
print(f"size: {size}, {n_alphas} alphas")

# %% [markdown]
# ## The path
#
# Iris setosa against versicolor, 50 flowers of each, measurements in centimetres. The objective is
#
# $$\frac{1}{n} \sum_i \log\left(1 + e^{-y_i (b + x_i^\top w)}\right) + \alpha \|w\|_1 , \qquad y_i = \pm 1,$$
#
# with an intercept that is not penalised.

# %%
iris = load_iris()
names = [name.removesuffix(" (cm)") for name in iris.feature_names]


def two_classes(first, second):
    """Rows of two kinds, and whether they are of the second."""
    rows = np.isin(iris.target, (first, second))
    return iris.data[rows], (iris.target[rows] == second).astype(float)


def certified(X, y):
    """The path, 64-bit, from ``alpha_max`` down to a ten-thousandth of it."""
    return pr.fit_path(
        X,
        y,
        loss="logistic",
        n_alphas=n_alphas,
        min_ratio=1e-4,
        tol=tol,
        dtype="float64",
        feature_names=names,
    )


X, y = two_classes(0, 1)
n = len(y)
path = certified(X, y)
print(path)
assert path.converged.all()
assert path.gap.max() <= tol
assert path.nnz[0] == 0

# %%
fig, ax = plt.subplots(figsize=(8, 3.6))
path.plot(ax=ax)
plt.show()

print("coefficients that are ever used:", ", ".join(np.array(names)[np.any(path.coef != 0, axis=0)]))
assert np.all(path.nnz[1:] == 1)
assert np.all(path.coef[:, [0, 1, 3]] == 0)

# %% [markdown]
# That is all: one curve. The length of the petal alone separates the two kinds, and per unit of $\|w\|_1$ it does so
# best, at every alpha of the grid; the other three coefficients are exactly `0.0`. Since the kinds can be separated,
# the curve grows for ever as alpha falls.
#
# ## A certificate from NumPy
#
# Nobody needs to believe this. For any $\theta$ with $\sum_i \theta_i = 0$, $|x_j^\top \theta| \le n\,\alpha$ for all
# columns and $0 \le t_i - \theta_i \le 1$ (with $t_i$ = 0 or 1 for the class), the minimum is at least
#
# $$D(\theta) = \frac{1}{n} \sum_i H(t_i - \theta_i), \qquad H(q) = -q \log q - (1 - q) \log(1 - q) .$$
#
# Residuals $t_i$ minus the fitted probability, at the best intercept so that they add up to zero, and scaled down until
# the columns allow them, are such a $\theta$. The gap is the objective less $D$, over the objective of the model
# without features. It takes nothing but the data and the coefficients, whoever found them.


# %%
def logistic_loss(X, y, coef, intercept):
    eta = X @ coef + intercept
    return np.mean(np.logaddexp(0, eta) - y * eta)


def best_intercept(X, y, coef):
    """By bisection: where residuals add up to zero."""
    eta = X @ coef
    low, high = -np.abs(eta).max() - 20, np.abs(eta).max() + 20
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.sum(y - expit(eta + middle)) > 0 else (low, middle)
    return (low + high) / 2


def numpy_gap(X, y, coef, intercept, alpha):
    """Relative duality gap of one fit."""
    n, base = len(y), np.mean(y)
    primal = logistic_loss(X, y, coef, intercept) + alpha * np.abs(coef).sum()
    residual = y - expit(X @ coef + best_intercept(X, y, coef))
    theta = residual * min(1.0, n * alpha / np.abs(X.T @ residual).max())
    q = np.clip(y - theta, 0, 1)
    dual = -np.mean(xlogy(q, q) + xlogy(1 - q, 1 - q))
    return (primal - dual) / -(xlogy(base, base) + xlogy(1 - base, 1 - base))


def gaps(X, y, coef, intercept, alphas):
    return np.array([numpy_gap(X, y, *fit) for fit in zip(coef, intercept, alphas)])


ours = gaps(X, y, path.coef, path.intercept, path.alphas)
print(f"worst gap of {n_alphas} fits: {path.gap.max():.1e} by the library, {ours.max():.1e} by NumPy")
assert ours.max() <= 1.1 * tol

# %% [markdown]
# ## Two stochastic solvers
#
# * `LogisticRegression(solver="saga")`, scikit-learn's solver for L1 with any number of classes. Its strength is
#   $C = 1/(n\,\alpha)$, which `pr.convert` says, for C multiplies the sum of the losses and alpha the penalty of their
#   mean.
# * `SGDClassifier(loss="log_loss", penalty="l1")`, whose alpha is ours.
#
# Both at their defaults: 100 passes over the data for SAGA, for SGD up to 1000, or until five of them bring no
# progress. Both leave the intercept unpenalised, so all three solve the same problem.


# %%
def saga(alpha, max_iter=100, **options):
    C = pr.convert(alpha, frm="proxreg", to="C", n=n, loss="logistic")
    return LogisticRegression(l1_ratio=1, C=C, solver="saga", max_iter=max_iter, random_state=0, **options)


def sgd(alpha):
    return SGDClassifier(loss="log_loss", penalty="l1", alpha=alpha, random_state=0)


def stochastic(solver, X, y, alphas):
    """Coefficients, intercepts, and how many fits warned that they had not converged."""
    coef, intercept, warned = [], [], 0
    for alpha in alphas:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model = solver(alpha).fit(X, y)
        warned += bool(caught)
        coef.append(model.coef_[0])
        intercept.append(model.intercept_[0])
    return np.array(coef), np.array(intercept), warned


def compare(X, y, path):
    """By solver coefficients and gaps, and a table of what there is to say."""
    fits = {"proxreg": (path.coef, path.intercept, 0)}
    fits |= {name: stochastic(solver, X, y, path.alphas) for name, solver in (("SAGA", saga), ("SGD", sgd))}
    found = {}
    table = [
        f"{'worst':>17}{'worst':>9}{'median':>9}{'fits that':>12}   features in order of entering,",
        f"{'gap':>17}{'excess':>9}{'gap':>9}{'warn':>12}   with the number of the alpha",
    ]
    for name, (coef, intercept, warned) in fits.items():
        gap = gaps(X, y, coef, intercept, path.alphas)
        losses = np.array([logistic_loss(X, y, *fit) for fit in zip(coef, intercept)])
        excess = (losses + path.alphas * np.abs(coef).sum(axis=1) - path.objective) / path.objective[0]
        enters = np.where(np.any(coef != 0, axis=0), np.argmax(coef != 0, axis=0), len(coef))
        order = [f"{names[j]} ({enters[j]})" for j in np.argsort(enters, kind="stable") if enters[j] < len(coef)]
        found[name] = coef, gap
        line = f"{name:8}{gap.max():9.0e}{np.abs(excess).max():9.0e}{np.median(gap):9.0e}"
        table.append(f"{line}{warned:6d} of {len(gap)}   {', '.join(order)}")
    return found, "\n".join(table)


def draw(found, alphas):
    x = -np.log10(alphas)
    fig, axes = plt.subplots(1, 3, figsize=(8, 3.4), sharex=True, sharey=True)
    axes[0].set_yscale("symlog", linthresh=1)  # SGD's coefficients are up to a hundred times ours
    for ax, (solver, (coef, _)) in zip(axes, found.items()):
        for j, name in enumerate(names):
            curve = np.where(np.cumsum(coef[:, j] != 0) > 0, coef[:, j], np.nan)  # from where it enters
            ax.plot(x, curve, linewidth=1.8, label=name, color=colours[j], linestyle=lines[j])
        ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        ax.set(xlabel=r"$-\log_{10}(\alpha)$", title=solver)
    axes[0].set_ylabel("coefficient")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)


found, table = compare(X, y, path)
print(table)

# %%
draw(found, path.alphas)
plt.show()

# %% [markdown]
# The three share their axes; that of the coefficients is linear from -1 to 1 and logarithmic beyond. Both pictures on
# the right are plausible, and both are wrong: they give all four features a coefficient, one after the other, where one
# feature has all the say. Read as an order of importance they tell of the solver's steps. SAGA warns in most of the
# fits (the warnings are counted here and not shown); SGD does not.
#
# ## The gaps tell
#
# For the stochastic solvers they are, in the median, nearly a million times tol or more. A gap is an upper bound,
# though, and for a poor fit it may be a loose one. The second column of the tables is therefore the excess itself: how
# far the worst objective is above ours, which is within $10^{-8}$ of the minimum, in the same units.


# %%
def draw_gaps(found, alphas):
    x = -np.log10(alphas)
    fig, ax = plt.subplots(figsize=(8, 3.2))
    ax.axhline(tol, color="0.6", linewidth=1)
    ax.text(1.01, tol, "tol", transform=ax.get_yaxis_transform(), va="center", color="0.4")
    for (solver, (_, gap)), colour, marker in zip(found.items(), (blue, orange, "black"), "osx"):
        ax.semilogy(x, np.maximum(gap, 1e-17), marker, color=colour, markersize=4, label=solver)
    ax.set(xlabel=r"$-\log_{10}(\alpha)$", ylabel="relative duality gap, by NumPy", ylim=(3e-18, 100))
    fig.legend(loc="outside right center", frameon=False)


draw_gaps(found, path.alphas)
plt.show()
assert found["proxreg"][1].max() <= 1.1 * tol
for solver in ("SAGA", "SGD"):
    coef, gap = found[solver]
    assert np.median(gap) > 1e4 * tol
    assert np.any(coef[:, [0, 1, 3]] != 0)

# %% [markdown]
# The objective is not to blame, nor is the solver's mathematics: with enough passes SAGA arrives at our coefficients.

# %%
some = path.alphas[n_alphas // 6 : n_alphas // 2 : n_alphas // 6]
patient, _, warned = stochastic(lambda alpha: saga(alpha, max_iter=100_000, tol=1e-7), X, y, some)
same = np.array([path.coef[np.flatnonzero(path.alphas == alpha)[0]] for alpha in some])
print(f"patient SAGA, alphas {', '.join(f'{alpha:.2g}' for alpha in some)}: {warned} warnings,", end=" ")
print(f"coefficients within {np.abs(patient - same).max():.1e} of the path, largest {np.abs(same).max():.2g}")
assert warned == 0
np.testing.assert_allclose(patient, same, atol=1e-2)

# %% [markdown]
# ## Versicolor against virginica
#
# These two overlap, and the path ends at the maximum of the likelihood. Two measurements of the petal carry the first
# part; those of the sepal come late. In the stochastic paths the sepal's come far too early.

# %%
X, y = two_classes(1, 2)
path = certified(X, y)
assert path.converged.all()
found, table = compare(X, y, path)
print(table)
ours, theirs = found["proxreg"], found["SAGA"]
assert ours[1].max() <= 1.1 * tol
assert np.median(theirs[1]) > 1e4 * tol

# %%
draw(found, path.alphas)
plt.show()
draw_gaps(found, path.alphas)
plt.show()

# %% [markdown]
# ## Each kind against the other two
#
# Three responses to one X are three columns of `y`, and one call. Setosa can be separated from the others, so that its
# curve grows without end; versicolor lies between the other two, no straight line sets it apart, and it is explained
# worst by far.

# %%
each = (iris.target[:, None] == np.arange(3)).astype(float)
three = certified(iris.data, each)
share = 1 - (three.objective - three.alphas * np.abs(three.coef).sum(axis=-1)) / three.objective[:, :1]

fig, axes = plt.subplots(1, 3, figsize=(8, 3.4), sharex=True, sharey=True)
for k, (ax, kind) in enumerate(zip(axes, iris.target_names)):
    for j, name in enumerate(names):
        used = np.cumsum(three.coef[k, :, j] != 0) > 0
        curve = np.where(used, three.coef[k, :, j], np.nan)
        ax.plot(-np.log10(three.alphas[k]), curve, linewidth=1.8, label=name, color=colours[j], linestyle=lines[j])
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(xlabel=r"$-\log_{10}(\alpha)$", title=f"{kind}, or not")
axes[0].set_ylabel("coefficient")
fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
plt.show()

print(f"{'':12}{'worst gap':>10}{'by NumPy':>10}{'loss explained at the weakest penalty':>40}")
for k, kind in enumerate(iris.target_names):
    checked = gaps(iris.data, each[:, k], three.coef[k], three.intercept[k], three.alphas[k])
    print(f"{kind:12}{three.gap[k].max():10.1e}{checked.max():10.1e}{share[k, -1]:40.0%}")
    assert checked.max() <= 1.1 * tol
assert three.coef.shape == (3, n_alphas, 4)
assert three.converged.all()
assert np.argmin(share[:, -1]) == 1
