"""Dagster's dlt resource, with an execution of our own: each resource of a source on its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import dagster as dg
import dlt
from dagster_dlt import DagsterDltResource, DagsterDltTranslator
from dagster_dlt.constants import META_KEY_PIPELINE, META_KEY_SOURCE, META_KEY_TRANSLATOR
from dagster_dlt.translator import DltResourceTranslatorData
from dlt.common.pipeline import LoadInfo
from dlt.common.schema import Schema
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.extract import DltResource, DltSource

from factories.dlt.config.pipelines import PipelineLoad
from factories.dlt.event_iterator import DltPipelineEventIterator
from factories.dlt.load.destination import TargetSnowflake
from factories.dlt.load.isolated import StepContext
from factories.dlt.load.load import LoadedResource
from factories.dlt.load.load_details import load_details
from factories.dlt.load.run import run_pipeline_file
from factories.dlt.load.run_source import run_source


class DltPipelineResource(DagsterDltResource):
    """Loads dlt pipelines: those of YAML files, and those of `@dlt_assets`.

    Each resource of a source is extracted, normalized and loaded on its own, together with those
    that are read with it. One that fails spares the others; the step then fails with the names of
    those that did. State and schema come from the destination, so nothing that a failed or killed
    load has left takes part in the next.

    Example:
        .. code-block:: python

            @dlt_assets(dlt_source=shop(), dlt_pipeline=shop_pipeline)
            def shop_assets(context: AssetExecutionContext, dlt: DagsterDltResource):
                yield from dlt.run(context=context).fetch_row_count()
    """

    # Optional, because dlt's classes take no `|`.
    def run(
        self,
        context: StepContext,
        dlt_source: Optional[DltSource] = None,  # noqa: UP045 - see above
        dlt_pipeline: Optional[dlt.Pipeline] = None,  # noqa: UP045 - as above
        dagster_dlt_translator: DagsterDltTranslator | None = None,
        *,
        declared: PipelineLoad | None = None,
        **kwargs: Any,
    ) -> DltPipelineEventIterator:
        """Load the selected resources.

        Args:
            context: Dagster's.
            dlt_source: The source; by default that of `@dlt_assets`.
            dlt_pipeline: The pipeline; by default that of `@dlt_assets`.
            dagster_dlt_translator: Gives the assets' keys; by default that of `@dlt_assets`.
            declared: A pipeline file's load, in place of all of these.
            kwargs: `write_disposition`, `refresh` and others that dlt's `Pipeline.run` takes.

        Returns:
            An iterator that runs the load; what it yields belongs to Dagster.

        Raises:
            dagster.Failure: While it is iterated, after the results: names what has failed.
        """
        if declared is not None:
            events = run_pipeline_file(_asset_context(context), declared)
            tables = {k: r.settings.table_name or r.name for k, r in declared.resources.items()}
            return DltPipelineEventIterator(events, context, None, tables)
        given = _find_assets_arguments(context)
        source = _require(dlt_source or given.get(META_KEY_SOURCE), DltSource, "dlt_source")
        pipeline = _require(
            dlt_pipeline or given.get(META_KEY_PIPELINE), dlt.Pipeline, "dlt_pipeline"
        )
        translator = (
            dagster_dlt_translator or given.get(META_KEY_TRANSLATOR) or DagsterDltTranslator()
        )
        keys = {
            name: translator.get_asset_spec(
                DltResourceTranslatorData(resource=resource, pipeline=pipeline)
            ).key
            for name, resource in source.selected_resources.items()
        }
        if isinstance(context, dg.AssetExecutionContext) and context.has_assets_def:
            selected = context.selected_asset_keys
            keys = {name: key for name, key in keys.items() if key in selected}

        def describe(name: str, loaded: LoadedResource, opened: dlt.Pipeline) -> Mapping[str, Any]:
            resource = source.resources[name]
            if loaded.info is None:
                return _describe(resource, None, opened)
            return self.extract_resource_metadata(context, resource, loaded.info, opened)

        tables_by_key = {
            key: _table_name(source.resources[name], source.schema) for name, key in keys.items()
        }
        return DltPipelineEventIterator(
            run_source(context, source, pipeline, keys, describe=describe, arguments=kwargs),
            context,
            pipeline,
            tables_by_key,
        )

    def extract_resource_metadata(
        self,
        context: StepContext,  # noqa: ARG002 - dagster-dlt's interface
        resource: DltResource,
        load_info: LoadInfo,
        dlt_pipeline: dlt.Pipeline,
    ) -> Mapping[str, Any]:
        """Return the metadata of one resource: that of dagster-dlt, about the tables as they are.

        Args:
            context: Dagster's.
            resource: The resource that was loaded.
            load_info: What dlt says of the load.
            dlt_pipeline: The pipeline that has loaded.
        """
        return _describe(resource, load_info, dlt_pipeline)


def _describe(
    resource: DltResource, load_info: LoadInfo | None, pipeline: dlt.Pipeline
) -> dict[str, Any]:
    schemas = pipeline.schemas
    names = [resource.source_name, pipeline.default_schema_name]
    schema = next((schemas[name] for name in names if name and name in schemas), None)
    if schema is None:
        return load_details(pipeline, load_info, ())
    table = _table_name(resource, schema)
    children = [name for name in schema.data_table_names() if name.startswith(f"{table}__")]
    metadata: dict[str, Any] = {child: _table_schema(schema, child) for child in children}
    metadata |= load_details(pipeline, load_info, [table, *children])
    metadata["dagster/table_name"] = _qualified_name(pipeline, table)
    metadata["dagster/column_schema"] = _table_schema(schema, table)
    return metadata


def _table_name(resource: DltResource, schema: Schema) -> str:
    """Return the table, as the schema names it; of one that rows choose, the resource's name."""
    name = resource.table_name
    return schema.naming.normalize_table_identifier(resource.name if callable(name) else str(name))


def _qualified_name(pipeline: dlt.Pipeline, table: str) -> str:
    client = pipeline.destination_client()
    if isinstance(client, SqlJobClientBase):
        name = client.sql_client.make_qualified_table_name(table, quote=False)
        destination: Any = pipeline.destination
        # Snowflake's connection is to a database, which dlt therefore does not name.
        in_target = isinstance(destination, TargetSnowflake)
        return f"{destination.database}.{name}" if in_target else name
    return f"{pipeline.dataset_name}.{table}"


def _table_schema(schema: Schema, table: str) -> dg.TableSchema:
    if table not in schema.tables:  # nothing was ever loaded
        return dg.TableSchema([])
    return dg.TableSchema(
        [
            dg.TableColumn(
                str(column["name"]),
                str(column.get("data_type", "text")),
                constraints=dg.TableColumnConstraints(
                    nullable=bool(column.get("nullable", True)),
                    unique=bool(column.get("unique", False)),
                    other=[hint for hint in ("primary_key", "merge_key") if column.get(hint)],
                ),
            )
            for column in schema.get_table_columns(table).values()
        ]
    )


def _find_assets_arguments(context: StepContext) -> Mapping[str, Any]:
    """Return what `@dlt_assets` was given; nothing in an op."""
    if not isinstance(context, dg.AssetExecutionContext) or not context.has_assets_def:
        return {}
    return next(iter(context.assets_def.metadata_by_key.values()), {})


def _asset_context(context: StepContext) -> dg.AssetExecutionContext:
    if not isinstance(context, dg.AssetExecutionContext):
        raise TypeError("a pipeline file is loaded by its own assets alone")
    return context


def _require(value: Any, kind: type[Any], name: str) -> Any:
    if not isinstance(value, kind):
        raise dg.Failure(
            f"dlt.run needs {name}: give it, or use @dlt_assets, which has it", allow_retries=False
        )
    return value
