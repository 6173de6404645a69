"""The YAML files of a dbt project: read once, their entries found by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from factories.core.assets.context import LoadContext
from factories.core.yaml.reader import YamlFile, read_yaml
from factories.dbt.project.manifest import Node, Source
from factories.dbt.project.source_files import PROJECT_FILE, properties_files

SECTIONS = {"model": "models", "seed": "seeds", "snapshot": "snapshots"}
Place = tuple[str | int, ...]


class PropertiesFiles:
    """Reads the files of one dbt project when they are first asked for."""

    def __init__(self, project: Path, load_context: LoadContext) -> None:
        """Take the project's folder; what is wrong with a file goes to the load context."""
        self._project = project
        self._load_context = load_context
        self.read = cache(self._read)
        self.places = cache(self._places)

    @property
    def project_file(self) -> YamlFile | None:
        """`dbt_project.yml`."""
        return self.read(PROJECT_FILE)

    def of_node(self, node: Node) -> tuple[YamlFile, list[Place]] | None:
        """Return the file that describes a node, and its entry there; then its version's."""
        if not node.patch_path:
            return None
        name = f"{node.folder}{node.patch_path}"
        file = self.read(name)
        entry = self.places(name).get((SECTIONS[node.kind], node.entry[0]))
        if file is None or entry is None:
            return None
        version = self.places(name).get((SECTIONS[node.kind], *node.entry))
        return file, [entry, version] if version else [entry]

    def of_source(self, source: Source) -> tuple[YamlFile, list[Place]] | None:
        """Return the file that describes a source's table, and its entries: source, table."""
        file = self.read(source.file)
        table = self.places(source.file).get(("sources", source.system, source.table))
        return (file, [table[:2], table]) if file is not None and table else None

    def files(self) -> Iterator[tuple[str, YamlFile]]:
        """Yield the project's own properties files and their names, in order."""
        settings = self.project_file.data if self.project_file else {}
        for name in properties_files(self._project, settings):
            if (file := self.read(name)) is not None:
                yield name, file

    def entries(self) -> Iterator[tuple[YamlFile, str, Sequence[str | None], Place]]:
        """Yield every entry of the project's own files: file, section, names, place."""
        for name, file in self.files():
            for (section, *names), at in self.places(name).items():
                yield file, str(section), names, at

    def _read(self, name: str) -> YamlFile | None:
        return read_yaml(
            self._project / name,
            root=self._load_context.root,
            problems=self._load_context.problems,
            keep_nodes=True,
        )

    def _places(self, name: str) -> dict[tuple[str | None, ...], Place]:
        file = self.read(name)
        index: dict[tuple[str | None, ...], Place] = {}
        for section in SECTIONS.values():
            for number, entry in _find_entries(file.data.get(section) if file else None, "name"):
                index[section, entry["name"]] = (section, number)
                for n, version in _find_entries(entry.get("versions"), "v"):
                    at = (section, number, "versions", n)
                    index[section, entry["name"], str(version["v"])] = at
        for number, source in _find_entries(file.data.get("sources") if file else None, "name"):
            index["sources", source["name"]] = ("sources", number)
            for n, table in _find_entries(source.get("tables"), "name"):
                at = ("sources", number, "tables", n)
                index["sources", source["name"], table["name"]] = at
        return index


def _find_entries(entries: Any, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        # dbt itself reports an entry whose name is none.
        if isinstance(entry, dict) and isinstance(entry.get(key), str | int | float):
            yield number, entry
