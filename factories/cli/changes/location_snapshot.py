"""What a code location defines, as plain data that two commits can be compared by.

`python location_snapshot.py ROOT MODULE ATTRIBUTE` prints it as JSON. It is run as a file, in the
location's environment, also on a commit that knows nothing of it: it asks Dagster alone.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

STUB = "dagster/auto_created_stub_asset"
SYSTEM = "dagster/"


def describe(defs: dg.Definitions) -> dict[str, Any]:
    """Return the assets, checks, jobs, schedules and sensors of a code location."""
    graph = defs.resolve_asset_graph()
    produced = graph.materializable_asset_keys
    repository = defs.get_repository_def()
    return {
        "assets": {
            spec.key.to_user_string(): _describe_asset(spec, produced=spec.key in produced)
            for spec in defs.resolve_all_asset_specs()
            if STUB not in spec.metadata
        },
        "checks": {
            f"{key.asset_key.to_user_string()}:{key.name}": {
                "asset": key.asset_key.to_user_string(),
                "name": key.name,
                "blocking": graph.get(key).blocking,
                "condition": _condition(graph.get(key).automation_condition),
            }
            for key in sorted(graph.asset_check_keys)
        },
        "jobs": sorted(job.name for job in defs.jobs or ()),
        "schedules": {
            schedule.name: {
                "cron": f"{schedule.cron_schedule} {schedule.execution_timezone or 'UTC'}",
                "on": schedule.default_status is dg.DefaultScheduleStatus.RUNNING,
            }
            for schedule in repository.schedule_defs
        },
        "sensors": {
            sensor.name: {"on": sensor.default_status is dg.DefaultSensorStatus.RUNNING}
            for sensor in repository.sensor_defs
        },
    }


def _describe_asset(spec: dg.AssetSpec, *, produced: bool) -> dict[str, Any]:
    partitions = spec.partitions_def
    return {
        "produced": produced,
        "table": _plain(spec.metadata, "dagster/table_name"),
        "node": _plain(spec.metadata, "dagster_dbt/unique_id"),
        "file": _file(spec.metadata),
        "group": spec.group_name or "default",
        "kinds": sorted(spec.kinds),
        "owners": sorted(spec.owners),
        "tags": {k: v for k, v in sorted(spec.tags.items()) if not k.startswith(SYSTEM)},
        "reads": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "condition": _condition(spec.automation_condition),
        "partitions": None if partitions is None else str(partitions),
        "freshness": _freshness(spec.freshness_policy),
        "code": spec.code_version,
        "columns": _columns(spec.metadata),
    }


def _condition(condition: Any) -> dict[str, Any] | None:
    """Return a condition's label, and what a rule of YAML was told besides."""
    if condition is None:
        return None
    label = condition.get_label() or condition.name or type(condition).__name__
    rule = getattr(condition, "rule", None)
    settings = {} if rule is None else {name: getattr(rule, name) for name in rule.__annotations__}
    return {"label": label, "settings": {name: str(value) for name, value in settings.items()}}


def _freshness(policy: Any) -> dict[str, str] | None:
    """Return the settings of a freshness policy, times as texts."""
    if policy is None:
        return None
    found = {}
    for name in type(policy).__annotations__:
        value = getattr(policy, name)
        if value is not None:
            found[name] = str(value.to_timedelta() if hasattr(value, "to_timedelta") else value)
    return found


def _plain(metadata: Mapping[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    return None if value is None else str(getattr(value, "value", value))


def _file(metadata: Mapping[str, Any]) -> str | None:
    """Return the first file that an asset is defined in."""
    references = getattr(metadata.get("dagster/code_references"), "code_references", ())
    return next((str(one.file_path) for one in references if hasattr(one, "file_path")), None)


def _columns(metadata: Mapping[str, Any]) -> list[str]:
    value = metadata.get("dagster/column_schema")
    schema = getattr(value, "schema", value)
    return [column.name for column in getattr(schema, "columns", ())]


def main() -> None:
    """Load the module that the command line names, and print what it defines."""
    root, module_name, attribute = sys.argv[1:]
    sys.path[0] = root
    found: dict[str, Any]
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            defs = getattr(importlib.import_module(module_name), attribute)
            found = {**describe(defs), "error": ""}
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever is wrong with the module
        found = {"error": f"{type(problem).__name__}: {problem}"}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
