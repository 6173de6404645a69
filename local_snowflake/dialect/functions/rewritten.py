"""The table of functions whose calls, or arguments, code changes; in the order of the changes."""

from __future__ import annotations

from local_snowflake.dialect.functions.rewrites.aggregates import (
    divide_by_sum,
    gather_without_nulls,
    join_without_separator,
    mark_aggregates,
    uncast_aggregates,
)
from local_snowflake.dialect.functions.rewrites.arrays import construct_json, take_json_arrays
from local_snowflake.dialect.functions.rewrites.binary import cast_text_to_binary, read_binary
from local_snowflake.dialect.functions.rewrites.dates import (
    keep_dates,
    keep_try_to_timestamp,
    read_seconds_in_texts,
    slice_from_1970,
)
from local_snowflake.dialect.functions.rewrites.flatten import flatten_with_options
from local_snowflake.dialect.functions.rewrites.formats import (
    apply_formats,
    convert_from_utc,
    fold_formats,
)
from local_snowflake.dialect.functions.rewrites.numbers import round_floats
from local_snowflake.dialect.functions.rewrites.texts import (
    cast_to_text,
    keep_trim_characters,
    take_texts,
)
from local_snowflake.dialect.functions.rewrites.variants import (
    order_variants,
    parse_json_in_variants,
)
from local_snowflake.dialect.functions.rows import Rewritten

REWRITTEN = (
    Rewritten(
        "text::BINARY",
        "Snowflake reads hexadecimal digits, DuckDB takes the characters",
        before=cast_text_to_binary,
        note="an INSERT into a BINARY column takes the characters",
    ),
    Rewritten(
        "TO_BINARY, TRY_TO_BINARY",
        "DuckDB's gives the digits of the number",
        before=read_binary,
    ),
    Rewritten(
        "TRIM, LTRIM, RTRIM",
        "fakesnow loses the side and the characters",
        before=keep_trim_characters,
    ),
    Rewritten(
        "TRY_TO_TIMESTAMP",
        "fakesnow's raises an error where Snowflake's is NULL",
        before=keep_try_to_timestamp,
    ),
    Rewritten(
        "TO_CHAR, TO_VARCHAR, TO_DATE, TO_TIMESTAMP with a format",
        "the format is concatenated from constants",
        before=fold_formats,
    ),
    Rewritten(
        "TO_CHAR, TO_VARCHAR with a format",
        "fakesnow applies it only where the statement shows that the value is a date or a time",
        before=apply_formats,
        note="dates and times only; a format of numbers or of binary values, one that is not "
        "constant, FF1, FF2 and the elements of zones are refused",
    ),
    Rewritten(
        "CONVERT_TIMEZONE with two arguments",
        "a timestamp without a zone is one of the session's zone, UTC",
        before=convert_from_utc,
        note="the result is TIMESTAMP_NTZ",
    ),
    Rewritten(
        "SUM, AVG and other aggregates of numbers",
        "fakesnow casts every argument to a float",
        before=mark_aggregates,
        after=uncast_aggregates,
    ),
    Rewritten(
        "LISTAGG",
        "DuckDB's separator is a comma by default, and no rows give NULL",
        before=join_without_separator,
    ),
    Rewritten("RATIO_TO_REPORT", "DuckDB has none", before=divide_by_sum),
    Rewritten(
        "TIME_SLICE",
        "DuckDB's slices start at 2000-01-03",
        before=slice_from_1970,
        note="slices of several weeks are refused",
    ),
    Rewritten(
        "FLATTEN",
        "fakesnow ignores its options",
        before=flatten_with_options,
        note="RECURSIVE => TRUE and a MODE other than BOTH are refused",
    ),
    Rewritten(
        "ARRAY_CONSTRUCT, […], value::VARIANT",
        "DuckDB's list has elements of one type, and a text would be parsed as JSON",
        before=construct_json,
        note="an element that is NULL is shown as null, not as undefined",
    ),
    Rewritten(
        "ARRAY_APPEND, ARRAY_CAT, ARRAY_COMPACT, ARRAY_CONTAINS, ARRAY_DISTINCT, ARRAY_EXCEPT, "
        "ARRAY_INSERT, ARRAY_INTERSECTION, ARRAY_POSITION, ARRAY_PREPEND, ARRAY_REMOVE, "
        "ARRAY_REMOVE_AT, ARRAY_REVERSE, ARRAY_SLICE, ARRAYS_OVERLAP, ARRAYS_ZIP",
        "an ARRAY is JSON, which DuckDB's functions of lists refuse or take for a text",
        before=take_json_arrays,
    ),
    Rewritten(
        "ORDER BY, MIN, MAX, `<` of parts of a VARIANT",
        "DuckDB compares the JSON as text, 10 before 9",
        before=order_variants,
        note="not of a VARIANT column itself, nor with DISTINCT",
    ),
    Rewritten(
        "Functions of texts: CONCAT, `||`, CONTAINS, ENDSWITH, ILIKE, INITCAP, LEFT, LIKE, LOWER, "
        "LPAD, POSITION, REGEXP_…, REPLACE, REVERSE, RIGHT, RPAD, SPLIT, SPLIT_PART, STARTSWITH, "
        "STRTOK, SUBSTR, TRANSLATE, UPPER",
        "their arguments are cast to VARCHAR",
        before=take_texts,
        note="binary values are refused",
    ),
    Rewritten(
        "ARRAY_AGG",
        "fakesnow's keeps NULLs in WITHIN GROUP, and no rows give NULL",
        after=gather_without_nulls,
    ),
    Rewritten(
        "DATEADD, ADD_MONTHS, DATE_TRUNC, date + INTERVAL",
        "whole days added to a DATE give a DATE; DuckDB's is a timestamp",
        after=keep_dates,
    ),
    Rewritten(
        "TO_TIMESTAMP of a text of digits",
        "fakesnow takes it for seconds, whatever its size",
        after=read_seconds_in_texts,
    ),
    Rewritten(
        "number::INTEGER, TO_NUMBER",
        "a float is rounded half away from zero; DuckDB rounds a half to even",
        after=round_floats,
        note="not where a float is inserted into an integer column",
    ),
    Rewritten(
        "value::VARCHAR",
        "a VARIANT that is a text has no quotes, a whole float no point, a binary value is "
        "hexadecimal",
        after=cast_to_text,
        note="floats from 1e15 on have an exponent; timestamps have no milliseconds",
    ),
    Rewritten(
        "PARSE_JSON, TRY_PARSE_JSON",
        "DuckDB leaves a VARIANT that holds a text as it is",
        after=parse_json_in_variants,
    ),
)
