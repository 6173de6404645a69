"""The checks that a `checks` block describes: their names, what they mean, and Dagster's specs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from factories.core.meta.check_columns import ColumnsCheck, RelationshipCheck
from factories.core.meta.check_descriptions import describe_rule
from factories.core.meta.check_options import CheckOptions, Severity
from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.keys import parse_key
from factories.core.meta.names import dagster_name, digest

Path = tuple[str | int, ...]
Found = tuple[Path, tuple[str, ...], CheckOptions]
SCHEMA_NAMES = {"no_removed_columns": "no_removed_columns", "unchanged": "schema_unchanged"}


@dataclass(frozen=True)
class Check:
    """One check of an asset's table.

    Attributes:
        name: Its name in Dagster, which differs from those of the asset's other checks.
        rule: What must hold.
        columns: The columns that it is about, as YAML names them.
        severity: `warn` or `error`.
        blocking: Whether its failure holds back what is downstream.
        path: Where it is written, within the block.
    """

    name: str
    rule: CheckOptions
    columns: tuple[str, ...]
    severity: Severity
    blocking: bool
    path: Path

    @property
    def description(self) -> str:
        """What must hold, in words."""
        return describe_rule(self.rule, self.columns)

    @property
    def dagster_severity(self) -> dg.AssetCheckSeverity:
        """The severity of its failure."""
        return dg.AssetCheckSeverity[self.severity.upper()]


def list_checks(spec: ChecksSpec | None) -> list[Check]:
    """Return the checks that a `checks` block describes."""
    if spec is None:
        return []
    checks = []
    for name, (path, columns, rule) in _named_rules(spec):
        severity = rule.severity or spec.severity
        default = spec.blocking and severity == "error"
        blocking = default if rule.blocking is None else rule.blocking
        checks.append(Check(name, rule, columns, severity, blocking, path))
    return checks


def _named_rules(spec: ChecksSpec) -> Iterator[tuple[str, Found]]:
    if spec.rows and (spec.rows.min, spec.rows.max) != (None, None):
        yield "row_count", (("rows",), (), spec.rows)
    if spec.rows and spec.rows.change:
        inherited = {
            name: getattr(spec.rows, name)
            for name in CheckOptions.model_fields
            if getattr(spec.rows.change, name) is None
        }
        change = spec.rows.change.model_copy(update=inherited)
        yield "row_count_change", (("rows", "change"), (), change)
    if spec.columns:
        for kind, found in _column_rules(spec.columns):
            names = _name_checks(kind, [columns for _, columns, _ in found])
            for each in found:
                yield names[each[1]], each
    for index, schema in enumerate(spec.schema_):
        yield SCHEMA_NAMES[schema.expect], (("schema", index), (), schema)
    for name, sql in spec.sql.items():
        yield name, (("sql", name), (), sql)


def _column_rules(columns: ColumnsCheck) -> Iterator[tuple[str, list[Found]]]:
    """Yield the rules of each kind."""
    yield (
        "not_null",
        [
            (("columns", "not_null", index), (rule.column,), rule)
            for index, rule in enumerate(columns.not_null)
        ],
    )
    yield (
        "unique",
        [
            (("columns", "unique", index), rule.names, rule)
            for index, rule in enumerate(columns.unique)
        ],
    )
    by_column: dict[str, Mapping[str, CheckOptions]] = {
        "accepted_values": columns.accepted_values,
        "relationships": columns.relationships,
        "freshness": columns.freshness,
    }
    for kind, rules in by_column.items():
        yield kind, [(("columns", kind, name), (name,), rule) for name, rule in rules.items()]


def _name_checks(kind: str, checked: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Return the name of each check of a kind, by its columns, in their order.

    Of columns that differ in case alone, the one in lower case has the plain name; a combination
    of columns leaves it to a single one.
    """
    names: dict[tuple[str, ...], str] = {}
    taken: set[str] = set()
    for columns in sorted(sorted(checked, reverse=True), key=len):
        name = "_".join([kind, *(dagster_name(column.lower()) for column in columns)])
        while name in taken:
            name = f"{name}_{digest(', '.join(columns))}"
        taken.add(name)
        names[columns] = name
    return {columns: names[columns] for columns in checked}


def check_problems(spec: ChecksSpec) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong between the checks of a block: where, and why."""
    if spec.severity == "warn" and spec.blocking and "blocking" in spec.model_fields_set:
        yield ("blocking",), "blocking: checks of severity warn hold nothing back: leave one out"
    names: dict[str, Check] = {}
    for check in list_checks(spec):
        if check.blocking and check.severity == "warn":
            at = "blocking" if check.rule.severity is None else "severity"
            message = "a check of severity warn holds nothing back: leave severity or blocking out"
            yield (*check.path, at), f"{at}: {message}"
        first = names.setdefault(check.name, check)
        if first is not check:
            what = ".".join(str(step) for step in first.path)
            yield check.path, f"the check {check.name} is also {what}: give it another name"


def check_names(spec: ChecksSpec | None) -> list[str]:
    """Return the names of the checks that a `checks` block describes."""
    return [check.name for check in list_checks(spec)]


def blocking_names(spec: ChecksSpec | None) -> set[str]:
    """Return the names of those checks whose failure holds back what is downstream."""
    return {check.name for check in list_checks(spec) if check.blocking}


def referenced_assets(spec: ChecksSpec | None) -> Iterator[tuple[Path, dg.AssetKey]]:
    """Yield the assets whose tables the checks read, and where the block names each."""
    for check in list_checks(spec):
        if isinstance(check.rule, RelationshipCheck):
            yield (*check.path, "to"), parse_key(check.rule.to)


def check_specs(key: dg.AssetKey, spec: ChecksSpec | None) -> list[dg.AssetCheckSpec]:
    """Return the Dagster specs of the checks of one asset."""
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=key,
            blocking=check.blocking,
            description=check.description,
            metadata={"column": ", ".join(check.columns)} if check.columns else None,
        )
        for check in list_checks(spec)
    ]
