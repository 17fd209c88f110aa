"""The encoding of a text file: byte order marks, UTF-8, UTF-16 and GB18030; anything else has to be named."""

from __future__ import annotations

import codecs
import re

from psm_analysis.errors import FileError, OptionError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GB_PAIR = re.compile(rb"[\x81-\xfe][\x30-\xfe]")


def decode(content: bytes, *, name: str, encoding: str | None = None) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, the encoding that was used, and notes on what was assumed.

    Parameters
    ----------
    content
        The bytes of the file.
    name
        Name of the file, for messages.
    encoding
        A codec name; None to find it out.

    Raises
    ------
    FileError
        If the bytes are not text in that encoding, with the line of the first byte that does not fit.
    OptionError
        If Python knows no such encoding.

    Examples
    --------
    >>> decode("满意,1".encode("gb18030"), name="a.csv")[:2]
    ('满意,1', 'gb18030')
    """
    if encoding is not None:
        return _decode_as(content, encoding, name=name), encoding, ()
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return _decode_as(content, codec, name=name), codec, ()
    head = content[:4096]
    if head.count(0) > len(head) // 5:
        codec = "utf-16-le" if head[1::2].count(0) >= head[0::2].count(0) else "utf-16-be"
        return _decode_as(content, codec, name=name), codec, (f"{codec} was assumed: the file has no byte order mark.",)
    try:
        return content.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError as error:
        return _decode_gb18030(content, name=name, utf8=error)


def _decode_as(content: bytes, encoding: str, *, name: str) -> str:
    try:
        return content.decode(encoding)
    except LookupError as error:
        raise OptionError(
            f"encoding={encoding!r} is not known.",
            where="argument 'encoding'",
            remedy="Use, for example, utf-8, gb18030, utf-16 or latin-1.",
        ) from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"The file is not text in the encoding {encoding}: byte 0x{content[error.start]:02x} does not fit.",
            where=f"{name}, line {_line(content, error.start)}",
            remedy="Leave the encoding out to have it found, or name the one the file was saved in.",
        ) from error


def _decode_gb18030(content: bytes, *, name: str, utf8: UnicodeDecodeError) -> tuple[str, str, tuple[str, ...]]:
    pairs = _GB_PAIR.findall(content)
    chinese = sum(pair[1] >= 0xA1 for pair in pairs)
    try:
        if chinese < 0.7 * len(pairs):
            raise utf8
        note = "The encoding gb18030 was found out from the bytes, not stated; check that the Chinese text is readable."
        return content.decode("gb18030"), "gb18030", (note,)
    except UnicodeDecodeError as error:
        raise FileError(
            f"The encoding of the file is neither UTF-8, UTF-16 nor GB18030: byte 0x{content[utf8.start]:02x}"
            " does not fit.",
            where=f"{name}, line {_line(content, utf8.start)}",
            remedy="Save the file as UTF-8, or name its encoding, for example encoding='latin-1' or 'big5'.",
        ) from error


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
