"""The sections of the reference on dlt pipelines."""

from __future__ import annotations

from factories.cli.reference.section import Section
from factories.dlt.config.schema import (
    ColumnHint,
    DltResource,
    Incremental,
    PipelineFile,
    SchemaContract,
    WriteDisposition,
)

DLT_SECTIONS = (
    Section(
        "Pipelines",
        PipelineFile,
        "Every file in `dlt_pipelines/` is one. It makes an asset `<pipeline>/raw/<table>` for each"
        " resource.",
        """\
pipeline: weather_api
dataset: weather_api
source:
  rest_api:
    client: {base_url: "${WEATHER_API_URL}"}
    resources: [{name: stations, endpoint: {path: stations, data_selector: data}}]
resources:
  stations: {write_disposition: replace, primary_key: origin}
""",
        types={
            "source": "mapping: see the [guide](../guides/dlt.md)",
            "defaults": "the keys of [a resource](#a-resource)",
            "resources": "mapping of names to [resources](#a-resource), each of which may be empty",
        },
    ),
    Section(
        "A resource",
        DltResource,
        "Valid on each resource and under `defaults`. The resource's own value wins. A resource"
        " with a partition needs `merge`, `primary_key` and `incremental`.",
        """\
write_disposition: merge
primary_key: [origin, time_hour]
incremental: {cursor_path: time_hour, initial_value: "2013-01-01T00:00:00Z"}
""",
        level=3,
        types={"meta": "mapping with the key `dagster`: [`meta.dagster`](#metadagster)"},
    ),
    Section(
        "`write_disposition`",
        WriteDisposition,
        example="{disposition: merge, strategy: upsert}\n",
        level=3,
    ),
    Section(
        "`incremental`",
        Incremental,
        example="{cursor_path: updated_at, initial_value: 2024-01-01}\n",
        level=3,
    ),
    Section(
        "`schema_contract`",
        SchemaContract,
        "Each is one of `evolve`, `freeze` (the load fails), `discard_row` and `discard_value`; one"
        " word for the whole contract is all three.",
        "{columns: discard_value, data_type: freeze}\n",
        level=3,
    ),
    Section("`columns`", ColumnHint, level=3),
)
