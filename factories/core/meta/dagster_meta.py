"""The `meta.dagster` block: one vocabulary for every tool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, StrictStr, model_validator

from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.freshness import FreshnessSpec
from factories.core.meta.keys import AssetKeyText
from factories.core.meta.named_conditions import Condition
from factories.core.meta.partitions import PartitionSpec
from factories.core.meta.retries import RetrySpec
from factories.core.yaml.models import Names, StrictModel

# The rules are Dagster's: dagster/_core/definitions/utils.py and tags of the docs page
# «Asset metadata» (owners), seen in 1.13.27.
GROUP = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")
EMAIL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")
TEAM = re.compile(r"team:\S(.*\S)?")
TAG_KEY = re.compile(r"([A-Za-z0-9_.-]{1,63}/)?[A-Za-z0-9_.-]{1,63}")
TAG_VALUE = re.compile(r"[A-Za-z0-9_.-]{0,63}")
KIND = re.compile(r"[a-z0-9_.-]{1,63}")
POOL = re.compile(r"[A-Za-z0-9_/]+")
MAX_KINDS = 3


def _group(value: str) -> str:
    if not GROUP.fullmatch(value):
        raise ValueError(f"{value!r} is not a group name: letters, digits and '_', in parts by '/'")
    return value


def _pool(value: str) -> str:
    if not POOL.fullmatch(value):
        raise ValueError(f"{value!r} is not a pool name: letters, digits, '_' and '/' only")
    return value


def _owner(value: str) -> str:
    if not (EMAIL.fullmatch(value) or TEAM.fullmatch(value)):
        raise ValueError(f"{value!r} is neither an email address nor team:NAME")
    return value


def check_tag_key(value: str) -> str:
    """Return the name of a tag as it came.

    Raises:
        ValueError: When Dagster takes no such name.
    """
    if not TAG_KEY.fullmatch(value):
        raise ValueError(f"{value!r} is not a tag: letters, digits, '_', '-' and '.', 63 at most")
    return value


def _tag_value(value: str) -> str:
    if not TAG_VALUE.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a tag's value: letters, digits, '_', '-' and '.', 63 at most"
        )
    return value


def _kinds(value: tuple[str, ...]) -> tuple[str, ...]:
    for kind in value:
        if not KIND.fullmatch(kind):
            raise ValueError(
                f"{kind!r} is not a kind: lower-case letters, digits, '_', '-' and '.'"
            )
    if len(value) > MAX_KINDS:
        raise ValueError(f"Dagster shows at most {MAX_KINDS} kinds, here are {len(value)}")
    return value


OwnerText = Annotated[StrictStr, AfterValidator(_owner)]


class DagsterMeta(StrictModel):
    """Everything that YAML can say to Dagster about an asset, the same for every tool.

    Valid on a file's `defaults` and on each stream, resource or model; the more specific wins, key
    by key (see `merge_meta`).
    """

    automation_condition: StrictStr | None = Field(
        None, description="When a run is requested: the name of an automation condition."
    )
    automation_condition_config: dict[str, Any] | None = Field(
        None, description="What the condition takes: see the automation conditions."
    )
    group: Annotated[StrictStr, AfterValidator(_group)] | None = Field(
        None, description="Group in the asset graph; by default the system's name."
    )
    description: StrictStr | None = Field(None, description="Shown in the catalog; Markdown.")
    owners: tuple[OwnerText, ...] = Field((), description="Email addresses and `team:NAME`s.")
    tags: dict[
        Annotated[StrictStr, AfterValidator(check_tag_key)],
        Annotated[StrictStr, AfterValidator(_tag_value)],
    ] = Field({}, description="Tags to filter by in the catalog.")
    kinds: Annotated[Names, AfterValidator(_kinds)] | None = Field(
        None, description="Up to three icons in the graph; each tool has a default."
    )
    deps: tuple[AssetKeyText, ...] = Field(
        (), description="Upstream asset keys beyond those that lineage gives."
    )
    partition: PartitionSpec | None = Field(
        None,
        description="How the asset is partitioned.",
        examples=[{"type": "daily", "start": "2024-01-31"}],
    )
    backfill: PartitionSpec | None = Field(
        None,
        description="dbt: a job that builds an unpartitioned incremental model again, partition by"
        " partition; other runs build what is new.",
        examples=[{"type": "monthly", "start": "2024-01-01"}],
    )
    freshness: FreshnessSpec | None = Field(
        None, description="When the asset counts as stale.", examples=[{"fail_after": "36h"}]
    )
    retries: RetrySpec | None = Field(
        None,
        description="What happens after a failure.",
        examples=[{"max": 2, "delay": "30s"}],
    )
    pool: Annotated[StrictStr, AfterValidator(_pool)] | None = Field(
        None, description="Concurrency pool of the step, whose limit is set in the instance."
    )
    checks: ChecksSpec | None = Field(
        None,
        description="Asset checks, run after each load.",
        examples=[{"rows": {"min": 1}, "columns": {"unique": ["id"]}}],
    )
    data_version: Literal["content"] | None = Field(
        None,
        description="`content`: whether the asset's data have changed is found by a hash of all its"
        " rows, after each load; by default it is what the tool tells.",
    )
    asset_key: AssetKeyText | None = Field(
        None, description="Overrides the key that the convention gives."
    )
    # YAML has its name and config; which conditions there are, a code location decides.
    _condition: Condition | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _config_needs_a_condition(self) -> DagsterMeta:
        if self.automation_condition_config and self.automation_condition is None:
            raise ValueError("automation_condition_config stands without automation_condition")
        return self

    @property
    def condition(self) -> Condition | None:
        """Dagster's automation condition, None for never; `resolve_block` looks it up."""
        return self._condition

    def with_condition(self, condition: Condition | None) -> DagsterMeta:
        """Return the block with Dagster's automation condition."""
        resolved = self.model_copy()
        resolved._condition = condition  # noqa: SLF001 - of its own class
        return resolved


# Where the keys of this block belong, for a user who wrote one directly on a stream or resource.
META_KEYS_ELSEWHERE: Mapping[str, str] = {
    "dagster": "belongs below meta",
    **dict.fromkeys(DagsterMeta.model_fields, "belongs below meta.dagster"),
}
MERGED_KEYS = ("automation_condition_config", "tags", "retries", "checks")


def merge_meta(
    general: Mapping[str, Any], specific: Mapping[str, Any], config_keys: Mapping[str, set[str]]
) -> dict[str, Any]:
    """Return the block that holds for an asset: `specific` over `general`, key by key.

    Tags, retries, checks and the condition's config are merged key by key themselves; every other
    value is replaced as a whole, because two partition or freshness rules cannot be combined. Where
    `specific` names another condition, only the inherited config that this one takes is kept.

    Args:
        general: The `defaults` of a file.
        specific: The block of one stream, resource or model.
        config_keys: The config keys that each automation condition takes.
    """
    merged = dict(general)
    condition = specific.get("automation_condition")
    inherited = merged.get("automation_condition_config")
    if "automation_condition" in specific and isinstance(inherited, dict):
        # `automation_condition: null` switches the inherited one off, with its config.
        takes = config_keys.get(condition, set(inherited)) if isinstance(condition, str) else set()
        kept = {key: value for key, value in inherited.items() if key in takes}
        merged["automation_condition_config"] = kept or None
    for key, value in specific.items():
        old = merged.get(key)
        if key in MERGED_KEYS and isinstance(old, dict) and isinstance(value, dict):
            merged[key] = {**old, **value}
        else:
            merged[key] = value
    return merged
