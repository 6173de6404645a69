"""Dagster's dlt translator over pipeline files: a company changes here what an asset is called.

Imports dlt: a code location without a translator of its own never imports this module.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import dagster as dg
import dlt
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData
from dlt.common.destination import Destination
from dlt.extract import DltResource

from factories.dlt.config.pipelines import Pipeline, Resource
from factories.dlt.config.schema import WriteDisposition
from factories.dlt.errors import TranslatorError
from factories.dlt.specs import MakeSpec, resource_spec

# dagster-dlt still calls these of its own translator; ours has no values to give them.
SUPERSEDED = (
    "get_asset_key", "get_auto_materialize_policy", "get_automation_condition",
    "get_deps_asset_keys", "get_description", "get_group_name", "get_metadata", "get_owners",
    "get_tags", "get_kinds",
)  # fmt: skip


class DeclaredResource(DltResource):
    """A resource as a pipeline file declares it; what it reads is known only in a run.

    It has `name`, `source_name` (the pipeline's name), `table_name`, `write_disposition`, and the
    hints of its table. `declared` and `pipeline_file` are the whole of what the file says.
    """

    declared: Resource
    pipeline_file: Pipeline

    def __iter__(self) -> Generator[Any, None, None]:
        """Refuse to read.

        Raises:
            TranslatorError: Always.
        """
        raise TranslatorError(
            f"the resource {self.name!r} of {self.pipeline_file.path.name} cannot be read here:"
            " a source is built in a run, never while the code location loads"
        )


class DeclaredResourceData(DltResourceTranslatorData):
    """What a translator is given for a resource of a pipeline file.

    `resource` is a `DeclaredResource`, and `destination` dlt's Snowflake, without credentials.
    """

    @property
    def pipeline(self) -> Any:
        """Refuse: dlt's pipeline is made in a run.

        Raises:
            TranslatorError: Always.
        """
        raise TranslatorError(
            "data.pipeline is not known while a code location loads: data.resource.pipeline_file"
            " has what the pipeline's file says"
        )

    @property
    def destination(self) -> Destination[Any, Any]:
        """The kind of the destination."""
        return dlt.destinations.snowflake()


class DltPipelineTranslator(DagsterDltTranslator):
    """Gives the asset of each resource; of a pipeline file, the one that `meta.dagster` describes.

    Example:
        .. code-block:: python

            class CompanyTranslator(DltPipelineTranslator):
                def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
                    spec = super().get_asset_spec(data)
                    return spec.replace_attributes(key=spec.key.with_prefix("company"))

            defs = build_definitions(dlt="dlt_pipelines", dlt_translator=CompanyTranslator())
    """

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Return the asset of a resource.

        Args:
            data: Of a pipeline file, `DeclaredResourceData`; of `@dlt_assets`, dagster-dlt's own.
        """
        if isinstance(data.resource, DeclaredResource):
            return resource_spec(data.resource.pipeline_file, data.resource.declared)
        return super().get_asset_spec(data)


def specs_of(translator: DagsterDltTranslator) -> MakeSpec:
    """Return what makes the asset of a resource, as a company's translator describes it."""

    def translate(pipeline: Pipeline, resource: Resource) -> dg.AssetSpec:
        data = DeclaredResourceData(resource=_declare(pipeline, resource), pipeline=None)
        return translator.get_asset_spec(data)

    return translate


def _declare(pipeline: Pipeline, resource: Resource) -> DeclaredResource:
    made = DeclaredResource.from_data([], name=resource.name, section=pipeline.name)
    made.declared, made.pipeline_file = resource, pipeline
    made.source_name = pipeline.name
    settings = resource.settings
    given: Any = settings.write_disposition
    if isinstance(given, WriteDisposition):
        given = given.model_dump(exclude_none=True)
    made.apply_hints(
        table_name=settings.table_name or resource.name,
        write_disposition=given,
        primary_key=list(settings.primary_key) if settings.primary_key else None,
        merge_key=list(settings.merge_key) if settings.merge_key else None,
    )
    return made
