"""The options of file formats.

See https://docs.snowflake.com/en/sql-reference/sql/create-file-format. Every option is either a
field here or refused: no option that could change the loaded rows is ignored.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from local_snowflake.sql.errors import SqlError, unsupported
from local_snowflake.sql.options import Options

_BINARY_FORMATS = {"HEX", "BASE64", "UTF8", "UTF-8"}
_COMPRESSIONS = {"AUTO", "NONE", "GZIP", "ZSTD"}
# Snowflake's names that Python does not have.
_CODECS = {"ISO88591": "iso-8859-1", "ISO885915": "iso-8859-15"}
_CODE = re.compile(r"(?:0x|\\x)([0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class CsvFormat:
    """TYPE = CSV.

    Attributes:
        delimiter: Separates fields.
        record_delimiter: Separates records; a line feed includes CR LF.
        quote: Encloses fields; empty if nothing does.
        escape: Escapes characters in enclosed fields; empty if quotes are doubled.
        escape_unenclosed: Escapes characters in other fields; empty if nothing does.
        skip_header: The number of lines to skip.
        parse_header: Whether the first line names the columns.
        null_if: Strings that mean NULL, enclosed or not.
        empty_as_null: Whether a field without any character, quotes included, is NULL.
        replace_invalid: Whether invalid bytes become U+FFFD.
        encoding: The name of Python's codec.
        compression: AUTO, NONE, GZIP or ZSTD.
        same_width: Whether a record with too many or too few fields is an error.
        trim: Whether blanks around fields are removed.
        binary: How BINARY columns are written: HEX, BASE64 or UTF8.
        date: strptime format of dates; None to detect it.
        time: strptime format of times; None to detect it.
        timestamp: strptime format of timestamps; None to detect it.
    """

    delimiter: str = ","
    record_delimiter: str = "\n"
    quote: str = ""
    escape: str = ""
    escape_unenclosed: str = "\\"
    skip_header: int = 0
    parse_header: bool = False
    null_if: tuple[str, ...] = ("\\N",)
    empty_as_null: bool = True
    replace_invalid: bool = False
    encoding: str = "utf-8"
    compression: str = "AUTO"
    same_width: bool = True
    trim: bool = False
    binary: str = "HEX"
    date: str | None = None
    time: str | None = None
    timestamp: str | None = None


@dataclass(frozen=True)
class JsonFormat:
    """TYPE = JSON.

    Attributes:
        strip_outer_array: Whether each element of an outer array is a record.
        strip_nulls: Whether fields whose value is null are left out.
        null_if: Strings that mean NULL.
        replace_invalid: Whether invalid bytes become U+FFFD.
        compression: AUTO, NONE, GZIP or ZSTD.
        binary: How BINARY columns are written: HEX, BASE64 or UTF8.
        date: strptime format of dates; None to detect it.
        time: strptime format of times; None to detect it.
        timestamp: strptime format of timestamps; None to detect it.
    """

    strip_outer_array: bool = False
    strip_nulls: bool = False
    null_if: tuple[str, ...] = ()
    replace_invalid: bool = False
    compression: str = "AUTO"
    binary: str = "HEX"
    date: str | None = None
    time: str | None = None
    timestamp: str | None = None


@dataclass(frozen=True)
class ParquetFormat:
    """TYPE = PARQUET.

    Attributes:
        binary_as_text: Whether binary columns without a logical type hold text.
        null_if: Strings that mean NULL.
    """

    binary_as_text: bool = True
    null_if: tuple[str, ...] = ()


FileFormat = CsvFormat | JsonFormat | ParquetFormat


def read_format(options: Options) -> FileFormat:
    """Read the options of a file format.

    Raises:
        SqlError: A value is invalid, or an option is unknown.
    """
    kind = str(options.text("TYPE", "CSV")).upper()
    match kind:
        case "CSV":
            known: FileFormat = _csv(options)
        case "JSON":
            known = _json(options)
        case "PARQUET":
            known = _parquet(options)
        case _:
            raise unsupported(f"FILE_FORMAT TYPE = {kind}")
    options.expect_all_read(f"FILE_FORMAT TYPE = {kind}")
    return known


def _csv(options: Options) -> CsvFormat:
    options.accept_any("VALIDATE_UTF8", "SKIP_BYTE_ORDER_MARK", "FILE_EXTENSION", "COMMENT")
    options.expect_default("MULTI_LINE", "TRUE")
    options.flag("SKIP_BLANK_LINES", default=False)
    quote = _character(options, "FIELD_OPTIONALLY_ENCLOSED_BY", "")
    if quote not in {"", '"', "'"}:
        raise _invalid("FIELD_OPTIONALLY_ENCLOSED_BY", quote)
    escape = _character(options, "ESCAPE", "")
    trim = options.flag("TRIM_SPACE", default=False)
    if trim and quote:
        raise unsupported("TRIM_SPACE = TRUE together with FIELD_OPTIONALLY_ENCLOSED_BY")
    record_delimiter = _character(options, "RECORD_DELIMITER", "\n")
    if record_delimiter not in {"\n", "\r\n", "\r"}:
        raise unsupported(f"RECORD_DELIMITER = {record_delimiter!r}")
    return CsvFormat(
        delimiter=_character(options, "FIELD_DELIMITER", ","),
        record_delimiter=record_delimiter,
        quote=quote,
        escape=escape,
        escape_unenclosed=_character(options, "ESCAPE_UNENCLOSED_FIELD", "\\"),
        skip_header=options.number("SKIP_HEADER", 0),
        parse_header=options.flag("PARSE_HEADER", default=False),
        null_if=_null_if(options, ("\\N",)),
        empty_as_null=options.flag("EMPTY_FIELD_AS_NULL", default=True),
        replace_invalid=options.flag("REPLACE_INVALID_CHARACTERS", default=False),
        encoding=_encoding(options),
        compression=options.choice("COMPRESSION", "AUTO", _COMPRESSIONS),
        same_width=options.flag("ERROR_ON_COLUMN_COUNT_MISMATCH", default=True),
        trim=trim,
        binary=_binary(options),
        date=_time_format(options, "DATE_FORMAT"),
        time=_time_format(options, "TIME_FORMAT"),
        timestamp=_time_format(options, "TIMESTAMP_FORMAT"),
    )


def _json(options: Options) -> JsonFormat:
    options.accept_any("SKIP_BYTE_ORDER_MARK", "FILE_EXTENSION", "COMMENT")
    options.expect_default("MULTI_LINE", "TRUE")
    options.expect_default("ENABLE_OCTAL", "FALSE")
    options.expect_default("ALLOW_DUPLICATE", "FALSE")
    options.expect_default("IGNORE_UTF8_ERRORS", "FALSE")
    options.expect_default("TRIM_SPACE", "FALSE")
    return JsonFormat(
        strip_outer_array=options.flag("STRIP_OUTER_ARRAY", default=False),
        strip_nulls=options.flag("STRIP_NULL_VALUES", default=False),
        null_if=_null_if(options, ()),
        replace_invalid=options.flag("REPLACE_INVALID_CHARACTERS", default=False),
        compression=options.choice("COMPRESSION", "AUTO", _COMPRESSIONS),
        binary=_binary(options),
        date=_time_format(options, "DATE_FORMAT"),
        time=_time_format(options, "TIME_FORMAT"),
        timestamp=_time_format(options, "TIMESTAMP_FORMAT"),
    )


def _parquet(options: Options) -> ParquetFormat:
    # A parquet file contains its compression and the meaning of its columns.
    options.accept_any(
        "COMPRESSION", "SNAPPY_COMPRESSION", "USE_LOGICAL_TYPE", "USE_VECTORIZED_SCANNER",
        "REPLACE_INVALID_CHARACTERS", "COMMENT",
    )  # fmt: skip
    options.expect_default("TRIM_SPACE", "FALSE")
    return ParquetFormat(
        binary_as_text=options.flag("BINARY_AS_TEXT", default=True),
        null_if=_null_if(options, ()),
    )


def _character(options: Options, name: str, default: str) -> str:
    """Return a delimiter: as it is written, from a code (`0x22`), or empty for NONE."""
    value = options.text(name)
    if value is None:
        return default
    if value.upper() == "NONE":
        return ""
    return _CODE.sub(lambda code: chr(int(code[1], 16)), value)


def _null_if(options: Options, default: tuple[str, ...]) -> tuple[str, ...]:
    values = options.texts("NULL_IF")
    return default if values is None else tuple(values)


def _binary(options: Options) -> str:
    return options.choice("BINARY_FORMAT", "HEX", _BINARY_FORMATS).replace("-", "")


def _encoding(options: Options) -> str:
    name = str(options.text("ENCODING", "UTF8"))
    try:
        return codecs.lookup(_CODECS.get(name.upper(), name)).name
    except LookupError:
        raise _invalid("ENCODING", name) from None


# Snowflake's elements of formats and those of strptime.
_ELEMENTS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a",
    "HH24": "%H", "HH12": "%I", "AM": "%p", "PM": "%p", "MI": "%M", "SS": "%S",
    "TZHTZM": "%z", "TZH:TZM": "%z", "TZH": "%z", "T": "T",
}  # fmt: skip
_ELEMENT = re.compile(
    r"\.?FF\d?|" + "|".join(sorted(_ELEMENTS, key=len, reverse=True)) + r"|\"[^\"]*\"|[A-Z]+|.",
    re.IGNORECASE,
)


def _time_format(options: Options, name: str) -> str | None:
    value = options.text(name)
    if value is None or value.upper() == "AUTO":
        return None
    return "".join(_element(part, name) for part in _ELEMENT.findall(value))


def _element(part: str, name: str) -> str:
    upper = part.upper()
    if "FF" in upper:
        return (part[0] if part[0] == "." else "") + "%g"
    if upper in _ELEMENTS:
        return _ELEMENTS[upper]
    if part.isalpha():
        raise unsupported(f"{part} in {name}")
    return part.strip('"').replace("%", "%%")


def _invalid(name: str, value: str) -> SqlError:
    return SqlError(
        f"SQL compilation error:\ninvalid value [{value!r}] for parameter '{name}'", 1008, "22023"
    )
