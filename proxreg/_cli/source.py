"""The bytes of a table, unpacked where they are compressed, and what kind of file they are; all told by the bytes."""

import bz2
import gzip
import lzma
import zlib
from pathlib import Path

from proxreg._cli.cells import TableError

_PACKED = {  # first bytes: name, and how to unpack
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
}
_BZIP2_BLOCK = b"1AY&SY"  # after the three letters and a digit, which a header could have
_REFUSED = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save the sheet as CSV",
    b"\x28\xb5\x2f\xfd": "a Zstandard file; unpack it with: unzstd",
}


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked; raise ``TableError`` where it cannot be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise TableError("no such file") from None
    except IsADirectoryError:
        raise TableError("this is a directory, not a CSV file") from None
    except OSError as error:
        raise TableError(error.strerror or str(error)) from None
    for start, (name, unpack) in _PACKED.items():
        if data.startswith(start) and (name != "bzip2" or data[4:10] == _BZIP2_BLOCK):
            try:
                data = unpack(data)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise TableError(f"a damaged {name} file: {error}") from None
            break
    for start, what in _REFUSED.items():
        if data.startswith(start):
            raise TableError(f"this is {what}")
    return data


def is_parquet(data: bytes) -> bool:
    """Return whether the bytes are a Parquet file, which says so at both ends."""
    return data[:4] == data[-4:] == b"PAR1" and len(data) > 8


def decode(data: bytes) -> str:
    """Return the text of UTF-8 bytes without a byte-order mark; raise ``TableError`` where they are none, or blank."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise TableError(f"row {row}: not UTF-8 text (byte 0x{data[error.start]:02x})") from None
    if not text.strip():
        raise TableError("the file is empty")
    return text
