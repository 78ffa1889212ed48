"""Reading a CSV: what works without asking, and every error with its row and column."""

import numpy as np
import pytest

from proxreg._cli import table
from proxreg._cli.table import TableError, read_table

PLAIN = "age,bmi,price\n31,22.5,1\n-4e1,0.5,2\n"

LEAVE = "; leave the column out with --drop age, or write numbers for it"
SEPARATORS = "commas, semicolons or tabs; pass --sep for others"
FILL = "; fill them in, or leave out such rows, or columns with --drop NAME"


@pytest.fixture
def written(tmp_path):
    def write(content):
        file = tmp_path / "data.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", " , "),
        PLAIN.rstrip("\n"),
        "\n" + PLAIN.replace("\n", "\n\n"),
        '"age","bmi","price"\n"31","22.5","1"\n"-4e1",0.5,"2"\n',
        "age;bmi;price\n+31;22.50;1.\n-40;.5;2e0\n",
    ],
)
def test_kinds_of_csv(written, content):
    X, y, names, classes, notes = read_table(written(content), "price")
    np.testing.assert_array_equal(X, [[31, 22.5], [-40, 0.5]])
    np.testing.assert_array_equal(y, [1, 2])
    assert names == ("age", "bmi")
    assert classes is None
    assert notes == ()
    assert X.flags.c_contiguous
    assert X.dtype == y.dtype == np.float64


def test_delimiters_and_line_ends_inside_quotes_belong_to_the_cell(written):
    file = written('"a;b;c;d","line\nbreak",y\n1,2,3\n"4","5",6\n')
    found = read_table(file, "y")
    assert found.feature_names == ("a;b;c;d", "line\nbreak")
    np.testing.assert_array_equal(found.X, [[1, 2], [4, 5]])


def test_the_target_may_stand_anywhere_and_columns_may_be_dropped(written):
    file = written(",name,y,a,b\n0,Ann,1,2,3\n1,Bob,4,5,6\n")
    found = read_table(file, "y", drop=["name", ""])
    np.testing.assert_array_equal(found.X, [[2, 3], [5, 6]])
    np.testing.assert_array_equal(found.y, [1, 4])
    assert found.feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("labels", "classes", "codes"),
    [
        (["yes", "no", " no", "yes"], ("no", "yes"), [1, 0, 0, 1]),
        (["10", "9", "9.0", "10"], ("9", "10"), [1, 0, 0, 1]),
        (["-1", "1", "1", "-1"], ("-1", "1"), [0, 1, 1, 0]),
        (["1", "x", "x", "1"], ("1", "x"), [0, 1, 1, 0]),
    ],
)
def test_two_classes(written, labels, classes, codes):
    found = read_table(
        written("\n".join(["a,b", *(f"{i},{label}" for i, label in enumerate(labels))])), "b", classes=True
    )
    assert found.classes == classes
    np.testing.assert_array_equal(found.y, codes)
    np.testing.assert_array_equal(found.X[:, 0], range(4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        (" \r\n\n", "the file is empty"),
        ("a,y\n", "there is no row below the header"),
        ("a,y\n\n\n", "there is no row below the header"),
        ("age\n1\n", "row 1: one column only; the header needs two or more names between " + SEPARATORS),
        ("a,b,a,y\n1,2,3,4\n", "row 1: column 'a' appears twice"),
        (",b,y\n1,2,3\n", "row 1: column 1 has no name; name it or leave it out with --drop ''"),
        (b"a,y\n1,2\n3,\xe94\n", "row 3: not UTF-8 text (byte 0xe9)"),
        ("a,y\n1,2\n3\n", "row 3 has 1 cells where the header has 2"),
        ("a,y\n1,2,3\n4,5,6\n", "row 2 has 3 cells where the header has 2"),
        ("age,y\n1,2\nabc,3\n", "row 3, column 'age': 'abc' is not a number" + LEAVE),
        ("age,y\n\n1,2\n\nabc,3\n", "row 5, column 'age': 'abc' is not a number" + LEAVE),
        ('age,y\n1,2\n"3,5",3\n', "row 3, column 'age': '3,5' is not a number; pass --decimal ','"),
        ("age,y\n1,2\n1_000,3\n", "row 3, column 'age': '1_000' is not a number" + LEAVE),
        ("age,y\n1,2\n1,inf\n", "row 3, column 'y': 'inf' is not finite"),
        ("age,y\n1,2\n1e999,3\n", "row 3, column 'age': '1e999' is not finite"),
        ("age,y\n1,2\n ,3\n", "row 3, column 'age': missing value" + FILL),
        ("age,y\n1,\n", "row 2, column 'y': missing value" + FILL),
        ("age,y\n1,2\nNA,3\n", "row 3, column 'age': missing value (NA)" + FILL),
        ("age,y\n1,yes\n2,no\n", "row 2, column 'y': 'yes' is not a number; pass --loss logistic for two classes"),
        ("age,y\n1,\n,3\n,\n", "row 2, column 'y': missing value (the first of 4)" + FILL),
        ("age,y\n1,2\nNaN,3\n", "row 3, column 'age': missing value (NaN)" + FILL),
    ],
)
def test_errors(written, content, message):
    with pytest.raises(TableError) as caught:
        read_table(written(content), "y")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("target", "drop", "message"),
    [
        (None, [], "which column to predict? Pass --target NAME with one of 'age', 'bmi', 'price'"),
        ("Price ", [], "no column 'Price '; did you mean 'price'?"),
        ("pricing", [], "no column 'pricing'; did you mean 'price'?"),
        ("weight", [], "no column 'weight'; the columns are 'age', 'bmi', 'price'"),
        ("price", ["ag"], "no column 'ag'; did you mean 'age'?"),
        ("price", ["price"], "column 'price' cannot be both the target and dropped"),
        ("price", ["age", "bmi"], "no feature is left beside the target 'price'"),
    ],
)
def test_errors_in_the_choice_of_columns(written, target, drop, message):
    with pytest.raises(TableError) as caught:
        read_table(written(PLAIN), target, drop=drop)
    assert str(caught.value) == message


def test_near_misses_are_listed_best_first(written):
    with pytest.raises(TableError, match=r"did you mean 'Price_in_EUR' or 'price'\?$"):
        read_table(written("price,Price_in_EUR,size\n1,2,3\n"), "price_in_eu")


def test_a_wide_table_lists_only_some_columns(written):
    names = [f"column{j}" for j in range(40)]
    with pytest.raises(TableError, match=r"'column11' and 28 more$"):
        read_table(written(",".join(names) + "\n"), None)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("abc", "column 'y' has 3 classes ('a', 'b', 'c'); logistic loss needs two"),
        ("11", "column 'y' has 1 class ('1'); logistic loss needs two"),
        ("0123456", "column 'y' has 7 classes ('0', '1', '2', '3', '4' and 2 more); logistic loss needs two"),
        (["a", "", "b"], "row 3, column 'y': missing value" + FILL),
    ],
)
def test_errors_in_classes(written, labels, message):
    with pytest.raises(TableError) as caught:
        read_table(written("\n".join(["x,y", *(f"1,{label}" for label in labels)])), "y", classes=True)
    assert str(caught.value) == message


def test_files_that_are_none(tmp_path):
    with pytest.raises(TableError, match=r"^no such file$"):
        read_table(tmp_path / "none.csv", "y")
    with pytest.raises(TableError, match=r"^this is a directory, not a CSV file$"):
        read_table(tmp_path, "y")
    with pytest.raises(TableError, match=r"[Nn]ame too long"):
        read_table(tmp_path / ("x" * 5000), "y")


def test_both_readers_agree(written, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * 10.0 ** rng.integers(-300, 300, (50, 4))
    rows = [",".join([*map(repr, row.tolist()), "text", "ab"[i % 2]]) for i, row in enumerate(X)]
    file = written("\n".join(["a,b,c,d,e,f", *rows]))
    fast = read_table(file, "f", drop=["e"], classes=True)
    monkeypatch.setattr(table, "_read_fast", lambda *_: None)
    careful = read_table(file, "f", drop=["e"], classes=True)
    np.testing.assert_array_equal(fast.X, X)
    np.testing.assert_array_equal(careful.X, X)
    np.testing.assert_array_equal(fast.y, careful.y)
    assert fast.classes == careful.classes == ("a", "b")


def test_a_clean_file_takes_the_fast_reader(written, monkeypatch):
    monkeypatch.setattr(table, "_read_carefully", None)
    assert read_table(written(PLAIN), "price").X.shape == (2, 2)
