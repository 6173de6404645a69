"""What a project of the matrix is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Where a step of SQL waits: it updates a table, which the matrix has locked. What it inserts before
# tells that it has come so far.
LATCHES = (
    "create schema if not exists RAW.GATE",
    "create or replace table RAW.GATE.BEFORE as select 1 as n",
    "create or replace table RAW.GATE.AFTER as select 1 as n",
    "create or replace table RAW.GATE.REACHED (n integer)",
)
UPDATE = "update RAW.GATE.{latch} set n = n + 1"
REACHED = "insert into RAW.GATE.REACHED values (1)"
# Where a query of the source waits: at the row 2500, while the matrix holds this advisory lock.
GATE = 42
SOURCE_TABLE = (
    "create schema shop",
    """
    create table shop.orders
    (id int primary key, version int, changed_at timestamp, amount numeric(10, 2))
    """,
    f"""
    create function shop.gate(id int) returns boolean language plpgsql as $$
    begin
        if id = 2500 then
            perform pg_advisory_lock_shared({GATE});
            perform pg_advisory_unlock_shared({GATE});
        end if;
        return true;
    end $$
    """,
)
FIRST_ORDERS = """
    insert into {table}
    select i, 1, timestamp '2024-01-01' + i * interval '1 second', (i % 97) * 1.25
    from {numbers} order by i
"""
SOURCE_FIRST = FIRST_ORDERS.format(
    table="shop.orders", numbers="generate_series(1, 2000) as numbers(i)"
)
# New rows, and a new version of some that are there.
SOURCE_SECOND = (
    """
    insert into shop.orders
    select i, 2, timestamp '2024-02-01' + i * interval '1 second', (i % 89) * 1.5
    from generate_series(2001, 3000) as numbers(i) order by i
    """,
    """
    update shop.orders
    set version = 2, changed_at = timestamp '2024-02-02' + id * interval '1 second'
    where id <= 2000 and id % 7 = 0
    """,
)
ORDER_COLUMNS = ("id", "version", "changed_at", "amount")


@dataclass(frozen=True)
class Work:
    """One way of loading or building, and the asset that does it.

    Attributes:
        name: What the page calls it.
        key: The asset.
        table: What it writes.
        columns: What is compared of it: all that does not tell when it was written.
        each_run_adds: Whether every run that succeeds adds a row, as a training adds a version.
    """

    name: str
    key: str
    table: str
    columns: Sequence[str] = ORDER_COLUMNS
    each_run_adds: bool = False


@dataclass(frozen=True)
class Project:
    """A project of one tool.

    Attributes:
        tool: Its name.
        environment: The folder below `.venvs/` of its code location.
        definitions: The arguments of `build_definitions`.
        files: The text of each file; `{folder}` stands for the folder where gates are.
        works: What can be run.
        first: The selection that is loaded before anything is killed.
        source: Statements that fill the sample PostgreSQL; none when it is not read.
        source_changes: Statements that change it after the first load.
        warehouse: Statements that fill the warehouse.
        warehouse_changes: Statements that change it after the first load.
    """

    tool: str
    environment: str
    definitions: str
    files: Mapping[str, str]
    works: Sequence[Work]
    first: Sequence[str] = ()
    source: Sequence[str] = ()
    source_changes: Sequence[str] = ()
    warehouse: Sequence[str] = LATCHES
    warehouse_changes: Sequence[str] = ()

    def work(self, name: str) -> Work:
        """Return one of the works by its name."""
        (found,) = (work for work in self.works if work.name == name)
        return found
