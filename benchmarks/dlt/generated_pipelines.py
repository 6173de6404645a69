"""The same dlt resources as YAML files and as plain values, for builds with and without YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare_definitions import CRON, OWNER

# What the files read from the environment; nothing is reached.
VARIABLES = {"SYSTEM_TOKEN": "none", "SYSTEM_URL": "postgresql://app@db.example.com/app"}
HEAD = """\
pipeline: {system}
dataset: {system}
"""
REST_API = """\
source:
  rest_api:
    client:
      base_url: https://{system}.example.com
      auth: {{type: bearer, token: "${{SYSTEM_TOKEN}}"}}
      paginator: {{type: cursor, cursor_path: next_cursor, cursor_param: cursor}}
    resource_defaults:
      endpoint: {{data_selector: data}}
    resources:
"""
ENDPOINT = """\
      - name: {table}
        endpoint: {{path: {table}, params: {{since: "{{incremental.start_value}}"}}}}
"""
SQL_DATABASE = """\
source:
  sql_database:
    credentials: ${SYSTEM_URL}
    schema: app
    chunk_size: 100000
"""
DEFAULTS = """\
defaults:
  write_disposition: append
  meta:
    dagster:
      automation_condition: on_cron_no_deps
      automation_condition_config: {{cron_schedule: "{cron}"}}
      owners: ["{owner}"]
      group: {group}

resources:
"""
RESOURCE = """\
  {table}:
    description: {description}
    write_disposition: merge
    primary_key: [id]
    incremental: {{cursor_path: updated_at, initial_value: "2020-01-01T00:00:00Z"}}
    meta:
      dagster:
        tags: {{domain: {domain}, tier: {tier}}}

"""


@dataclass(frozen=True)
class SampleResource:
    """One resource and what its asset should be."""

    table: str
    description: str
    tags: dict[str, str]
    line: int

    @property
    def text(self) -> str:
        """Its part of `resources`."""
        return RESOURCE.format(table=self.table, description=self.description, **self.tags)


@dataclass(frozen=True)
class SamplePipeline:
    """One pipeline file and what its assets share; `head` is the text before its resources."""

    system: str
    group: str
    source_kind: str
    head: str
    resources: tuple[SampleResource, ...]

    @property
    def file_name(self) -> str:
        """The file's name below `dlt_pipelines/`."""
        return f"{self.system}.yaml"

    @property
    def text(self) -> str:
        """The file's content."""
        return self.head + "".join(resource.text for resource in self.resources)


def sample_pipelines(files: int, resources: int) -> Iterator[SamplePipeline]:
    """Yield pipelines with `resources` resources each, of an API and of a database in turns."""
    tables = [f"table_{index:02}" for index in range(resources)]
    for number in range(files):
        system, group, is_api = f"system_{number:03}", f"domain_{number % 10}", number % 2 == 0
        head = HEAD.format(system=system) + (_rest_api(system, tables) if is_api else SQL_DATABASE)
        head += DEFAULTS.format(group=group, cron=CRON, owner=OWNER)
        yield SamplePipeline(
            system,
            group,
            "api" if is_api else "sql",
            head,
            tuple(
                SampleResource(
                    table=table,
                    description=f"Rows of table {index} as system {number} holds them.",
                    tags={"domain": f"domain_{number % 10}", "tier": f"tier_{index % 3}"},
                    line=head.count("\n") + 1 + index * RESOURCE.count("\n"),
                )
                for index, table in enumerate(tables)
            ),
        )


def _rest_api(system: str, tables: list[str]) -> str:
    endpoints = (ENDPOINT.format(table=table) for table in tables)
    return REST_API.format(system=system) + "".join(endpoints)


def write_project(folder: Path, pipelines: Iterator[SamplePipeline]) -> None:
    """Write a project with these pipelines."""
    inside = folder / "dlt_pipelines"
    inside.mkdir(parents=True)
    (folder / "workspace.yaml").write_text("load_from: []\n", encoding="utf-8")
    for pipeline in pipelines:
        (inside / pipeline.file_name).write_text(pipeline.text, encoding="utf-8")
