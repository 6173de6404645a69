"""The definition of a procedure or function, and how it is stored."""

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
        default: The SQL of its default value, if it has one.
    """

    name: str
    type: SnowflakeType
    default: str | None = None


@dataclass(frozen=True)
class Import:
    """A file in a stage that a handler finds beside its code.

    Attributes:
        stage: The stage's name; None for the user stage.
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
        arguments: The arguments in their order.
        returns: The type of its result; None for a table.
        columns: The columns of the table that it returns; empty for those of the data frame.
        handler: The Python function: `function` or `module.function`.
        body: The Python code; None if it is in one of the imports.
        runtime_version: The Python version that was requested.
        packages: The packages that were requested, with their version specifiers.
        imports: The files beside the code.
        strict: Whether the result is NULL, without a call, if an argument is NULL.
        immutable: Whether it was declared IMMUTABLE.
        execute_as: OWNER or CALLER; it is listed, but has no effect.
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
        """The signature."""
        return Signature(self.kind, self.name, tuple(a.type.kind for a in self.arguments))

    @property
    def required(self) -> int:
        """The number of arguments without a default."""
        return sum(argument.default is None for argument in self.arguments)

    def takes(self, count: int) -> bool:
        """Whether it can be called with this number of arguments."""
        return self.required <= count <= len(self.arguments)

    def as_text(self) -> str:
        """Return the definition as it is stored."""
        return json.dumps(asdict(self))


def parse_routine(text: str) -> Routine:
    """Return the definition that `Routine.as_text` has written."""
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


def describe_returns(routine: Routine) -> str:
    """Return the type of the result, as DESCRIBE writes it."""
    if routine.returns is not None:
        return routine.returns.description
    columns = ", ".join(f"{column.name} {column.type.description}" for column in routine.columns)
    return f"TABLE ({columns})"
