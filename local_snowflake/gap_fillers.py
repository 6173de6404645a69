"""The table of contents of the layer: what is run or rewritten before fakesnow sees it."""

from __future__ import annotations

from local_snowflake.databases import CreateDatabase, DropDatabase, UseDatabase
from local_snowflake.layer import Layer
from local_snowflake.result_scan import PlainResultScan
from local_snowflake.transactions import TransactionControl
from local_snowflake.unsupported import UnsupportedObject

LAYER = Layer(
    handlers=(
        TransactionControl(),
        UnsupportedObject(),
        CreateDatabase(),
        DropDatabase(),
        UseDatabase(),
        PlainResultScan(),
    ),
    before=(),
    after=(),
)
