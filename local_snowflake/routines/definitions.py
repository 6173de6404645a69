"""What a procedure or function is, and its form in storage."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple

from local_snowflake.sql.names import Name
from local_snowflake.sql.types import SnowflakeType

PROCEDURE, FUNCTION = "PROCEDURE", "FUNCTION"


class Signature(NamedTuple):
    """What identifies a procedure or function.

    Attributes:
        kind: PROCEDURE or FUNCTION.
        name: Its full name.
        types: The kinds of its arguments.
    """

    kind: str
    name: Name
    types: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name.name}({', '.join(self.types)})"


@dataclass(frozen=True)
class Argument:
    """An argument of a procedure or function.

    Attributes:
        name: Its name.
        type: Its type.
        default: The SQL of its value when the call gives none.
    """

    name: str
    type: SnowflakeType
    default: str | None = None


@dataclass(frozen=True)
class Import:
    """A file in a stage that a handler finds beside its code.

    Attributes:
        stage: The parts of the stage's name; None: the user's own stage.
        path: The file's path in it.
    """

    stage: Name | None
    path: str

    def __str__(self) -> str:
        return f"@{self.stage or '~'}/{self.path}"


@dataclass(frozen=True)
class Routine:
    """A procedure or function in Python.

    Attributes:
        kind: PROCEDURE or FUNCTION.
        name: Its full name.
        arguments: In their order.
        returns: The type of its result; None: a table.
        columns: The columns of the table that it returns; empty: they are the data frame's own.
        handler: The Python function: `function` or `module.function`.
        body: The Python code; None: it is in one of the imports.
        runtime_version: The Python version that was asked for.
        packages: The packages that were asked for, with their version specifiers.
        imports: The files beside the code.
        strict: Whether a NULL argument gives NULL without a call.
        immutable: Whether it was declared IMMUTABLE.
        execute_as: OWNER or CALLER; told and without effect.
        comment: The comment.
        created_on: When it was created, ISO 8601.
    """

    kind: str
    name: Name
    arguments: tuple[Argument, ...]
    returns: SnowflakeType | None
    columns: tuple[Argument, ...]
    handler: str
    body: str | None
    runtime_version: str
    packages: tuple[str, ...]
    imports: tuple[Import, ...]
    strict: bool = False
    immutable: bool = False
    execute_as: str = "OWNER"
    comment: str = ""
    created_on: str = ""

    @property
    def signature(self) -> Signature:
        """What identifies it."""
        return Signature(self.kind, self.name, tuple(a.type.kind for a in self.arguments))

    @property
    def required(self) -> int:
        """How many arguments have no default."""
        return sum(argument.default is None for argument in self.arguments)

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.required <= count <= len(self.arguments)

    def as_text(self) -> str:
        """The routine as it is stored."""
        return json.dumps(asdict(self))


def from_text(text: str) -> Routine:
    """The routine that `Routine.as_text` has written."""
    raw = json.loads(text)
    returns = raw["returns"]
    return Routine(
        **{
            **raw,
            "name": Name(*raw["name"]),
            "arguments": tuple(_argument(a) for a in raw["arguments"]),
            "columns": tuple(_argument(a) for a in raw["columns"]),
            "returns": SnowflakeType(**returns) if returns else None,
            "packages": tuple(raw["packages"]),
            "imports": tuple(
                Import(Name(*i["stage"]) if i["stage"] else None, i["path"]) for i in raw["imports"]
            ),
        }
    )


def _argument(raw: dict[str, object]) -> Argument:
    return Argument(**{**raw, "type": SnowflakeType(**raw["type"])})  # type: ignore[arg-type]  # as it was stored


def returns_of(routine: Routine) -> str:
    """What a routine returns, as DESCRIBE tells it."""
    if routine.returns is not None:
        return routine.returns.described
    columns = ", ".join(f"{column.name} {column.type.described}" for column in routine.columns)
    return f"TABLE ({columns})"
