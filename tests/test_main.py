"""``python -m proxreg``: what it prints and writes is the path; whatever is wrong is said in one line."""

import contextlib
import csv
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import matplotlib.image
import numpy as np
import pytest

import proxreg as pr
from proxreg import __main__ as command
from proxreg.datasets import load_diabetes

RATIOS = (0.1, 0.5, 0.9, 0.95, 1.0)
DATA = load_diabetes()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory to run in, wide enough for all names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    return tmp_path


@pytest.fixture
def diabetes(here):
    """The diabetes data as a file with the target in the middle."""
    with (here / "data.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow([*DATA.feature_names[:4], "price", *DATA.feature_names[4:]])
        writer.writerows([*x[:4], y, *x[4:]] for x, y in zip(DATA.X.tolist(), DATA.y.tolist()))
    return "data.csv"


def run(capsys, *arguments):
    """Exit code, stdout and the lines of stderr."""
    code = command.main(arguments)
    out, err = capsys.readouterr()
    return code, out, err.splitlines()


def parsed(table):
    """The rows of a table: l1_ratio, alpha, non-zeros, loss, worst gap, names that entered."""
    lines = table.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ["l1_ratio", "alpha"])
    rows, ratio = [], ""
    for line in lines[start + 1 :]:
        if not line:
            break
        ratio = line[:8].strip() or ratio
        alpha, nnz, loss, gap, *names = line[8:].split(maxsplit=4)
        rows.append(
            (float(ratio), float(alpha), int(nnz), float(loss), float(gap), names[0].split(", ") if names else [])
        )
    return rows


def order_of_entering(coef):
    """Independent of the report: features by the first alpha at which they are not zero, the larger first."""
    std = DATA.X.std(axis=0)
    key = {j: (k := int(np.flatnonzero(c)[0]), -abs(c[k] * std[j])) for j, c in enumerate(coef.T) if c.any()}
    return [DATA.feature_names[j] for j in sorted(key, key=lambda j: key[j])]


def test_without_arguments_the_table_is_the_diabetes_path(here, capsys):
    code, out, err = run(capsys)
    assert code == 0
    assert err == []
    path = pr.fit_path(*DATA[:2], l1_ratio=RATIOS, standardize=True, tol=1e-8, dtype=np.float64)
    rows = parsed(out)
    assert len(rows) == 25
    for r, ratio in enumerate(RATIOS):
        mine = [row for row in rows if row[0] == ratio]
        assert [name for row in mine for name in row[5]] == order_of_entering(path.coef[r])
        worst = 0.0
        for (_, alpha, nnz, loss, gap, _), k in zip(mine, (0, 25, 50, 74, 99)):
            assert alpha == pytest.approx(path.alphas[r, k], rel=1e-3)
            assert nnz == path.nnz[r, k]
            residual = DATA.y - path.predict(DATA.X)[r, k]
            assert loss == pytest.approx(np.mean(residual**2) / 2, rel=1e-3)
            worst = max(worst, gap)
        assert worst == pytest.approx(path.gap[r].max(), rel=0.06)
    assert f"JAX {jax.__version__} on {jax.devices()[0].platform}" in out
    assert "float64" in out
    assert "442 rows, 10 features, standardised" in out
    assert "squared loss, 100 alphas x 5 l1_ratios in one call: 500 of 500 converged" in out
    assert f"worst certified gap {path.gap.max():.1e} of the loss of the intercept alone" in out
    cold, warm = map(float, re.findall(r"([0-9.]+) s (?:cold|warm)", out))
    assert min(cold, warm) > 0
    written = ["path.png", "cv_coefficients.csv", "cv.json", "cv.png"]
    assert [line[6:] for line in out.splitlines() if line.startswith("wrote ")] == written
    assert sorted(os.listdir(here)) == sorted(written)
    for name in ("path.png", "cv.png"):
        picture = matplotlib.image.imread(name)
        assert picture.shape[0] > 1000
        assert picture.shape[1] > 2000
        assert picture.std() > 0.05
    cv = pr.cv_path(*DATA[:2], l1_ratio=RATIOS, standardize=True, tol=1e-8, dtype=np.float64)
    assert "\ncv     5 folds and all rows: 3000 fits in" in out
    assert f"\n{cv}\n" in out


def test_cross_validation_of_a_file(diabetes, capsys):
    flags = "--target price --l1-ratio 0.5 1 --n-alphas 12 --folds 4 --repeats 2 --seed 3 --metric mse --out new"
    code, out, err = run(capsys, "cv", diabetes, *flags.split())
    assert code == 0
    assert all("best mean mse is at the smallest alpha" in line for line in err)
    options = {"n_alphas": 12, "standardize": True, "tol": 1e-8, "dtype": np.float64, "metric": "mse"}
    with pytest.warns(pr.DataWarning) if err else contextlib.nullcontext():
        cv = pr.cv_path(*DATA[:2], l1_ratio=[0.5, 1], folds=4, repeats=2, key=jax.random.key(3), **options)
    assert f"8 folds and all rows: {24 * 9} fits" in out
    assert f"\n{cv}\n".split("\n", 2)[2] in out  # the table; names of features are known here
    assert sorted(os.listdir("new")) == ["cv.json", "cv.png", "cv_coefficients.csv", "path.png"]
    with open("new/cv_coefficients.csv", newline="") as handle:
        header, *rows = csv.reader(handle)
    assert header == ["feature", "min", "1se"]
    assert [row[0] for row in rows] == ["(intercept)", *DATA.feature_names]
    for column, rule in ((1, "min"), (2, "1se")):
        expected = [cv.intercept(rule), *cv.coef(rule)]
        np.testing.assert_array_equal([float(row[column]) for row in rows], expected)
    everything = json.loads(Path("new/cv.json").read_text())
    np.testing.assert_array_equal(everything["fold_loss"], cv.fold_loss)
    np.testing.assert_array_equal(everything["coef"], cv.path.coef)
    assert everything["rules"]["1se"]["alpha"] == cv.alpha_1se
    np.testing.assert_array_equal(everything["num_steps"], cv.path.num_steps)
    asked = {"target": "price", "folds": 4, "repeats": 2, "seed": 3, "dtype": "float64", "standardize": True}
    assert {name: everything[name] for name in asked} == asked
    assert (everything["tol"], everything["classes"]) == (1e-8, None)
    assert list(everything["rules"]["min"]["coef"].values()) == cv.coef().tolist()


def test_what_is_unknown_is_null(here, capsys):
    (here / "data.csv").write_text("a,b,price\n" + "\n".join(f"{k},{k * k % 7},{k + k % 3}" for k in range(20)))
    code, _, _ = run(
        capsys, "cv", "data.csv", "--target", "price", "--l1-ratio", "1", "--n-alphas", "3", "--loss", "huber"
    )
    assert code == 0

    def refuse(token):
        raise AssertionError(token)

    everything = json.loads(Path("cv.json").read_text(), parse_constant=refuse)
    assert len(everything["alphas"][0]) == 3


def test_a_file_gives_coefficients(diabetes, capsys):
    code, out, err = run(
        capsys, diabetes, "--target", "price", "--l1-ratio", "0.5", "1", "--n-alphas", "12", "--out", "new/dir"
    )
    assert code == 0
    assert err == []
    assert "warm" not in out
    assert out.splitlines()[-2:] == [f"wrote {Path('new/dir/coefficients.csv')}", f"wrote {Path('new/dir/path.png')}"]
    assert sorted(os.listdir("new/dir")) == ["coefficients.csv", "path.png"]
    with open("new/dir/coefficients.csv", newline="") as handle:
        header, *rows = csv.reader(handle)
    assert header == ["l1_ratio", "alpha", "intercept", *DATA.feature_names, "gap", "converged"]
    assert [row[-1] for row in rows] == ["True"] * 24
    numbers = np.array([[float(cell) for cell in row[:-1]] for row in rows]).reshape(2, 12, 14)
    path = pr.fit_path(*DATA[:2], l1_ratio=[0.5, 1], n_alphas=12, standardize=True, tol=1e-8, dtype=np.float64)
    np.testing.assert_array_equal(numbers[..., 0], [[0.5] * 12, [1.0] * 12])
    np.testing.assert_array_equal(numbers[..., 1], path.alphas)
    np.testing.assert_array_equal(numbers[..., 2], path.intercept)
    np.testing.assert_array_equal(numbers[..., 3:-1], path.coef)
    np.testing.assert_array_equal(numbers[..., -1], path.gap)


def test_options_reach_the_fit(diabetes, capsys, monkeypatch):
    seen = {}

    def fit_path(X, y, **options):
        seen.update(options, X=X)
        raise ValueError("a reason\nof two lines")

    monkeypatch.setattr(pr, "fit_path", fit_path)
    flags = "--loss huber --l1-ratio 1 --n-alphas 7 --min-ratio 0.1 --tol 1e-3 --max-steps 9"
    flags += " --dtype float32 --no-standardize --drop age s6"
    assert run(capsys, diabetes, "--target", "price", *flags.split()) == (
        2,
        "",
        ["proxreg: error: a reason of two lines"],
    )
    np.testing.assert_array_equal(seen.pop("X"), DATA.X[:, 1:9])
    assert seen == {
        "loss": "huber",
        "l1_ratio": [1.0],
        "n_alphas": 7,
        "min_ratio": 0.1,
        "tol": 1e-3,
        "max_steps": 9,
        "dtype": np.float32,
        "standardize": False,
        "feature_names": DATA.feature_names[1:9],
    }


@pytest.mark.parametrize("labels", [("healthy", "ill"), ("-1", "1")])
def test_logistic_with_two_classes(here, capsys, labels):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)).round(3)
    one = X[:, 1] + 0.5 * rng.normal(size=60) > 0
    lines = ["state,a,b,c", *(f"{labels[int(t)]},{','.join(map(str, x))}" for t, x in zip(one, X))]
    (here / "data.csv").write_text("\n".join(lines))
    flags = "--target state --loss logistic --l1-ratio 1 --n-alphas 4 --no-standardize --dtype float32"
    code, out, err = run(capsys, "data.csv", *flags.split())
    assert (code, err) == (0, [])
    assert f"target 'state': 1 is {labels[1]!r}, 0 is {labels[0]!r}" in out
    assert "own scale" in out
    rows = parsed(out)
    assert rows[1][5][0] == "b"
    rate = one.mean()
    assert rows[0][3] == pytest.approx(-rate * np.log(rate) - (1 - rate) * np.log(1 - rate), rel=1e-3)
    with open("coefficients.csv", newline="") as handle:
        last = list(csv.DictReader(handle))[-1]
    assert float(last["b"]) > 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "age,price\n1,2\nabc,3\n",
            "row 3, column 'age': 'abc' is not a number; leave the column out with --drop age, or write numbers for it",
        ),
        (
            "age,price\n1,2\n,3\n",
            "row 3, column 'age': missing value; fill them in, or leave out such rows, or columns with --drop NAME",
        ),
        ('age,price\n1,2\n3,"1,017.90"\n', "row 3, column 'price': '1,017.90' is not a number; pass --thousands ','"),
        ("age,prices\n1,2\n", "no column 'price'; did you mean 'prices'?"),
        ("", "the file is empty"),
        (None, "no such file"),
    ],
)
def test_bad_files_are_one_line_with_the_files_name(here, capsys, content, message):
    if content is not None:
        (here / "data.csv").write_text(content)
    code, out, err = run(capsys, "data.csv", "--target", "price")
    assert (code, out, err) == (2, "", [f"proxreg: error: data.csv: {message}"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--target price", "--target needs a file: python -m proxreg data.csv --target NAME"),
        ("--target price --drop a b", "--target and --drop need a file: python -m proxreg data.csv --target NAME"),
        ("--sep ;; data.csv", "--sep takes one character, such as , or ; or \\t, got ';;'"),
        ("data.csv --decimal , --thousands ,", "--decimal and --thousands are both ','; pass --decimal , for a comma"),
        ("--l1-ratio 1 one", "argument --l1-ratio: invalid float value: 'one'"),
        ("--l1-ratio 0.5 cv new.csv", "cv stands in front, and the file behind it: python -m proxreg cv new.csv --l1-"),
        ("--drop new.csv", "--drop needs a value before the file new.csv"),
        ("--l1-ratio 0.5 1 new.csv.gz --target y", "new.csv.gz: no such file"),
        ("--l1-ratio 0.5 2", "l1_ratio must"),
        ("--n-alphas 0", "n_alphas must be"),
        ("--tol -1", "tol must be"),
        ("--out file", "--out file: this is a file, not a directory"),
        ("--out file/below", "--out file/below: Not a directory"),
        ("--n-alphas 40 --l1-ratio 1 --out taken", f"{Path('taken/path.png')}: Is a directory"),
        ("cv a.csv b.csv", "one file at a time, got a.csv, b.csv"),
        ("cv --folds 1", "folds must be from 2"),
        ("cv --repeats 2", "repeats without a key would repeat the same folds: pass --seed N"),
        ("--min-ratio 2", "min_ratio must be > 0 and < 1"),
        ("cv --metric auc", "metric='auc' has no meaning for the squared loss"),
        ("--colour", "unrecognized arguments: --colour (python -m proxreg --help lists the options)"),
        ("--loss absolute", "argument --loss: invalid choice"),
        ("--n-alphas many", "argument --n-alphas: invalid int value: 'many'"),
    ],
)
def test_bad_options_are_one_line(here, capsys, flags, message):
    (here / "file").touch()
    (here / "taken" / "path.png").mkdir(parents=True)
    code, _, err = run(capsys, *flags.split())
    assert code == 2
    assert len(err) == 1
    assert err[0].startswith(f"proxreg: error: {message}")


def test_a_negative_count_is_named_as_other_cells_are(here, capsys):
    (here / "data.csv").write_text("a,count\n1,2\n\n2,-3\n")
    expected = "row 4, column 'count': '-3' is negative; Poisson loss needs counts, 0 or more"
    assert run(capsys, "data.csv", "--target", "count", "--loss", "poisson") == (
        2,
        "",
        [f"proxreg: error: data.csv: {expected}"],
    )


@pytest.mark.parametrize(
    "words",
    [
        "data.csv --target y --drop a b --l1-ratio 1 --n-alphas 3",
        "--target y --l1-ratio 1 --n-alphas 3 --drop a b data.csv",
        "--target y --drop a b --n-alphas 3 --l1-ratio 1 data.csv",
        "--drop a b data.csv --target y --l1-ratio 1 --n-alphas 3",
        "--l1-ratio 1 --drop a b --n-alphas 3 --target y data.csv",
        "--l1-ratio 1 --drop a b --n-alphas 3 --target y table",
    ],
)
def test_the_file_may_stand_anywhere(here, capsys, words):
    text = "a,b,c,d,y\n" + "\n".join(f"{k},x,{k % 3},{k % 5},{k % 3 + 0.1 * (k % 4)}" for k in range(12))
    for name in ("data.csv", "table"):
        (here / name).write_text(text)
    code, out, err = run(capsys, *words.split())
    assert (code, err) == (0, [])
    assert ": 12 rows, 2 features, " in out


def test_cv_may_stand_apart_from_the_file(diabetes, capsys):
    code, _, err = run(capsys, "cv", "--l1-ratio", "1", "--n-alphas", "3", diabetes, "--target", "prise")
    assert code == 2
    assert err[0].startswith("proxreg: error: data.csv: no column 'prise'; did you mean 'price'")
    code, _, err = run(capsys, "cv", "--n-alphas", "3", "--drop", "age", diabetes, "--target", "prise")
    assert code == 2
    assert err[0].startswith("proxreg: error: data.csv: no column 'prise'; did you mean ")


def test_a_file_as_spreadsheets_write_it(here, capsys):
    rows = "\n".join(f"2024-01-{k + 1:02};{'AB'[k % 2]};{k % 3 == 0};1.0{k % 7}0,5;{k % 5},{k}" for k in range(20))
    (here / "data.csv.gz").write_bytes(gzip.compress(f"when;kind;open;size;y\n{rows}".encode()))
    flags = "--target y --decimal , --thousands . --categorical kind --l1-ratio 1 --n-alphas 3"
    code, out, err = run(capsys, "data.csv.gz", *flags.split())
    assert (code, err) == (0, [])
    assert out.splitlines()[1:5] == [
        "data   data.csv.gz: 20 rows, 5 features, standardised, coefficients on the scale of the input",
        "       column 'when': dates, as days since 1970-01-01",
        "       column 'open': 1 is True, 0 is False",
        "       column 'kind': a 0/1 column per level, no level left out as reference: 'kind_A', 'kind_B'",
    ]
    with open("coefficients.csv", newline="") as handle:
        assert next(csv.reader(handle))[3:-2] == ["when", "kind_A", "kind_B", "open", "size"]


def test_warnings_are_one_line_each_and_said_once(here, capsys):
    code, out, err = run(capsys, "--dtype", "float32", "--tol", "1e-12", "--n-alphas", "3")
    assert code == 0
    assert "wrote path.png" in out
    assert len(err) == 2
    assert err[0].startswith("proxreg: warning: tol=1e-12 is below what float32 can certify")
    assert err[0].endswith("; leave out --dtype float32")
    assert err[1].startswith("proxreg: warning: the best mean loss is at the smallest alpha of the grid")
    assert err[1].endswith("; pass a smaller --min-ratio")


def test_warnings_name_options_of_the_command(here, capsys):
    rows = (f"{k % 7},{1e6 * (k % 5)},{k % 3 + k % 7}" for k in range(40))
    (here / "data.csv").write_text("a,b,price\n" + "\n".join(rows))
    flags = "--target price --no-standardize --max-steps 1 --dtype float32 --n-alphas 4"
    code, _, err = run(capsys, "data.csv", *flags.split())
    assert code == 0
    assert "; the penalty falls on the small ones. Leave out --no-standardize, or scale them" in err[0]
    assert err[1].endswith("; raise --max-steps or leave out --no-standardize; or leave out --dtype float32")


@pytest.mark.parametrize(
    ("command", "events", "said"),
    [
        ("cv", 1, "is -infinity; pass --seed N to shuffle the rows, or fewer --folds"),
        ("", 0, "no coefficient matters; pass rows of both kinds"),
    ],
)
def test_errors_name_options_of_the_command(here, capsys, command, events, said):
    rows = (f"{k % 7},{k % 5},{int(k < events)}" for k in range(20))
    (here / "data.csv").write_text("a,b,count\n" + "\n".join(rows))
    code, _, err = run(capsys, *command.split(), "data.csv", "--target", "count", "--loss", "poisson")
    assert code == 2
    assert err[-1].endswith(said)


def test_without_matplotlib_the_rest_works(diabetes, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = run(capsys, diabetes, "--target", "price", "--l1-ratio", "1", "--n-alphas", "3")
    assert (code, err) == (0, [])
    assert out.splitlines()[-2:] == [
        "wrote coefficients.csv",
        "no picture: plotting needs matplotlib: pip install matplotlib",
    ]
    assert not os.path.exists("path.png")


def test_an_interrupt_has_no_traceback(here, capsys, monkeypatch):
    monkeypatch.setattr(pr, "fit_path", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run(capsys) == (130, "", ["proxreg: interrupted"])


def test_help_and_version(capsys):
    for flag, start in (
        ("--help", "usage: python -m proxreg [cv] [data.csv --target NAME]"),
        ("--version", "proxreg "),
    ):
        with pytest.raises(SystemExit) as caught:
            command.main([flag])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(start)


@pytest.mark.parametrize(("arguments", "code"), [(["--n-alphas", "4", "--l1-ratio", "1"], 0), (["none.csv"], 2)])
def test_as_a_program(here, arguments, code):
    root = Path(pr.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "MPLBACKEND": "qtagg"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "proxreg", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == code, done.stderr
    if code:
        assert done.stderr == "proxreg: error: none.csv: no such file\n"
    else:
        assert done.stderr.startswith("proxreg: warning: the best mean loss is at the smallest alpha of the grid")
        assert done.stderr.count("\n") == 1
        assert parsed(done.stdout)[0][:3] == (1.0, 45.16, 0)
        assert (here / "path.png").stat().st_size > 10_000


def test_a_reader_that_leaves_early_is_no_error(here):
    root = Path(pr.__file__).parents[1]
    program = [sys.executable, "-m", "proxreg", "--n-alphas", "40", "--l1-ratio", "1"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
