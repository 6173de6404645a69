"""The registry: versions, one champion, and files that are read only when they are right."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from factories.core.warehouse.names import Relation
from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.model_files import dump_model
from factories.snowpark.in_snowflake.training import put_file
from factories.snowpark.models.registry import Registry, RegistryError, TrainedModel, Version
from tests.conftest import WarehouseUnderTest

Another = Callable[[], AbstractContextManager[Registry]]


def new(
    registry: Registry, session: Session, model: Any = "a model", **changes: Any
) -> TrainedModel:
    """A version whose file is in the stage."""
    content, sha256 = dump_model(model)
    file = f"delay/{sha256}.pkl"
    put_file(session, registry._stage, file, content)
    values = {
        "model": "delay",
        "run_id": "run-1",
        "code_version": "abc",
        "splits": {"train": {"rows": 3}},
        "params": {"text": "it's", "list": [1, 2.5]},
        "metrics": {"validation": {"roc_auc": 0.7}, "test": {"roc_auc": 0.6}},
        "file": file,
        "sha256": sha256,
        "details": {"features": ["hour"]},
    }
    return TrainedModel(**{**values, **changes})


def register(
    registry: Registry, session: Session, model: Any = "a model", *, promote: bool = False
) -> Version:
    champion = registry.champion("delay")
    return registry.register(
        new(registry, session, model),
        promote=promote,
        champion=champion.version if champion else None,
    )


def statuses(registry: Registry) -> dict[int, str]:
    return {version.version: version.status for version in registry.versions("delay")}


def test_a_version_is_registered_with_all_that_is_known(
    registry: Registry, session: Session
) -> None:
    made = register(registry, session)
    assert (made.version, made.status, made.promoted_at) == (1, "candidate", None)
    assert made.params == {"text": "it's", "list": [1, 2.5]}
    assert made.metrics["test"] == {"roc_auc": 0.6}
    assert registry.champion("delay") is None
    assert registry.load(made) == "a model"


def test_creating_what_is_there_changes_nothing(registry: Registry, session: Session) -> None:
    register(registry, session)
    registry.create()
    assert statuses(registry) == {1: "candidate"}


def test_a_promoted_version_takes_the_place_of_the_champion(
    registry: Registry, session: Session
) -> None:
    register(registry, session, promote=True)
    register(registry, session)
    register(registry, session, promote=True)
    assert statuses(registry) == {3: "champion", 2: "candidate", 1: "archived"}
    assert registry.promote("delay", 1).promoted_at is not None
    assert statuses(registry) == {3: "archived", 2: "candidate", 1: "champion"}


def test_models_of_an_area_are_apart(registry: Registry, session: Session) -> None:
    register(registry, session, promote=True)
    other = replace(new(registry, session), model="other")
    assert registry.register(other, promote=True, champion=None).version == 1
    assert statuses(registry) == {1: "champion"}


def test_unknown_versions_are_refused(registry: Registry, session: Session) -> None:
    register(registry, session)
    register(registry, session)
    with pytest.raises(RegistryError, match=r"no version 7 .* there are: 2, 1"):
        registry.promote("delay", 7)
    with pytest.raises(RegistryError, match="there are: none"):
        registry.version("other", 1)


def test_a_changed_file_is_never_unpickled(registry: Registry, session: Session) -> None:
    made = register(registry, session, promote=True)
    second = register(registry, session, "another model")
    put_file(session, registry._stage, second.file, b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    with pytest.raises(ModelError, match="version 2 of delay is not the one that was registered"):
        registry.load(second)
    with pytest.raises(ModelError, match="not the one that was registered"):
        registry.promote("delay", 2)
    session.sql(f"remove @{registry._stage}/{made.file}").collect()
    with pytest.raises(ModelError, match="version 1 of delay is no longer in the stage"):
        registry.load(made)
    assert statuses(registry) == {2: "candidate", 1: "champion"}


def test_a_file_is_read_without_a_trace(
    registry: Registry, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = register(registry, session)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert registry.load(made) == "a model"
    assert list(tmp_path.rglob("*.pkl")) == []


def test_a_lost_session_is_not_taken_for_a_lost_file(registry: Registry, session: Session) -> None:
    made = register(registry, session)
    session.connection.rest.delete_session()
    with pytest.raises(SnowparkSQLException, match="session is gone"):
        registry.load(made)
    session.connection.close()


def test_a_candidate_compared_with_a_former_champion_is_not_promoted(
    registry: Registry, session: Session
) -> None:
    register(registry, session, promote=True)
    candidate = new(registry, session)
    register(registry, session, promote=True)
    with pytest.raises(RegistryError, match="the champion of delay is 2 now, it was 1"):
        registry.register(candidate, promote=True, champion=1)
    assert statuses(registry) == {2: "champion", 1: "archived"}


def test_a_failed_promotion_registers_nothing(
    registry: Registry, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(registry, session, promote=True)

    def fails(*_: object) -> None:
        raise RuntimeError("lost")

    monkeypatch.setattr(registry, "_promote", fails)
    with pytest.raises(RuntimeError, match="lost"):
        register(registry, session, promote=True)
    assert statuses(registry) == {1: "champion"}


def test_what_is_verified_is_what_is_promoted(
    registry: Registry, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(registry, session, promote=True)
    register(registry, session, "another model")
    verify = registry.content

    def changed_by_hand(version: Version) -> bytes:
        content = verify(version)
        # In this session: the embedded warehouse shows a transaction no changes of others.
        registry._run(f"update {registry._table} set sha256 = 'other' where version = 2")
        return content

    monkeypatch.setattr(registry, "content", changed_by_hand)
    with pytest.raises(RegistryError, match="version 2 of delay was changed while"):
        registry.promote("delay", 2)
    assert statuses(registry) == {2: "candidate", 1: "champion"}


@pytest.fixture
def another(warehouse: WarehouseUnderTest, database: str) -> Another:
    """The same registry in a session of its own."""

    @contextmanager
    def opened() -> Iterator[Registry]:
        with Session.builder.configs({**warehouse.settings, "database": database}).create() as own:
            relation = Relation(database, "DELAY", "MODELS")
            yield Registry(own, relation, Relation(database, "DELAY", "MODEL_FILES"))

    return opened


def test_registration_and_promotion_wait_for_another_also_before_any_version(
    another: Another, registry: Registry, session: Session
) -> None:
    first = new(registry, session)
    session.sql("alter session set lock_timeout = 0").collect()
    with another() as other:
        with other._exclusive(), pytest.raises(SnowparkSQLException, match="has locked"):
            registry.register(first, promote=True, champion=None)
        registry.register(first, promote=False, champion=None)
        with other._exclusive(), pytest.raises(SnowparkSQLException, match="has locked"):
            registry.promote("delay", 1)
    assert statuses(registry) == {1: "candidate"}


def test_a_registry_that_has_no_lock_yet_gets_it_with_the_next_change(
    registry: Registry, session: Session
) -> None:
    register(registry, session, promote=True)
    session.sql(f"drop table {registry._lock}").collect()
    register(registry, session, promote=True)
    assert statuses(registry) == {2: "champion", 1: "archived"}
    session.sql(f"drop table {registry._lock}").collect()
    registry.promote("delay", 1)
    assert statuses(registry) == {2: "archived", 1: "champion"}
    assert len(session.sql(f"select * from {registry._lock}").collect()) == 1


def test_a_lock_that_locks_nothing_is_refused(registry: Registry, session: Session) -> None:
    register(registry, session)
    session.sql(f"delete from {registry._lock}").collect()
    with pytest.raises(RegistryError, match="MODELS_LOCK must have one row"):
        registry.promote("delay", 1)
    assert statuses(registry) == {1: "candidate"}


@pytest.mark.parametrize("actions", [("register", "register"), ("promote", "register")])
@pytest.mark.parametrize("has_champion", [False, True], ids=["first", "later"])
def test_two_changes_at_once_get_versions_of_their_own_and_one_champion(
    another: Another,
    registry: Registry,
    session: Session,
    has_champion: bool,
    actions: tuple[str, str],
) -> None:
    if has_champion:
        register(registry, session, promote=True)
    if "promote" in actions:
        register(registry, session)
    known = set(statuses(registry))
    trained = new(registry, session)
    changes: dict[str, Callable[[Registry], Version]] = {
        "register": lambda own: own.register(
            trained, promote=True, champion=1 if has_champion else None
        ),
        "promote": lambda own: own.promote("delay", max(known)),
    }
    outcomes: dict[str, list[Version | BaseException]] = {name: [] for name in changes}
    both = threading.Barrier(2, timeout=60)

    def go(name: str) -> None:
        with another() as own:
            both.wait()
            try:
                outcomes[name].append(changes[name](own))
            except Exception as error:  # noqa: BLE001 - of another thread
                outcomes[name].append(error)

    threads = [threading.Thread(target=go, args=(name,)) for name in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    registered = [found for found in outcomes["register"] if isinstance(found, Version)]
    refused = [found for found in outcomes["register"] if found not in registered]
    # What was compared with a champion that is none any more is refused.
    assert all(isinstance(found, RegistryError) for found in refused), outcomes
    assert all(isinstance(found, Version) for found in outcomes["promote"]), outcomes
    if "promote" not in actions:
        assert len(registered) == 1
    versions = [version.version for version in registry.versions("delay")]
    assert sorted(versions) == sorted({*known, *(made.version for made in registered)})
    assert [*statuses(registry).values()].count("champion") == 1
