"""Computes a function: receives batches of rows and returns columns of results, as Arrow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from local_snowflake.routines.handler_side.channel import Channel
from local_snowflake.routines.handler_side.code import describe_error, load
from local_snowflake.routines.handler_side.values import SEMI_STRUCTURED, to_python_type


def run(channel: Channel, message: dict[str, Any]) -> None:
    """Answer each batch until the server closes the channel."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - it may be missing
    except ImportError as error:
        channel.send_json({"error": {"missing": f"pyarrow ({error})"}})
        return
    try:
        handler = load(message["handler"], message["body"], message["imports"])
    except BaseException as error:  # noqa: BLE001 - also sys.exit(): the caller gets an error
        channel.send_json({"error": describe_error(error)})
        return
    is_vectorized = getattr(handler, "_sf_vectorized_input", None) is not None
    compute = _compute_batch if is_vectorized else _compute_rows
    channel.send_json({"ready": True})
    while True:
        with pa.ipc.open_stream(channel.receive()) as reader:
            batch = reader.read_all()
        try:
            parts = compute(handler, batch, message["arguments"])
            results = [_as_arrow(part, message["returns"]) for part in parts]
            column = pa.chunked_array(results, arrow_type(message["returns"]))
        except BaseException as error:  # noqa: BLE001 - also sys.exit(): the caller gets an error
            channel.send_json({"error": describe_error(error)})
            continue
        sink = pa.BufferOutputStream()
        table = pa.table([column], names=["result"])
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        channel.send_json({})
        channel.send(memoryview(sink.getvalue()))


def _compute_rows(handler: Callable[..., Any], batch: Any, kinds: Sequence[str]) -> Iterator[Any]:
    if not kinds:
        yield [handler() for _ in range(batch.num_rows)]
        return
    columns = [_values(batch.column(i), kind) for i, kind in enumerate(kinds)]
    yield [handler(*row) for row in zip(*columns, strict=True)]


def _compute_batch(handler: Callable[..., Any], batch: Any, kinds: Sequence[str]) -> Iterator[Any]:
    size = getattr(handler, "_sf_max_batch_size", None) or batch.num_rows or 1
    for start in range(0, max(batch.num_rows, 1), size):
        part = batch.slice(start, size)
        frame = part.select(range(len(kinds))).to_pandas()
        frame.columns = range(len(kinds))
        for i, kind in enumerate(kinds):
            if kind in SEMI_STRUCTURED:
                frame[i] = _values(part.column(i), kind)
        result = handler(frame)
        if len(result) != part.num_rows:
            message = f"The handler has returned {len(result)} results for {part.num_rows} rows."
            raise ValueError(message)
        yield result


def _values(column: Any, kind: str) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if kind in SEMI_STRUCTURED:
        return [None if value is None else json.loads(value) for value in values]
    if kind == "NUMBER":
        return [_whole(value) for value in values] if values else values
    return values


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value.as_tuple().exponent == 0 else value


def _as_arrow(results: Any, returns: dict[str, Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - `run` has checked that it exists

    kind = returns["kind"]
    target = arrow_type(returns)
    if not isinstance(results, list) and kind not in SEMI_STRUCTURED:
        try:
            return pa.array(results, type=target, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
            results = list(results)  # convert value by value
    values = [to_python_type(kind, value) for value in results]
    if kind == "NUMBER":
        step = Decimal(1).scaleb(-returns["scale"])
        values = [
            None if v is None else Decimal(v).quantize(step, rounding=ROUND_HALF_UP)
            if returns["scale"] else _rounded(v)
            for v in values
        ]  # fmt: skip
    return pa.array(values, type=target)


def _rounded(value: int | Decimal) -> int:
    return value if isinstance(value, int) else int(value.to_integral_value(ROUND_HALF_UP))


def arrow_type(returns: dict[str, Any]) -> Any:
    """Return Arrow's type of a function's results, from their kind and digits."""
    import pyarrow as pa  # noqa: PLC0415 - `run` has checked that it exists

    if returns["kind"] == "NUMBER":
        scale = returns["scale"]
        return pa.decimal128(returns["precision"], scale) if scale else pa.int64()
    return {
        "FLOAT": pa.float64(),
        "BINARY": pa.binary(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "TIME": pa.time64("us"),
        "TIMESTAMP_NTZ": pa.timestamp("us"),
        "TIMESTAMP_LTZ": pa.timestamp("us", "UTC"),
        "TIMESTAMP_TZ": pa.timestamp("us", "UTC"),
    }.get(returns["kind"], pa.string())
