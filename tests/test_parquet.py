"""Parquet files on the command line: what their types stand for, and every error with its row and column."""

import datetime
import sys

import numpy as np
import pytest

from proxreg._cli.table import TableError, read_table


def message(file, **options):
    """What is said of a file that cannot be read."""
    with pytest.raises(TableError) as caught:
        read_table(file, "y", **options)
    return str(caught.value)


def test_without_pyarrow_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    file = tmp_path / "data.parquet"
    file.write_bytes(b"PAR1 no table at all PAR1")
    assert message(file) == "this is a Parquet file, and reading it needs pyarrow: pip install pyarrow"


FRAME = {
    "n": [3, 1, 2],
    "x": [0.5, 1e300, -0.25],
    "open": [True, False, True],
    "day": [datetime.date(1970, 1, 3), datetime.date(1969, 12, 31), datetime.date(2024, 1, 1)],
    "time": [datetime.datetime(1970, 1, 1, 6), datetime.datetime(1970, 1, 2), datetime.datetime(1970, 1, 1)],
    "city": ["Bern", "Basel", "Bern"],
    "text": ["1.5", "2", "3"],
    "y": [1, 0, 5],
}


@pytest.fixture
def stored(tmp_path):
    """Columns as a Parquet file."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    def write(columns):
        pq.write_table(pa.table(columns), tmp_path / "data.parquet")
        return tmp_path / "data.parquet"

    return write


def test_parquet(stored):
    table = read_table(stored(FRAME), "y", categorical=["city"], counts=True)
    assert table.feature_names == ("n", "x", "open", "day", "time", "city_Basel", "city_Bern", "text")
    expected = [FRAME["n"], FRAME["x"], [1, 0, 1], [2, -1, 19723], [0.25, 1, 0], [0, 1, 0], [1, 0, 1], [1.5, 2, 3]]
    np.testing.assert_array_equal(table.X, np.transpose(expected))
    np.testing.assert_array_equal(table.y, FRAME["y"])
    assert [note.partition(":")[0] for note in table.notes] == [
        f"column {n!r}" for n in ("open", "day", "time", "city")
    ]


@pytest.mark.parametrize("label", [["no", "yes", "no"], [False, True, False], [0, 1, 0]])
def test_classes_in_parquet(stored, label):
    table = read_table(stored({"a": [1, 2, 3], "y": label}), "y", classes=True)
    np.testing.assert_array_equal(table.y, [0, 1, 0])
    assert table.classes == (str(label[0]), str(label[1]))


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        (
            {"a": [1.0, None, float("nan")], "y": [1, 2, 3]},
            {},
            "row 2, column 'a': missing value (the first of 2); fill them in, or leave out such rows, or columns with "
            "--drop NAME",
        ),
        ({"a": [1.0, float("inf")], "y": [1, 2]}, {}, "row 2, column 'a': 'inf' is not finite"),
        (
            {"a": [1, 2], "y": [1, -3]},
            {"counts": True},
            "row 2, column 'y': '-3' is negative; Poisson loss needs counts, 0 or more",
        ),
        (
            {"a": [1, 2], "y": [True, False]},
            {},
            "row 1, column 'y': 'True' is not a number; pass --loss logistic for two classes",
        ),
        (
            {"a": [[1], [2]], "y": [1, 2]},
            {},
            "column 'a' holds list<element: int64>, neither numbers, text nor dates; leave it out with --drop",
        ),
        (
            {"a": [1, 2], "__index_level_0__": [5, 6], "y": [1, 2]},
            {},
            "column '__index_level_0__' is the index of a data frame; leave it out with --drop __index_level_0__",
        ),
        ({"a": [1], "y": [1]}, {"drop": ["b"]}, "no column 'b'; the columns are 'a', 'y'"),
    ],
)
def test_errors_in_parquet(stored, columns, options, expected):
    assert message(stored(columns), **options) == expected
