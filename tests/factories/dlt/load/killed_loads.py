"""Pipelines whose loads are killed, and what must be in their tables then."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import dagster as dg
from dlt.common.utils import uniq_id
from dlt.common.versioned_state import decompress_state

from factories.dlt.load.unfinished import NOTES
from tests.factories.dlt.conftest import Project
from tests.factories.dlt.load.stopping_step import Point, stopped_step

# One package, appended and merged: what one resource reads, the others are given.
MODULE = """
    import json
    from pathlib import Path
    import dlt

    @dlt.source
    def shop(file):
        @dlt.resource
        def rows(at=dlt.sources.incremental("at", initial_value=0)):
            yield from json.loads(Path(file).read_text())

        @dlt.transformer(data_from=rows)
        def events(page):
            yield page

        @dlt.transformer(data_from=rows)
        def customers(page):
            yield page

        @dlt.transformer(data_from=rows)
        def prices(page):
            yield page

        return rows, events, customers, prices

    def colors(file):
        yield from json.loads(Path(file).read_text())
"""
# Every file of a table holds two rows: of four rows each table has two files.
SHOP = """
    source: {python: "shop:shop", args: {file: "FILE"}}
    config: {normalize: {data_writer: {file_max_items: 2}}}
    resources:
      events: {write_disposition: append}
      customers: {write_disposition: merge, primary_key: id}
      prices: {write_disposition: {disposition: merge, strategy: upsert}, primary_key: id}
"""
# Of one read: what compares the whole table with the load, and what leaves known rows alone.
SNAPSHOTS = """
    source: {python: "shop:shop", args: {file: "FILE"}}
    defaults: {primary_key: id}
    resources:
      events: {write_disposition: {disposition: merge, strategy: insert-only}}
      customers: {write_disposition: {disposition: merge, strategy: cdc}}
      prices: {write_disposition: {disposition: merge, strategy: scd2}}
"""
CUSTOMERS = """
    source: {python: "shop:shop", args: {file: "FILE"}}
    resources:
      customers: {write_disposition: merge, primary_key: id, max_table_nesting: 0}
"""
COLORS = """
    source: {python: "shop:colors", args: {file: "FILE"}}
    replace_strategy: STRATEGY
    resources: {colors: {write_disposition: replace}}
"""
EVENTS = """
    source: {python: "shop:colors", args: {file: "FILE"}}
    config: {normalize: {data_writer: {file_max_items: 2}}}
    resources: {events: {write_disposition: append, incremental: {cursor_path: at}}}
"""
Row = tuple[int, int, int]
Page = list[dict[str, Any]]


def pages(first: int, last: int, *, version: int = 1) -> list[Page]:
    """Pages of two rows, each with a tag; `id` is found again in every version."""
    rows = [
        {"id": n % 100, "at": n, "version": version, "tags": [{"tag": n}]}
        for n in range(first, last)
    ]
    return [rows[i : i + 2] for i in range(0, len(rows), 2)]


def expected(*parts: list[Page], key: bool = True) -> list[Row]:
    """What is in a table that was given these pages, with one row for each key or with all."""
    kept: dict[Any, Row] = {}
    for row in chain.from_iterable(chain.from_iterable(parts)):
        unique = row["id"] if key else uniq_id()
        kept[unique] = (row["id"], row["version"], sum(t["tag"] ** 2 for t in row["tags"]))
    return sorted(kept.values())


@dataclass
class Loads:
    """The loads of one pipeline, each on top of those before it.

    Attributes:
        project: The project; its pipeline reads what `give` has written.
        given: The pages that are loaded or will be, by version, the newest last.
        versions: How many there were.
    """

    project: Project
    given: list[list[Page]] = field(default_factory=list)
    versions: int = 0

    @property
    def file(self) -> Path:
        """What the source reads."""
        return self.project.root / "rows.json"

    def pipeline(self, text: str, **replaced: str) -> None:
        """Write the pipeline and its source."""
        self.project.module(MODULE)
        for old, new in {"FILE": str(self.file), **replaced}.items():
            text = text.replace(old, new)
        self.project.pipeline(text)

    def write(self, *parts: list[Page]) -> None:
        """Let the source give these pages and no others."""
        self.file.write_text(json.dumps(list(chain.from_iterable(parts))))

    def give(self, rows: int) -> list[Page]:
        """Let the source give rows of a new version too: the first has a key that is there."""
        first = 101 * self.versions
        self.versions += 1
        self.given.append(pages(first, first + rows, version=self.versions))
        self.write(*self.given)
        return self.given[-1]

    def begin(self) -> None:
        """Load a first version, unless there is one."""
        if not self.given:
            self.give(2)
            assert self.project.run().success

    def kill(
        self,
        point: Point,
        *,
        full_refresh: bool = False,
        own_assets: Callable[[], Any] | None = None,
    ) -> list[Path]:
        """Kill a step at this point; return its folders, which are left."""
        with stopped_step(point, full_refresh=full_refresh, own_assets=own_assets) as step:
            step.end(signal.SIGKILL)
            return step.folders()

    def rerun(self) -> dg.ExecuteInProcessResult:
        result = self.project.run()
        assert result.success, self.project.failure()
        return result

    def rows(self, table: str) -> list[Row]:
        """Each row with the sum of its tags' squares: whole, once, and with its own children."""
        assert self.project.rows(
            f"select count(*) from {{d}}.{table}__tags where _dlt_parent_id not in"
            f" (select _dlt_id from {{d}}.{table} where _dlt_id is not null)"
        ) == [(0,)], "children without a parent"
        found = self.project.rows(
            f"select r.id, r.version, sum(t.tag * t.tag) from {{d}}.{table} r"
            f" left join {{d}}.{table}__tags t on t._dlt_parent_id = r._dlt_id"
            " group by r._dlt_id, r.id, r.version order by r.id, r.version"
        )
        return [(int(str(i)), int(str(v)), int(str(s or 0))) for i, v, s in found]

    def cursor(self) -> Any:
        """The cursor's value as the next run will find it."""
        ((state,),) = self.project.rows(
            "select s.state from {d}._dlt_pipeline_state s join {d}._dlt_loads l"
            " on l.load_id = s._dlt_load_id where l.status = 0 order by l.load_id desc limit 1"
        )
        of_source = decompress_state(str(state))["sources"]["shop"]["resources"]
        (value,) = {resource["incremental"]["at"]["last_value"] for resource in of_source.values()}
        return value

    def notes(self) -> int:
        """How many loads are noted as unfinished, by their tables."""
        return self.project.count(NOTES)
