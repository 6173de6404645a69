"""The registry of an area's models: a table of versions, and a stage of their files."""
# ruff: noqa: S608 - every name in the SQL comes from the project's own YAML

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowflake.connector.errorcode import ER_FILE_NOT_EXISTS
from snowflake.connector.errors import Error
from snowflake.snowpark import Session

from factories.core.warehouse.names import Relation
from factories.snowpark.catalog import create_schema, table_exists
from factories.snowpark.config.relations import name_lock
from factories.snowpark.errors import SnowparkStepError
from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.model_files import load_model, verify_content
from factories.snowpark.in_snowflake.training import get_file
from factories.snowpark.session import transaction

COLUMNS = {
    "model": "varchar not null",
    "version": "integer not null",
    "status": "varchar not null",  # candidate, champion or archived
    "created_at": "timestamp_ltz not null",
    "promoted_at": "timestamp_ltz",
    "run_id": "varchar not null",
    "code_version": "varchar not null",
    "splits": "variant",  # rows, first and last moment of train, validation and test
    "params": "variant",
    "metrics": "variant",  # on validation and on test
    "file": "varchar not null",
    "sha256": "varchar not null",
    "details": "variant",  # features, their distribution in training, calibration, importance
}
JSON = ("splits", "params", "metrics", "details")


class RegistryError(SnowparkStepError):
    """The registry does not have, or does not permit, what is asked of it."""


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """What a training has made, before it is registered; the attributes are the table's."""

    model: str
    run_id: str
    code_version: str
    splits: Mapping[str, Any]
    params: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float]]
    file: str
    sha256: str
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Version(TrainedModel):
    """A registered version of a model: what was trained, and what the registry says of it."""

    version: int
    status: str
    created_at: datetime
    promoted_at: datetime | None

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"version {self.version} of {self.model}"


class Registry:
    """The versions of an area's models, through one Snowpark session.

    Every change is one transaction, and they come one after the other: a process that is killed
    leaves the table as it was, and a model that has a champion always has one, and only one.
    """

    def __init__(self, session: Session, relation: Relation, stage: Relation) -> None:
        """Take the session and the names; nothing runs yet."""
        self._session = session
        self._table = relation
        self._lock = name_lock(relation)
        self._schema = (relation.database, relation.schema)
        self._stage = stage

    def create(self) -> None:
        """Create the table and the stage, and their schema, when they are missing."""
        if table_exists(self._session, self._table.sql):
            return
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        create_schema(self._session, *self._schema)
        self._run(f"create stage if not exists {self._stage.sql}")
        # Last: where there is a table, there is all the rest.
        self._run(f"create table if not exists {self._table.sql} ({columns})")

    def versions(self, model: str) -> list[Version]:
        """Return all versions of a model, the newest first."""
        return self._select("model = ? order by version desc", model)

    def champion(self, model: str) -> Version | None:
        """Return the version that is used, if there is one."""
        found = self._select("model = ? and status = 'champion'", model)
        if len(found) > 1:
            numbers = ", ".join(str(version.version) for version in found)
            raise RegistryError(f"{model} has several champions in {self._table}: {numbers}")
        return found[0] if found else None

    def version(self, model: str, number: int) -> Version:
        """Return one version.

        Raises:
            RegistryError: When there is no version of this number.
        """
        found = self._select("model = ? and version = ?", model, number)
        if not found:
            known = ", ".join(str(version.version) for version in self.versions(model)) or "none"
            raise RegistryError(
                f"{model} has no version {number} in {self._table}; there are: {known}"
            )
        return found[0]

    def content(self, version: Version) -> bytes:
        """Return the bytes of a version's file.

        Raises:
            ModelError: When they are gone, or not those that were registered. What the warehouse
                refuses otherwise is raised as it is: it may be tried again.
        """
        try:
            content = get_file(self._session, self._stage.sql, version.file)
        except (Error, FileNotFoundError) as error:
            if isinstance(error, Error) and error.errno != ER_FILE_NOT_EXISTS:
                raise
            raise ModelError(
                f"the file of {version.label} is no longer in the stage {self._stage}:"
                " train again, or promote another version"
            ) from None
        return verify_content(content, version.sha256, version.label)

    def load(self, version: Version) -> Any:
        """Return a version's estimator; nothing is unpickled that was not registered.

        Raises:
            ModelError: As `content`; also when the file needs code that is gone.
        """
        return load_model(self.content(version), version.sha256, version.label)

    def register(self, new: TrainedModel, *, promote: bool, champion: int | None) -> Version:
        """Add a version; also promote it, in the same transaction.

        Args:
            new: What was trained.
            promote: Whether it becomes the champion.
            champion: The champion that it was compared with, None when there was none.

        Raises:
            RegistryError: When another training has changed the champion in the meantime.
        """
        names = ", ".join(name for name in COLUMNS if name != "promoted_at")
        given = [new.model, new.run_id, new.code_version]
        given += [json.dumps(getattr(new, name)) for name in ("splits", "params", "metrics")]
        given += [new.file, new.sha256, json.dumps(new.details)]
        with self._exclusive():
            now = self.champion(new.model)
            if promote and (now.version if now else None) != champion:
                raise RegistryError(
                    f"the champion of {new.model} is {now.version if now else 'none'} now,"
                    f" it was {champion or 'none'} when the candidate was compared: train again"
                )
            number = self._next_version(new.model)
            self._run(
                f"insert into {self._table.sql} ({names})"
                f" select ?, {number}, 'candidate', current_timestamp(), ?, ?,"
                " parse_json(?), parse_json(?), parse_json(?), ?, ?, parse_json(?)",
                *given,
            )
            made = self.version(new.model, number)
            return self._promote(made) if promote else made

    def promote(self, model: str, number: int) -> Version:
        """Make a version the champion, and archive the one before, in one transaction.

        Raises:
            RegistryError: When there is no such version.
            ModelError: When its file is not the one that was registered.
        """
        with self._exclusive():
            version = self.version(model, number)
            self.content(version)
            return self._promote(version)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Make the statements inside one transaction, beside which no other of these runs.

        All begin by changing the one row of a table made for that. Changing the model's own rows
        would not do: before its first version there is none, and an INSERT locks nothing, so two
        first trainings would not wait for each other.
        https://docs.snowflake.com/en/sql-reference/transactions#resource-locking
        """
        if not table_exists(self._session, self._lock.sql):
            # Not with the registry: those that are there already have none.
            self._run(
                f"create table if not exists {self._lock.sql}"
                " as select current_timestamp() as locked_at"
            )
        with transaction(self._session):
            (locked,) = self._run(f"update {self._lock.sql} set locked_at = current_timestamp()")
            if locked[0] != 1:
                raise RegistryError(
                    f"{self._lock} must have one row, which changes of {self._table} lock, and has"
                    f" {locked[0]}: drop it, and it is created again"
                )
            yield

    def _promote(self, version: Version) -> Version:
        self._run(
            f"update {self._table.sql} set"
            f" status = iff(version = {version.version}, 'champion', 'archived'),"
            f" promoted_at = iff(version = {version.version}, current_timestamp(), promoted_at)"
            f" where model = ? and (version = {version.version} or status = 'champion')",
            version.model,
        )
        now = self.champion(version.model)
        # Its row is locked from here on, so what has been verified is what becomes the champion,
        # also when somebody changes the table by hand.
        if now is None or (now.version, now.sha256) != (version.version, version.sha256):
            raise RegistryError(f"{version.label} was changed while it was promoted: try again")
        return now

    def _next_version(self, model: str) -> int:
        rows = self._run(
            f"select coalesce(max(version), 0) + 1 from {self._table.sql} where model = ?", model
        )
        return int(rows[0][0])

    def _select(self, condition: str, *parameters: Any) -> list[Version]:
        sql = f"select {', '.join(COLUMNS)} from {self._table.sql} where {condition}"
        return [_read_version(row) for row in self._run(sql, *parameters)]

    def _run(self, sql: str, *parameters: Any) -> list[Any]:
        return self._session.sql(sql, params=list(parameters) or None).collect()


def _read_version(row: Any) -> Version:
    values = dict(zip(COLUMNS, row, strict=True))
    for name in JSON:
        values[name] = json.loads(values[name]) if values[name] else {}
    return Version(**values)
