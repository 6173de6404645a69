"""From a stream to the spec of its asset, by the class that dagster-sling has for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_sling import DagsterSlingTranslator

from factories.core.assets.specs import asset_spec, code_reference
from factories.sling.replications import Replication, Stream


class StreamDefinition(dict[str, Any]):
    """A stream as dagster-sling hands it to a translator, and what was resolved from its YAML.

    `stream_definition["name"]` is the stream's name and `stream_definition["config"]` what Sling is
    given: its settings over the file's defaults, the `object` as it is written, and `meta`. What a
    company keeps below `meta` beside `dagster` is there too.

    Attributes:
        replication: The file.
        stream: The same stream, validated.
        source_key: The asset of the table that it reads.
    """

    def __init__(self, replication: Replication, stream: Stream, source_key: dg.AssetKey) -> None:
        super().__init__(name=stream.name, config={**stream.config, "meta": stream.whole_meta})
        self.replication = replication
        self.stream = stream
        self.source_key = source_key


class ReplicationTranslator(DagsterSlingTranslator):
    """Gives each stream of `sling/` the spec that its YAML describes.

    Example:
        A company's own, handed to `build_definitions` as `sling_translator=CompanyTranslator()`:

        >>> class CompanyTranslator(ReplicationTranslator):
        ...     def get_asset_spec(self, stream_definition):
        ...         spec = super().get_asset_spec(stream_definition)
        ...         sensitive = stream_definition["config"]["meta"].get("sensitive", False)
        ...         return spec.merge_attributes(tags={"sensitive": str(sensitive).lower()})
    """

    def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
        """Return the spec of a stream's asset.

        Args:
            stream_definition: Of a stream of `sling/`, a `StreamDefinition`; of any other, as of
                a team's own `@sling_assets`, dagster-sling's mapping holds.
        """
        if not isinstance(stream_definition, StreamDefinition):
            return super().get_asset_spec(stream_definition)
        stream, replication = stream_definition.stream, stream_definition.replication
        return asset_spec(
            stream.key,
            stream.meta,
            deps=[stream_definition.source_key],
            group=replication.system,
            kinds={"sling", "snowflake"},
            metadata={
                "dagster/code_references": code_reference(replication.path, stream.line),
                "dagster/table_name": str(stream.relation),
                "sling/stream": stream.name,
                "sling/mode": stream.settings.mode,
            },
            code_version=stream.code_version,
            description=stream.settings.description,
        )
