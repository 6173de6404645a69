"""What Python declares for a code location, each thing with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.context import Origin
from factories.core.dagster_internals import decorated_function
from factories.core.python_defs.error_places import is_own
from factories.core.yaml.reader import display_name

KINDS = ("assets", "asset_checks", "jobs", "schedules", "sensors")


@dataclass(frozen=True)
class Declared:
    """One thing that Python declares.

    Attributes:
        value: An asset, a job, a resource, …
        origin: Where it is declared.
        imported: Whether that is the line of an import: it is declared somewhere else.
    """

    value: Any
    origin: Origin
    imported: bool = False


@dataclass
class Declarations:
    """Everything that Python declares for a code location, each thing once.

    Attributes:
        by_kind: Assets, checks, jobs, schedules and sensors, by the name of Dagster's argument.
        resources: Resources and their names, as often as they are declared.
        loggers: Loggers and their names, likewise.
        metadata: Of the definitions as a whole.
    """

    by_kind: dict[str, list[Declared]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    resources: list[tuple[str, Declared]] = field(default_factory=list)
    loggers: list[tuple[str, Declared]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def add(self, kind: str, declared: Declared) -> None:
        """Add one thing; a module that imports it from another one declares nothing new."""
        of_kind = self.by_kind[kind]
        for at, known in enumerate(of_kind):
            if known.value is declared.value:
                if known.imported and not declared.imported:
                    of_kind[at] = declared
                return
        of_kind.append(declared)

    def add_definitions(self, definitions: dg.Definitions, places: PlacesOf) -> None:
        """Add everything that a `Definitions` object holds.

        Args:
            definitions: The object.
            places: Knows where its parts are declared.
        """
        for kind in KINDS:
            for value in getattr(definitions, kind) or ():
                self.add(kind, places.declared(value))
        for name, value in (definitions.resources or {}).items():
            self.resources.append((name, Declared(value, places.default)))
        for name, value in (definitions.loggers or {}).items():
            self.loggers.append((name, Declared(value, places.default)))
        self.metadata.update(definitions.metadata or {})

    def values(self, kind: str) -> Iterator[Any]:
        """Yield everything of a kind."""
        return (declared.value for declared in self.by_kind[kind])


@dataclass(frozen=True)
class PlacesOf:
    """Where the parts of one `Definitions` object are declared.

    Attributes:
        default: Where the object itself is: holds for what has no place of its own.
        root: The project folder.
        bound: By the identity of what a module's names stand for.
    """

    default: Origin
    root: Path
    bound: dict[int, Declared] = field(default_factory=dict)

    def declared(self, value: Any) -> Declared:
        """Return one part with its place: the name it is bound to, else its function."""
        if (found := self.bound.get(id(value))) is not None:
            return found
        return Declared(value, self._function_origin(value) or self.default)

    def _function_origin(self, value: Any) -> Origin | None:
        function = decorated_function(value) if isinstance(value, dg.AssetsDefinition) else None
        code = getattr(function, "__code__", None)
        if code is None or not is_own(Path(code.co_filename), self.root):
            return None
        return Origin(display_name(Path(code.co_filename), self.root), code.co_firstlineno)
