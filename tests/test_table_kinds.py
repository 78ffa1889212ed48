"""What pandas' users expect to be read: notations of numbers, truth values, dates, levels, packed files."""

import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import pytest

from proxreg._cli.cells import Notation, number
from proxreg._cli.table import TableError, read_table

SHOP = """when;city;open;area;y
2024-01-31;Bern;True;1.017,90;1
2024-02-01;Basel;false;12,5;-2.000
1969-12-31T12:00;Bern;TRUE;-1.234.567;3,25
"""


@pytest.fixture
def written(tmp_path):
    def write(content, name="data.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


def message(file, **options):
    """What is said of a file that cannot be read."""
    with pytest.raises(TableError) as caught:
        read_table(file, "y", **options)
    return str(caught.value)


def test_everything_at_once_is_what_pandas_reads(written):
    file = written(SHOP)
    table = read_table(file, "y", categorical=["city"], decimal=",", thousands=".")
    frame = pd.read_csv(file, sep=";", decimal=",", thousands=".", parse_dates=["when"], date_format="ISO8601")
    days = (frame.when - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    expected = pd.get_dummies(frame.drop(columns="y").assign(when=days), columns=["city"], dtype=float)
    expected = expected[["when", "city_Basel", "city_Bern", "open", "area"]]  # where the column was
    np.testing.assert_array_equal(table.X, expected.to_numpy(float))
    np.testing.assert_array_equal(table.y, frame.y)
    assert table.feature_names == tuple(expected)
    assert table.notes == (
        "column 'when': dates, as days since 1970-01-01",
        "column 'open': 1 is True, 0 is False",
        "column 'city': a 0/1 column per level, no level left out as reference: 'city_Basel', 'city_Bern'",
    )


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1,017.90", ".", ",", 1017.9),
        ("-1,234,567", ".", ",", -1234567),
        ("12,34,567.5", ".", ",", 1234567.5),  # lakhs
        ("1017.9", ".", ",", 1017.9),
        ("1.017,90", ",", ".", 1017.9),
        ("1\u202f017,9e-1", ",", " ", 101.79),
        ("1\xa0017", ",", " ", 1017),
        ("1'017.", ".", "'", 1017),
        (",5", ",", None, 0.5),
        ("3,5", ".", ",", None),  # pandas reads 35
        ("1,0179", ".", ",", None),
        ("1,,017", ".", ",", None),
        (",017", ".", ",", None),
        ("1.017", ",", None, None),
        ("1,5.2", ",", ".", None),
        ("1_000", ".", ",", None),
        ("nan", ".", ",", None),
    ],
)
def test_notations(text, decimal, thousands, value):
    assert number(text, Notation(decimal, thousands)) == value


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ('"1,017.90"', "pass --thousands ','"),
        ('"3,5"', "pass --decimal ','"),
        ('"1.017,90"', "pass --decimal ',' --thousands '.'"),
        ('"1 017,90"', "pass --decimal ',' --thousands ' '"),
        ("1'017.90", """pass --thousands "'\""""),
        ('"1,017"', "pass --decimal ',' or --thousands ',', whichever is meant"),
    ],
)
@pytest.mark.parametrize("column", ["y", "a"])
def test_another_notation_is_recognised_in_features_and_target(written, column, cell, remedy):
    rows = f"1,{cell}" if column == "y" else f"{cell},1"
    assert message(written(f"a,y\n1,1\n{rows}\n")) == (
        f"row 3, column {column!r}: {cell.strip(chr(34))!r} is not a number; {remedy}"
    )


def test_a_point_among_decimal_commas_is_not_guessed(written):
    expected = "row 3, column 'a': '1.017' is not a number; pass --decimal '.' or --thousands '.', whichever is meant"
    assert message(written("a;y\n1,5;1\n1.017;2\n"), decimal=",") == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "city,y\nBern,1\n",
            "row 2, column 'city': 'Bern' is not a number; pass --categorical city for a 0/1 column per level, or "
            "--drop city to leave it out",
        ),
        (
            "open,y\nTrue,1\n1,2\n",
            "row 3, column 'open': '1' is neither True nor False, as the cells above are; leave the column out with "
            "--drop open, or write numbers for it",
        ),
        (
            "when,y\n2024-01-31,1\n5,2\n",
            "row 3, column 'when': '5' is no date, such as 2024-12-31, as the cells above are; leave the column out "
            "with --drop when, or write numbers for it",
        ),
        (
            "when,y\n2024-01-31T00:00Z,1\n2024-01-31,2\n",
            "row 3, column 'when': '2024-01-31' and the dates above: write all with a time zone, or none",
        ),
        (
            "when,y\n31.12.2024,1\n",
            "row 2, column 'when': '31.12.2024' is not a number; write dates as 2024-12-31; leave the column out with "
            "--drop when, or write numbers for it",
        ),
        (
            "a,y\n1,2024-12-31\n",
            "row 2, column 'y': '2024-12-31' is not a number; a date cannot be the target; write numbers for it",
        ),
        ("a,y\n1,True\n", "row 2, column 'y': 'True' is not a number; pass --loss logistic for two classes"),
        (
            "open,y\nTrue,1\n,2\n",
            "row 3, column 'open': missing value; fill them in, or leave out such rows, or columns with --drop NAME",
        ),
    ],
)
def test_what_cannot_be_read_is_said_by_name(written, content, expected):
    assert message(written(content)) == expected


def test_time_zones_are_taken_to_greenwich(written):
    table = read_table(written("when,y\n1970-01-02T01:00+01:00,1\n1970-01-01T18:00Z,2\n"), "y")
    np.testing.assert_array_equal(table.X[:, 0], [1, 0.75])


def test_levels_are_sorted_as_numbers_and_each_spelling_of_one_is_the_same(written):
    table = read_table(written("k,y\n10,1\n9,2\n9.0,3\n"), "y", categorical=["k"])
    assert table.feature_names == ("k_9", "k_10")
    np.testing.assert_array_equal(table.X, [[0, 1], [1, 0], [1, 0]])


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("a,y\n1,2\n", {"categorical": ["y"]}, "column 'y' is the target; --categorical is for features"),
        (
            "a,b,y\n1,2,3\n",
            {"categorical": ["a"], "drop": ["a"]},
            "column 'a' cannot be both categorical and dropped",
        ),
        ("city,y\n1,2\n", {"categorical": ["City"]}, "no column 'City'; did you mean 'city'?"),
        (
            "a,a_x,y\nx,2,3\n",
            {"categorical": ["a"]},
            "two columns would be called 'a_x'; rename the column, or one of the levels",
        ),
        (
            "a,y\n" + "".join(f"n{k},1\n" for k in range(1001)),
            {"categorical": ["a"]},
            "column 'a' has 1001 levels, more than 1000; leave it out with --drop, or write fewer levels",
        ),
        (
            "a,y\nx,1\nNA,2\n",
            {"categorical": ["a"]},
            "row 3, column 'a': missing value (NA); fill them in, or leave out such rows, or columns with --drop NAME",
        ),
        (
            "a,y\n1,3\n\n2,-1\n",
            {"counts": True},
            "row 4, column 'y': '-1' is negative; Poisson loss needs counts, 0 or more",
        ),
        ("a|y\n1|2\n", {"separator": ";"}, "row 1: one column only; the header needs two or more names between ';'"),
    ],
)
def test_errors_of_choices(written, content, options, expected):
    assert message(written(content), **options) == expected


def test_any_separator(written):
    table = read_table(written("a,b|y\n1|2\n3|4\n"), "y", separator="|")
    assert table.feature_names == ("a,b",)
    np.testing.assert_array_equal(table.y, [2, 4])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files(written, pack):
    table = read_table(written(pack(b"BZh1,y\n1,2\n"), "data.any"), "y")  # a header that begins as bzip2 does
    assert table.feature_names == ("BZh1",)


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (gzip.compress(b"a,y\n1,2\n", mtime=0)[:-9], "a damaged gzip file: "),
        (b"PK\x03\x04rest", "this is a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV"),
        (b"\x28\xb5\x2f\xfdrest", "this is a Zstandard file; unpack it with: unzstd"),
        (b"PAR1 no table at all PAR1", "a damaged Parquet file: "),
    ],
)
def test_files_of_another_kind(written, content, start):
    if b"PAR1" in content:
        pytest.importorskip("pyarrow")
    assert message(written(content)).startswith(start)
