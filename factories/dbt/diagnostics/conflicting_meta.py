"""What is wrong with dbt projects as a whole: between models, and between projects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from factories.core.assets.context import LoadContext
from factories.core.meta.check_specs import blocking_names
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.project.source_files import PROJECT_FILE

WITHOUT_OWN_ROWS = ("view", "materialized_view", "dynamic_table")
# dbt's own strategies that add rows when the model has no key.
BY_KEY = (None, "merge", "delete+insert")
WINDOW = "the variables window_start and window_end"


def conflicting_meta(
    projects: Sequence[DbtProject], load_context: LoadContext
) -> Iterator[Problem]:
    """Yield the problems of a code location's projects that no file shows by itself."""
    of_name: dict[str, DbtProject] = {}
    of_job: dict[str, Model] = {}
    for project in projects:
        first = of_name.setdefault(project.name.lower(), project)
        if first is not project:
            message = (
                f"the dbt project {first.name} is also in"
                f" {display_name(first.folder, load_context.root)}:"
                " name them differently"
            )
            yield Problem(
                display_name(project.folder / PROJECT_FILE, load_context.root), 1, 1, message
            )
        yield from _late_checks(project)
        for model in project.models.values():
            yield from _model_problems(model)
            if model.meta.backfill:
                other = of_job.setdefault(model.node.name, model)
                if other is not model:
                    message = (
                        f"backfill: {other.node.unique_id} has a job of this name,"
                        f" backfill_{model.node.name}"
                    )
                    yield model.places.problem(["backfill"], message, at_key=True)


def _late_checks(project: DbtProject) -> Iterator[Problem]:
    """Yield the checks that block too late: dbt builds what reads their model before they run."""
    blocking = {
        uid: model for uid, model in project.models.items() if blocking_names(model.meta.checks)
    }
    for reader in project.models.values():
        for dep in blocking.keys() & set(reader.node.depends_on):
            if _step(blocking[dep]) == _step(reader):
                message = (
                    f"checks: dbt builds {reader.key.to_user_string()} in the same step, before"
                    " these run: write tests of dbt, which hold it back, or `blocking: false`"
                )
                yield blocking.pop(dep).places.problem(["checks"], message, at_key=True)


def _step(model: Model) -> object:
    """Return what models of one project share that are built in one step."""
    partition = model.meta.partition
    return model.meta.pool, partition and partition.model_copy(update={"column": None})


def _model_problems(model: Model) -> Iterator[Problem]:
    if found := _window_problem(model):
        key, message = found
        yield model.places.problem([key], message, at_key=True)
    for name, spec in (("partition", model.meta.partition), ("backfill", model.meta.backfill)):
        if spec and spec.column is not None:
            message = f"column: nothing reads it here: the model's SQL bounds its rows by {WINDOW}"
            yield model.places.problem([name, "column"], message, at_key=True)
    rows = model.meta.checks.rows if model.meta.checks else None
    if rows and rows.change and model.node.materialized == "view":
        message = "change: runs record no rows of a view, so there is nothing to compare with"
        yield model.places.problem(["checks", "rows", "change"], message, at_key=True)
    if model.meta.data_version and model.node.materialized in WITHOUT_OWN_ROWS:
        message = (
            f"data_version: {model.node.name} is a {model.node.materialized}, whose rows change"
            " without a run: it always counts as changed"
        )
        yield model.places.problem(["data_version"], message, at_key=True)
    key = model.key.to_user_string()
    if key in model.meta.deps:
        at: list[str | int] = ["deps", model.meta.deps.index(key)]
        yield model.places.problem(at, f"deps: {key} cannot depend on itself")


def _window_problem(model: Model) -> tuple[str, str] | None:
    """Return the key of the block, and why a model cannot be built for a window as it says."""
    meta = model.meta
    for name, spec in (("partition", meta.partition), ("backfill", meta.backfill)):
        if spec is None:
            continue
        if model.node.materialized != "incremental":
            return name, (
                f"{name}: {model.node.name} is a {model.node.materialized}: a window would replace"
                " the other windows' rows, so it must be incremental"
            )
        if spec.type == "static":
            return name, f"{name}: dbt models have windows of time only"
        if why := _unrepeatable(model):
            return name, f"{name}: {model.node.name} {why}"
    if meta.partition and meta.backfill:
        return "backfill", "backfill: a partitioned model is backfilled by its partitions"
    return None


def _unrepeatable(model: Model) -> str | None:
    """Return why a window of an incremental model cannot be built twice, or one after the other."""
    strategy = model.node.strategy
    if strategy == "microbatch":
        return "is a microbatch, whose rows dbt chooses itself by its event_time, not by a window"
    if strategy == "insert_overwrite":
        return "overwrites all of its rows, so a window would replace the other windows' rows"
    if model.node.replaces_rows:
        return None
    if strategy == "append":
        return "appends, so a window that is built again would have its rows twice"
    if strategy in BY_KEY:
        return (
            "has no unique_key, so a window that is built again would have its rows twice; give it"
            " one, or delete the window's rows in a pre-hook"
        )
    return None
