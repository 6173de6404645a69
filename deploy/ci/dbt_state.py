"""`python -m deploy.ci.dbt_state fetch FOLDER|publish`: production's manifest, as dbt's state.

`DP_DBT_STATE` says where it lies: a stage of the warehouse, such as `@PLATFORM.CI.STATE/dbt`, or
any folder that fsspec reaches, such as `s3://bucket/dbt`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import fsspec  # type: ignore[import-untyped]

from deploy.ci.command import CommandError, needed, run_command, say
from deploy.ci.warehouse import Warehouse, open_warehouse
from factories.core.project import project_root
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.quoting import sql_identifier, sql_literal
from factories.core.yaml.variables import target
from factories.dbt.prepare import PrepareError, prepare, target_folder

SETTING = "DP_DBT_STATE"
PROJECT = "dbt_project"
MANIFEST = "manifest.json"
STAGE = re.compile(r"@(\w+)\.(\w+)\.(\w+)((?:/[\w.=-]+)*)/?")
PUBLISHED_BY = "the workflow `main` publishes it when it has deployed: run it once"


class Place(Protocol):
    """Where the manifest lies."""

    def fetch(self, folder: Path) -> bool:
        """Copy it into a folder; tell whether there was one."""
        ...

    def publish(self, manifest: Path) -> None:
        """Replace it."""
        ...


@dataclass(frozen=True)
class StagePlace:
    """A folder of a stage of the warehouse."""

    address: str
    warehouse: Warehouse

    def fetch(self, folder: Path) -> bool:
        """Copy the manifest into a folder; tell whether there was one."""
        place = self._quoted(f"/{MANIFEST}")
        listed = self.warehouse.ask(f"list {place}")
        if not any(str(row["name"]).endswith(f"/{MANIFEST}") for row in listed):
            return False
        self.warehouse.ask(f"get {place} {sql_literal(f'file://{folder.resolve()}/')}")
        return True

    def publish(self, manifest: Path) -> None:
        """Replace the manifest."""
        source = sql_literal(f"file://{manifest.resolve()}")
        self.warehouse.change(
            f"put {source} {self._quoted()} auto_compress = false overwrite = true"
        )

    def _quoted(self, file: str = "") -> str:
        found = STAGE.fullmatch(self.address)
        if found is None:
            raise CommandError(
                f"{SETTING} is {self.address!r}, but a stage is written"
                " @DATABASE.SCHEMA.STAGE/folder"
            )
        stage = ".".join(sql_identifier(part.upper()) for part in found.groups()[:3])
        return sql_literal(f"@{stage}{found[4]}{file}")


@dataclass(frozen=True)
class FolderPlace:
    """A folder that fsspec reaches: of an object store, or of this machine."""

    address: str

    def fetch(self, folder: Path) -> bool:
        """Copy the manifest into a folder; tell whether there was one."""
        files, path = self._open()
        try:
            files.get_file(f"{path}/{MANIFEST}", str(folder / MANIFEST))
        except FileNotFoundError:
            return False
        return True

    def publish(self, manifest: Path) -> None:
        """Replace the manifest."""
        files, path = self._open()
        files.makedirs(path, exist_ok=True)
        files.put_file(str(manifest), f"{path}/{MANIFEST}")

    def _open(self) -> tuple[Any, str]:
        files, path = fsspec.core.url_to_fs(self.address.rstrip("/"))
        return files, str(path)


def main(arguments: list[str]) -> None:
    """Fetch or publish the manifest."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.dbt_state", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("fetch").add_argument("folder", type=Path)
    commands.add_parser("publish")
    given = parser.parse_args(arguments)
    if given.what == "fetch":
        say(f"fetched {fetch_state(given.folder)}")
    else:
        publish_state(make_manifest(project_root() / PROJECT))


def make_manifest(project: Path) -> Path:
    """Parse the project for production, and return its manifest.

    Raises:
        CommandError: On another target, whose names would be those of the state.
    """
    if target() != "prod":
        raise CommandError(f"DP_TARGET is {target()!r}: only the manifest of prod is published")
    try:
        prepare(project, warehouse_names(), install=True)
    except PrepareError as error:
        raise CommandError(f"{project.name}: {error}") from None
    return target_folder(project) / MANIFEST


def fetch_state(folder: Path) -> Path:
    """Copy production's manifest into a folder, which is made, and return it.

    Raises:
        CommandError: When there is none, or what is there is no manifest.
    """
    address = state_address()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    with open_place(address) as place:
        found = place.fetch(folder)
    if not found:
        raise CommandError(f"there is no manifest of production in {address}: {PUBLISHED_BY}")
    check_manifest(folder / MANIFEST, address)
    return folder / MANIFEST


def publish_state(manifest: Path) -> None:
    """Make a manifest production's.

    Raises:
        CommandError: When it is none, or cannot be written there.
    """
    address = state_address()
    check_manifest(manifest, str(manifest))
    with open_place(address) as place:
        place.publish(manifest)
    say(f"published the manifest to {address}")


@contextmanager
def open_place(address: str) -> Iterator[Place]:
    """Give the place that an address names.

    Raises:
        CommandError: When it cannot be reached, or refuses what is done with it.
    """
    if address.startswith("@"):
        with open_warehouse() as warehouse:
            yield StagePlace(address, warehouse)
        return
    try:
        yield FolderPlace(address)
    except Exception as error:  # noqa: BLE001 - each object store has errors of its own
        raise CommandError(f"{address}: {type(error).__name__}: {error}") from None


def state_address() -> str:
    """Return where the manifest lies.

    Raises:
        CommandError: When the setting is missing, or has a password in it: it is printed.
    """
    what = "it says where production's manifest lies, as s3://bucket/dbt or @PLATFORM.CI.STATE/dbt"
    address = needed(SETTING, what)
    if urlsplit(address).password:
        raise CommandError(
            f"{SETTING} must not hold a password: the environment lets its reader in"
        )
    return address


def check_manifest(file: Path, where: str) -> None:
    """Refuse what dbt could not compare with.

    Raises:
        CommandError: When it is no manifest of dbt's.
    """
    try:
        version = json.loads(file.read_bytes())["metadata"]["dbt_schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        kind = type(error).__name__
        raise CommandError(f"{where} holds no manifest of dbt: {kind}: {error}") from None
    say(f"manifest: {version}")


if __name__ == "__main__":
    run_command(main)
