"""dbt's tests and freshness criteria as Dagster's checks, whose names differ within an asset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

import dagster as dg

from factories.core.conditions.unknown_checks import ALSO_READS
from factories.core.meta.check_specs import check_names
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.keys import key_part
from factories.dbt.project.manifest import Manifest, Test
from factories.dbt.project.sources import SourceTable

NOT_IN_A_CHECK_NAME = re.compile(r"[^A-Za-z0-9_]+")
FRESHNESS = "source_freshness"


class CheckNames:
    """The checks of one code location: several dbt projects may test the same source."""

    def __init__(self) -> None:
        """Begin without any."""
        # As Dagster names a step's outputs: `shop/orders:a_b` and `shop/orders_a:b` are one.
        self._taken: set[str] = set()

    def of_tests(
        self,
        manifest: Manifest,
        nodes: Mapping[str, tuple[dg.AssetKey, DagsterMeta]],
        sources: Mapping[str, SourceTable],
    ) -> dict[str, dg.AssetCheckSpec]:
        """Return the check of each test, by the test's unique id.

        A node's test of severity error blocks what is downstream in the same run.

        Args:
            manifest: The dbt project.
            nodes: The key and the block of each node, by unique id.
            sources: The sources, by unique id.
        """
        for key, meta in nodes.values():
            asset = key.to_python_identifier()
            self._taken |= {asset, *(f"{asset}_{name}" for name in check_names(meta.checks))}
        checks = {}
        for test in manifest.tests.values():
            source = sources.get(test.subject)
            if source is None and test.subject not in nodes:
                continue
            key = source.key if source else nodes[test.subject][0]
            checks[test.unique_id] = dg.AssetCheckSpec(
                self._name(key, test.name, manifest.project, test.unique_id),
                asset=key,
                description=test.description or None,
                blocking=source is None and test.severity == "error",
                automation_condition=source.check_condition if source else None,
                metadata={
                    "dbt/test": test.unique_id,
                    "dbt/file": test.path,
                    **_also_reads(test, nodes, sources),
                },
            )
        return checks

    def of_freshness(
        self, manifest: Manifest, sources: Mapping[str, SourceTable]
    ) -> dict[str, dg.AssetCheckSpec]:
        """Return the check of each source that has freshness criteria, by its unique id."""
        return {
            uid: dg.AssetCheckSpec(
                self._name(table.key, FRESHNESS, manifest.project, uid),
                asset=table.key,
                description=_freshness(table.source.freshness),
                automation_condition=table.check_condition,
                metadata={"dbt/source": uid, "dbt/file": table.source.path},
            )
            for uid, table in sources.items()
            if table.source.freshness
        }

    def _name(self, key: dg.AssetKey, name: str, project: str, unique_id: str) -> str:
        """Return a name that the asset has not yet."""
        plain = NOT_IN_A_CHECK_NAME.sub("_", name)
        last = NOT_IN_A_CHECK_NAME.sub("_", unique_id.rpartition(".")[2])
        of_project = f"{plain}_{key_part(project)}_{last}"
        numbered = (f"{of_project}_{number}" for number in count(2))
        candidates = chain((plain, f"{plain}_{last}", of_project), numbered)
        asset = key.to_python_identifier()
        free = next(name for name in candidates if f"{asset}_{name}" not in self._taken)
        self._taken.add(f"{asset}_{free}")
        return free


def _also_reads(
    test: Test,
    nodes: Mapping[str, tuple[dg.AssetKey, DagsterMeta]],
    sources: Mapping[str, SourceTable],
) -> dict[str, list[str]]:
    """Return the metadata of a node's test that reads other tables, which may be missing."""
    if test.is_unit or test.subject in sources:
        return {}
    keys = {uid: key for uid, (key, _) in nodes.items()}
    keys |= {uid: source.key for uid, source in sources.items()}
    read = sorted(keys[uid] for uid in {*test.reads} - {test.subject} if uid in keys)
    return {ALSO_READS: [key.to_user_string() for key in read]} if read else {}


def _freshness(limits: Mapping[str, Any]) -> str:
    """Return the criteria as a sentence."""
    words = {"warn_after": "Warns", "error_after": "Fails"}
    sentences = []
    for name, limit in limits.items():
        unit = limit["period"] if limit["count"] == 1 else f"{limit['period']}s"
        sentences.append(f"{words[name]} when older than {limit['count']} {unit}.")
    return " ".join(sentences)
