"""dbt's compiler without a warehouse: for whoever wants a node's SQL, and no connection.

`dbt compile` ends at the first node that it cannot compile, and compiles nothing downstream of it.
So dbt parses the project by its own command, and then its compiler is given one node after the
other. Two things of dbt's adapter are set for that, in this process alone:

- What opens a connection refuses: whatever a node asks the warehouse, by whichever macro, ends
  there. (`--no-introspect` is an option of `dbt compile` that nothing in dbt 1.11 reads.)
- The adapter's cache of relations holds the schemas that the project builds in, and no relation.
  So `is_incremental()` has its answer without a connection: nothing is there yet.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from dbt.adapters.factory import get_adapter
from dbt.cli.main import cli
from dbt.compilation import Compiler
from dbt_common.exceptions import DbtRuntimeError

from factories.dbt.project.source_files import packages_path, project_settings

Node = Any  # dbt's, of its manifest


class NotCompiledError(Exception):
    """A node cannot be compiled without a warehouse; the text says why."""


class OfflineProject:
    """A dbt project whose nodes are compiled one by one."""

    def __init__(self, folder: Path, target: Path) -> None:
        """Have dbt parse the project.

        Args:
            folder: The dbt project's folder.
            target: Where dbt finds what it has parsed before, and writes.

        Raises:
            Exception: Of dbt or click, when dbt refuses the project.
        """
        places = ("--project-dir", "--profiles-dir")
        arguments = [
            *("--quiet", "--no-use-colors", "--log-level-file", "none", "--no-write-json"),
            *("parse", "--target-path", str(target)),
            *(word for place in places for word in (place, str(folder))),
        ]
        # As `dbtRunner` does it, which does not give its context away.
        context = cli.make_context("dbt", list(arguments))
        context.obj = {"manifest": None, "callbacks": [], "dbt_runner_command_args": arguments}
        cli.invoke(context)
        self.manifest: Any = context.obj["manifest"]
        config = context.obj["runtime_config"]
        self._folder = folder
        self._name = config.project_name
        self._compiler = Compiler(config)
        self._adapter: Any = get_adapter(config)
        self._asked = False
        self._adapter.connections.open = self._refuse
        self._adapter.cache.update_schemas(
            (node.database, node.schema) for node in self.manifest.nodes.values()
        )

    def folder_of(self, node: Node) -> Path:
        """Return the folder of the project, or installed package, that a node belongs to."""
        if node.package_name == self._name:
            return self._folder
        packages = packages_path(project_settings(self._folder))
        return self._folder / packages / str(node.package_name)

    def compile(self, node: Node, *, incrementally: bool = False) -> str:
        """Return a node's SQL, with the ephemeral models that it reads inside.

        Args:
            node: The node.
            incrementally: As if its table were there already.

        Raises:
            NotCompiledError: When it asks the warehouse, or dbt refuses it.
        """
        if node.language != "sql":
            raise NotCompiledError(f"is written in {node.language}")
        self._asked = False
        relation = self._relation(node)
        if incrementally:
            self._adapter.cache.add(relation)
        try:
            with self._adapter.connection_named(node.unique_id, node):
                # A copy: dbt compiles a node once, and keeps what has come of it.
                made = self._compiler.compile_node(
                    copy.deepcopy(node), self.manifest, {}, write=False
                )
        except Exception as error:
            if not self._asked:
                reason = str(error).strip().splitlines()
                raise NotCompiledError(f"dbt cannot compile it: {' '.join(reason)}") from error
        finally:
            if incrementally:
                self._adapter.cache.drop(relation)
        if self._asked:
            raise NotCompiledError("asks the warehouse while it is compiled")
        return str(made.compiled_code)

    def _relation(self, node: Node) -> Any:
        kind = self._adapter.Relation
        relation = kind.create_from(self._adapter.config, node, type=kind.Table)
        return relation.as_case_sensitive()

    def _refuse(self, _connection: object) -> None:
        """Stand in for what opens a connection."""
        self._asked = True
        raise DbtRuntimeError("there is no warehouse here")
