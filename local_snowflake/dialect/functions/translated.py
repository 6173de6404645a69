"""The table of functions that are one expression in DuckDB."""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.dialect.functions.rows import Translated, is_call
from local_snowflake.sql.trees import replace_node

_AS_LIST = "DuckDB's is a list, whose text is not JSON"
_HASHES = "the order of rows does not matter; other values than Snowflake's, as of HASH"
# The sum of the rows' hashes: whatever their order, and equal rows count.
_HASH_AGG = (
    "coalesce(CAST(sum(CAST({} AS HUGEINT)) % 18446744073709551616 - 9223372036854775808"
    " AS BIGINT), 0)"
)


TRANSLATED = (
    Translated(
        "ARRAY_FLATTEN(array)",
        exp.Flatten,
        "to_json(flatten(list_transform(macro.as_list(:this), lambda e: macro.as_list(e))))",
    ),
    Translated(
        "ARRAY_GENERATE_RANGE(start, stop, step)",
        exp.GenerateSeries,
        "to_json(:call)",
        _AS_LIST,
        lambda node: bool(node.args.get("is_end_exclusive")),
    ),
    Translated("ARRAY_MAX(array)", exp.ArrayMax, "list_last(macro.sorted_elements(:this))"),
    Translated("ARRAY_MIN(array)", exp.ArrayMin, "list_first(macro.sorted_elements(:this))"),
    Translated(
        "ARRAY_SORT(array, ascending)",
        exp.SortArray,
        "to_json(CASE WHEN coalesce(:asc, true) THEN macro.sorted_elements(:this) "
        "ELSE list_reverse(macro.sorted_elements(:this)) END)",
    ),
    Translated(
        "ARRAY_TO_STRING(array, separator)",
        exp.ArrayToString,
        "array_to_string(list_transform(macro.as_list(:this), "
        "lambda e: coalesce(json_extract_string(e, '$'), '')), :expression)",
    ),
    Translated(
        "AS_INTEGER(variant)",
        "AS_INTEGER",
        "CASE WHEN json_type(:a1) IN ('BIGINT', 'UBIGINT') THEN CAST(:a1 AS BIGINT) END",
    ),
    Translated(
        "AS_VARCHAR(variant)",
        "AS_VARCHAR",
        "CASE WHEN json_type(:a1) = 'VARCHAR' THEN json_extract_string(:a1, '$') END",
    ),
    Translated("BASE64_ENCODE(value)", exp.Base64Encode, "to_base64(macro.bytes_of(:this))"),
    Translated(
        "BITAND(a, b)", exp.BitwiseAnd, "CAST(:this AS BIGINT) & CAST(:expression AS BIGINT)"
    ),
    Translated("BITOR(a, b)", exp.BitwiseOr, "CAST(:this AS BIGINT) | CAST(:expression AS BIGINT)"),
    Translated(
        "BITXOR(a, b)", exp.BitwiseXor, "xor(CAST(:this AS BIGINT), CAST(:expression AS BIGINT))"
    ),
    Translated(
        "DATE_PART(epoch, timestamp), EXTRACT(epoch FROM timestamp)",
        exp.Extract,
        "CAST(floor(:call) AS BIGINT)",
        "DuckDB's has fractions",
        lambda node: node.name.upper() in {"EPOCH", "EPOCH_SECOND", "EPOCH_SECONDS"},
    ),
    Translated(
        "HASH(value, …)",
        "HASH",
        "CAST(CAST(hash(:all) AS HUGEINT) - 9223372036854775808 AS BIGINT)",
        "64 bits with a sign, as in Snowflake, but other values; numbers of different types that "
        "are equal have different hashes",
    ),
    Translated(
        "HASH_AGG(*)",
        exp.HashAgg,
        _HASH_AGG.format("hash(*COLUMNS(*))"),
        _HASHES,
        lambda node: isinstance(node.this, exp.Star),
    ),
    Translated(
        "HASH_AGG(value, …)",
        exp.HashAgg,
        _HASH_AGG.format("hash(:this, :expressions)"),
        _HASHES,
        lambda node: not isinstance(node.this, exp.Star | exp.Distinct),
    ),
    Translated("HEX_ENCODE(value)", exp.Hex, "hex(macro.bytes_of(:this))"),
    Translated("HLL(value)", exp.Hll, "approx_count_distinct(:this)"),
    Translated("IS_INTEGER(variant)", "IS_INTEGER", "json_type(:a1) IN ('BIGINT', 'UBIGINT')"),
    Translated("IS_OBJECT(variant)", "IS_OBJECT", "json_type(:a1) = 'OBJECT'"),
    Translated("IS_VARCHAR(variant)", "IS_VARCHAR", "json_type(:a1) = 'VARCHAR'"),
    Translated(
        "LENGTH(value), LEN(value)",
        exp.Length,
        "CASE typeof(:this) WHEN 'BLOB' THEN octet_length(macro.bytes_of(:this)) "
        "ELSE length(macro.as_text(:this)) END",
    ),
    Translated(
        "MAX_BY(value, key, n)",
        exp.ArgMax,
        "to_json(:call)",
        _AS_LIST,
        lambda node: bool(node.args.get("count")),
    ),
    Translated("MD5(value), MD5_HEX(value)", exp.MD5, "md5(macro.bytes_of(:this))"),
    Translated(
        "MIN_BY(value, key, n)",
        exp.ArgMin,
        "to_json(:call)",
        _AS_LIST,
        lambda node: bool(node.args.get("count")),
    ),
    Translated("OBJECT_KEYS(object)", exp.JSONKeys, "to_json(:call)", _AS_LIST),
    Translated("OCTET_LENGTH(value)", exp.ByteLength, "octet_length(macro.bytes_of(:this))"),
    Translated(
        "REGEXP_SUBSTR_ALL(text, pattern)", exp.RegexpExtractAll, "to_json(:call)", _AS_LIST
    ),
    Translated("SHA1(value), SHA1_HEX(value)", exp.SHA, "sha1(macro.bytes_of(:this))"),
    Translated("STRTOK_TO_ARRAY(text, delimiters)", exp.StrtokToArray, "to_json(:call)", _AS_LIST),
    Translated(
        "TO_ARRAY(value)",
        exp.ToArray,
        "CASE WHEN json_type(to_json(:this)) = 'ARRAY' THEN to_json(:this) "
        "WHEN :this IS NOT NULL THEN json_array(:this) END",
    ),
    Translated(
        "TO_CHAR(value), TO_VARCHAR(value)",
        exp.ToChar,
        "macro.as_text(:this)",
        "with a format: see below",
        lambda node: not node.args.get("format"),
    ),
    Translated(
        "TYPEOF(variant)",
        exp.Typeof,
        "macro.type_in_variant(:this)",
        "DuckDB's names its own types, JSON for every VARIANT",
    ),
    Translated(
        "WIDTH_BUCKET(value, low, high, buckets)",
        exp.WidthBucket,
        "macro.bucket_of(:this, :min_value, :max_value, :num_buckets)",
    ),
)


def translate_functions(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Replace the calls that the table is about, inner ones first."""
    for node in reversed(list(expression.find_all(exp.Func, exp.Binary))):
        row = next((row for row in TRANSLATED if is_call(node, row)), None)
        if row is not None:
            expression = replace_node(expression, node, row.applied_to(node))
    return expression
