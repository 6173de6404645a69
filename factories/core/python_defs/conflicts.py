"""What a team's own Python and YAML both make, or Python twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from factories.core.assets.context import LoadContext, Origin, duplicate_key_problem
from factories.core.dagster_internals import is_reconstruction
from factories.core.python_defs.declarations import Declarations, Declared
from factories.core.yaml.problems import Problem, nearest

# Dagster provides it where a code location does not.
IO_MANAGER = "io_manager"


def conflict_problems(
    found: Declarations,
    yaml_assets: Iterable[object],
    load_context: LoadContext,
    *,
    resources: Collection[str],
) -> Iterator[Problem]:
    """Yield what Python declares that something else has declared, and resources that are missing.

    Args:
        found: What Python declares.
        yaml_assets: What YAML makes.
        load_context: Knows where YAML makes it.
        resources: The names of the resources that every code location has.
    """
    yield from _asset_problems(found, load_context)
    yield from _check_problems(found, yaml_assets, load_context)
    yield from _twice("resource", found.resources)
    yield from _twice("logger", found.loggers)
    given = {name for name, _ in found.resources}
    for declared in (*found.by_kind["assets"], *found.by_kind["asset_checks"]):
        yield from _missing_resources(declared, {*given, *resources})


def name_problems(
    found: Declarations,
    load_context: LoadContext,
    *,
    jobs: Mapping[str, Origin | None],
    ticking: Mapping[str, Origin | None],
) -> Iterator[Problem]:
    """Yield the jobs, schedules and sensors of Python and YAML that have one name.

    Args:
        found: What Python declares.
        load_context: Has the jobs that belong to assets.
        jobs: The jobs of YAML's automation, by name.
        ticking: Its schedules and sensors, and those that every code location has, by name.
    """
    of_tools = {job.name: job_origin(job, load_context) for job in load_context.jobs}
    yield from _of_tools_and_yaml(of_tools, jobs)
    yield from _name_problems("jobs", found.by_kind["jobs"], {**of_tools, **jobs})
    # Dagster keeps schedules and sensors by their names, together.
    own = [*found.by_kind["schedules"], *found.by_kind["sensors"]]
    yield from _name_problems("schedules or sensors", own, ticking)


def job_origin(job: dg.JobDefinition, load_context: LoadContext) -> Origin | None:
    """Return where in YAML a job comes from: where the asset is that its metadata names."""
    named = (
        value.asset_key
        for value in job.metadata.values()
        if isinstance(value, dg.DagsterAssetMetadataValue)
    )
    return next((load_context.produced[key] for key in named if key in load_context.produced), None)


def selection_problems(found: Declarations, definitions: dg.Definitions) -> Iterator[Problem]:
    """Yield the jobs whose selection names assets that do not exist.

    Dagster finds that out too, in a traceback that does not say where the job is.
    """
    if is_reconstruction():
        return
    selections = [
        (declared, selection)
        for declared in found.by_kind["jobs"]
        if isinstance(selection := getattr(declared.value, "selection", None), dg.AssetSelection)
    ]
    if not selections:
        return
    graph = definitions.resolve_asset_graph()
    for declared, selection in selections:
        try:
            selection.resolve(graph)
        except dg.DagsterInvalidSubsetError as error:
            text = " ".join(str(error).split())
            yield _problem(declared.origin, f"the job {declared.value.name}: {text}")


def _asset_problems(found: Declarations, load_context: LoadContext) -> Iterator[Problem]:
    known: dict[dg.AssetKey, tuple[Origin, object]] = {
        key: (origin, None) for key, origin in load_context.produced.items()
    }
    for declared in found.by_kind["assets"]:
        for key in asset_keys(declared.value):
            first, value = known.setdefault(key, (declared.origin, declared.value))
            # Two equal specs are one: a module may make it for each of its uses.
            if value is declared.value or (
                isinstance(value, dg.AssetSpec) and value == declared.value
            ):
                continue
            if value is None:  # of YAML
                yield duplicate_key_problem(key, first, declared.origin)
            else:
                yield duplicate_key_problem(key, first, declared.origin, "rename one of them")


def asset_keys(asset: Any) -> Iterable[dg.AssetKey]:
    """Return the keys of whatever Dagster takes as an asset."""
    if isinstance(asset, dg.AssetsDefinition):
        return sorted(asset.keys)
    return [asset.key] if isinstance(asset, dg.AssetSpec | dg.SourceAsset) else []


def _check_problems(
    found: Declarations, yaml_assets: Iterable[object], load_context: LoadContext
) -> Iterator[Problem]:
    known: dict[dg.AssetCheckKey, Origin | None] = {
        key: load_context.produced.get(key.asset_key)
        for asset in yaml_assets
        if isinstance(asset, dg.AssetsDefinition)
        for key in asset.check_keys
    }
    seen: set[int] = set()
    for declared in (*found.by_kind["assets"], *found.by_kind["asset_checks"]):
        if not isinstance(declared.value, dg.AssetsDefinition) or id(declared.value) in seen:
            continue
        seen.add(id(declared.value))
        for key in sorted(declared.value.check_keys):
            if key in known:
                message = (
                    f"the check {key.name} of {key.asset_key.to_user_string()} is made here and"
                    f" {_at(known[key])}: rename one of them"
                )
                yield _problem(declared.origin, message)
            known.setdefault(key, declared.origin)


def _name_problems(
    kind: str, declarations: Iterable[Declared], known: Mapping[str, Origin | None]
) -> Iterator[Problem]:
    names = dict(known)
    for declared in declarations:
        name = declared.value.name
        if name in names:
            message = f"two {kind} are named {name!r}: here and {_at(names[name])}"
            yield _problem(declared.origin, message)
        names.setdefault(name, declared.origin)


def _of_tools_and_yaml(
    of_tools: Mapping[str, Origin | None], jobs: Mapping[str, Origin | None]
) -> Iterator[Problem]:
    for name in of_tools.keys() & jobs.keys():
        if (origin := jobs[name]) is not None:
            message = f"two jobs are named {name!r}: here and {_at(of_tools[name])}"
            yield _problem(origin, message)


def _twice(kind: str, declarations: Iterable[tuple[str, Declared]]) -> Iterator[Problem]:
    known: dict[str, Declared] = {}
    for name, declared in declarations:
        first = known.setdefault(name, declared)
        if first.value is not declared.value:
            message = f"the {kind} {name!r} is given here and {_at(first.origin)}, and differs"
            yield _problem(declared.origin, message)


def _missing_resources(declared: Declared, names: Collection[str]) -> Iterator[Problem]:
    asset = declared.value
    if not isinstance(asset, dg.AssetsDefinition):
        return
    for name in sorted(asset.required_resource_keys - {*names, *asset.resource_defs, IO_MANAGER}):
        yield Problem(
            declared.origin.file,
            declared.origin.line,
            declared.origin.column,
            f"the code location has no resource {name!r}",
            allowed=tuple(sorted(names)),
            nearest=nearest(name, names),
        )


def _at(origin: Origin | None) -> str:
    return f"at {origin}" if origin else "by the factories"


def _problem(origin: Origin, message: str) -> Problem:
    return Problem(origin.file, origin.line, origin.column, message)
