"""The same streams as YAML files and as plain values, for builds with and without YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare_definitions import CRON, OWNER

HEAD = """\
source: {system}
target: SNOWFLAKE

defaults:
  mode: full-refresh
  object: {system}.{{stream_table}}
  meta:
    dagster:
      automation_condition: on_cron_no_deps
      automation_condition_config: {{cron_schedule: "{cron}"}}
      owners: ["{owner}"]
      group: {group}

streams:
"""
STREAM = """\
  {name}:
    mode: incremental
    primary_key: [id]
    update_key: updated_at
    meta:
      dagster:
        description: {description}
        tags: {{domain: {domain}, tier: {tier}}}

"""


@dataclass(frozen=True)
class SampleStream:
    """One stream and what its asset should be."""

    name: str
    system: str
    table: str
    description: str
    tags: dict[str, str]
    line: int


@dataclass(frozen=True)
class SampleReplication:
    """One replication file and what its assets share."""

    system: str
    group: str
    streams: tuple[SampleStream, ...]

    @property
    def file_name(self) -> str:
        """The file's name below `sling/`."""
        return f"{self.system}.yaml"

    @property
    def text(self) -> str:
        """The file's content."""
        streams = (
            STREAM.format(name=stream.name, description=stream.description, **stream.tags)
            for stream in self.streams
        )
        return _head(self.system, self.group) + "".join(streams)


def sample_replications(files: int, streams: int) -> Iterator[SampleReplication]:
    """Yield replications with `streams` streams each; the same on every call."""
    for number in range(files):
        system, group = f"system_{number:03}", f"domain_{number % 10}"
        first = _head(system, group).count("\n") + 1
        yield SampleReplication(
            system,
            group,
            tuple(
                SampleStream(
                    # dagster-sling's keys are the streams' names: they differ over all files.
                    name=f"schema_{number:03}.table_{index:02}",
                    system=system,
                    table=f"table_{index:02}",
                    description=f"Rows of table {index} as system {number} holds them.",
                    tags={"domain": f"domain_{number % 10}", "tier": f"tier_{index % 3}"},
                    line=first + index * STREAM.count("\n"),
                )
                for index in range(streams)
            ),
        )


def _head(system: str, group: str) -> str:
    return HEAD.format(system=system, group=group, cron=CRON, owner=OWNER)


def write_project(folder: Path, replications: Iterator[SampleReplication]) -> None:
    """Write a project with these replications and the connections that they read."""
    sling = folder / "sling"
    sling.mkdir(parents=True)
    (folder / "workspace.yaml").write_text("load_from: []\n", encoding="utf-8")
    connections = ["connections:"]
    for replication in replications:
        (sling / replication.file_name).write_text(replication.text, encoding="utf-8")
        connections.append(f"  {replication.system}: {{type: postgres, host: db, database: app}}")
    (sling / "connections.yaml").write_text("\n".join([*connections, ""]), encoding="utf-8")
