"""Every type of dlt in every file format: what is loaded is what was yielded."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import dlt
import pyarrow as pa
import pytest

from tests.local_snowflake.clients.conftest import Ads

pytestmark = pytest.mark.clients

INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
TEXTS = [
    *("a\nb", "a\r\nb", "tab\t", 'quote"in', "it's", '""', '"', "back\\slash", '\\"', "\\n", "\\N"),
    *(" ", "NULL", "null", "None", "comma,;|", "ünï 漢字 🎉", "\u2028", "a\x01b", '{"a":1}', "[1]"),
    *("1.0", "2020-01-01", "$1", "?", "%s", "'; drop table x; --", "\\", "x" * 300_000),
]
COLUMNS: dict[str, Any] = {
    "text": {"data_type": "text"},
    "dbl": {"data_type": "double"},
    "flag": {"data_type": "bool"},
    "zoned": {"data_type": "timestamp"},
    "naive": {"data_type": "timestamp", "timezone": False},
    "day": {"data_type": "date"},
    "clock": {"data_type": "time"},
    "big": {"data_type": "bigint"},
    "dec": {"data_type": "decimal"},
    "fine": {"data_type": "decimal", "precision": 38, "scale": 18},
    "short": {"data_type": "decimal", "precision": 5, "scale": 2},
    "wei": {"data_type": "wei"},
    "bin": {"data_type": "binary"},
    "tree": {"data_type": "json"},
}
RESERVED = {"at": 1, "select": 2, "order": 3, "group by": 4, 'with"quote': 5, "1st": 6, "ünï": 7}


def everything(number: int, text: str) -> dict[str, Any]:
    pick = number % 3
    return {
        "id": number,
        "text": text,
        "dbl": (0.1, -1e308, 1e-300)[pick],
        "flag": bool(pick),
        "zoned": dt.datetime(2020, 1, 2, 3, 4, 5, 999_999 - number, tzinfo=INDIA),
        "naive": dt.datetime(1969, 12, 31, 23, 59, 59, number),  # noqa: DTZ001 - it has no zone
        "day": (dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2020, 2, 29))[pick],
        "clock": (dt.time(23, 59, 59, 999_999), dt.time(0), dt.time(1, 2, 3))[pick],
        "big": (2**63 - 1, -(2**63), 0)[pick],
        "dec": (Decimal("12345678901234567890123456789.123456789"), Decimal("-1e-9"), Decimal(2))[
            pick
        ],
        "fine": (Decimal("12345678901234567890.123456789012345678"), Decimal("-1e-18"), Decimal(7))[
            pick
        ],
        "short": Decimal("-123.45"),
        "wei": (Decimal(2**120), Decimal(-5), Decimal("9" * 38))[pick],
        "bin": (b"abc", b"hello", b"0")[pick],
        "tree": ({"a": [1, None, {"b": 'x\n"y\\'}]}, [1, "a", None], {})[pick],
        **RESERVED,
    }


@pytest.mark.parametrize(
    ("file_format", "plain"),
    [("jsonl", "false"), ("parquet", "false"), ("csv", "true")],
)
def test_values_come_back(ads: Ads, monkeypatch: pytest.MonkeyPatch, file_format: str, plain: str):
    monkeypatch.setenv("NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION", plain)
    rows = [everything(number, text) for number, text in enumerate(TEXTS)]
    nothing = {"id": len(rows), **dict.fromkeys([*COLUMNS, *RESERVED])}
    if file_format != "csv":  # its bytes would be read as text
        rows[0]["bin"] = b"\x00\xff\x80"
    ads.load([*rows, nothing], file_format, columns=COLUMNS, max_table_nesting=0)

    loaded = ads.rows(
        f'select {", ".join(COLUMNS)}, at, "SELECT", "ORDER", group_by, with_quote, _1st, _nx '
        "from things order by id",
        arrow_number_to_decimal=True,
    )
    expected = [(*(row[name] for name in COLUMNS), *RESERVED.values()) for row in rows]
    tree = list(COLUMNS).index("tree")
    read = json.loads if file_format != "parquet" else lambda text: json.loads(json.loads(text))
    assert [(*row[:tree], read(row[tree]), *row[tree + 1 :]) for row in loaded[:-1]] == expected
    assert loaded[-1] == (None,) * len(loaded[-1])


def test_integers_of_dlt_are_whole_numbers_to_functions(ads: Ads):
    ads.load([{"n": 2, "word": "abc"}], "parquet")
    assert ads.rows("select substr(word, n), right(word, n) from things") == [
        ("bc", "bc")
    ]  # fmt: skip
    told = (
        "select numeric_precision, numeric_scale from information_schema.columns "
        "where table_schema = 'ADS' and table_name = 'THINGS' and column_name = 'N'"
    )
    assert ads.rows(told) == [(19, 0)]


def test_decimals_without_a_scale_are_refused_and_not_cut(ads: Ads):
    pipeline = dlt.pipeline(
        "floats",
        destination=dlt.destinations.snowflake(use_decfloat=True),
        dataset_name="floats",
        pipelines_dir=str(ads.root / "dlt"),
    )
    with pytest.raises(Exception, match="DECFLOAT is not in the embedded warehouse"):
        pipeline.run([{"d": Decimal("1.123456789")}], table_name="things")


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_arrow_tables_are_loaded_row_by_row_alike(ads: Ads, file_format: str):
    numbers = range(5000)
    table = pa.table(
        {
            "id": pa.array(numbers, pa.int32()),
            "big": pa.array([n * 10**15 for n in numbers], pa.uint64()),
            "half": pa.array([n / 2 if n % 7 else None for n in numbers], pa.float32()),
            "price": pa.array([Decimal(n).scaleb(-2) for n in numbers], pa.decimal128(10, 2)),
            "at": pa.array([n * 1_000_001 for n in numbers], pa.timestamp("us")),
            "word": pa.array([TEXTS[n % 20] for n in numbers]).dictionary_encode(),
        }
    )
    ads.load(table, file_format)
    wanted = [
        (n, big, half, price, at and at.replace(tzinfo=dt.UTC), word)
        for n, big, half, price, at, word in zip(*table.to_pydict().values(), strict=True)
    ]
    assert ads.rows("select id, big, half, price, at, word from things order by id") == wanted
