"""`python -m deploy.snowflake FILE`: runs a file of SQL on the target's warehouse.

Statement by statement, each with the line where it begins. The first that is refused ends it, and
the file can be run again: its statements do nothing twice. The embedded warehouse has no policies
of logins and clones no databases; there these statements are left out, and named.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.ci.command import CommandError
from deploy.ci.warehouse import open_warehouse
from factories.core.yaml.variables import target

PLACEHOLDER = re.compile(r"'THE PUBLIC KEY OF \w+'")
# Comments, strings and names in quotes: a semicolon in them ends nothing.
NO_END = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|;")
EMBEDDED_LACKS = {
    r"(create|drop) authentication policy": "every login there is by a password of its own",
    r"create database .* clone": "it clones tables, and no databases",
}


@dataclass(frozen=True)
class SqlStatement:
    """A statement of a file, without its comments and its semicolon.

    Attributes:
        line: Where it begins.
    """

    text: str
    line: int

    @property
    def missing_here(self) -> str | None:
        """Why the embedded warehouse does not have it; None when it has."""
        plain = " ".join(self.text.split())
        for what, why in EMBEDDED_LACKS.items():
            if re.match(what, plain, re.IGNORECASE):
                return why
        return None


class SqlFileError(Exception):
    """The file cannot be run; the text says why."""


def read_statements(text: str) -> Iterator[SqlStatement]:
    """Yield the statements of a file, in order.

    Raises:
        SqlFileError: When the last one has no end.
    """
    kept, begin, line = "", 0, 0
    for found in [*NO_END.finditer(text), None]:
        code = text[begin : found.start() if found else None]
        if found and found[0] != ";" and not found[0].startswith("--"):
            code += found[0]
        if not kept.strip() and code.strip():
            first = begin + len(code) - len(code.lstrip())
            line = text.count("\n", 0, first) + 1
        kept += code
        begin = found.end() if found else len(text)
        if found and found[0] == ";":
            yield SqlStatement(kept.strip(), line)
            kept = ""
    if kept.strip():
        raise SqlFileError(f"line {line}: this statement has no semicolon at its end")


def run_file(path: Path) -> None:
    """Run every statement of a file, and say each.

    Raises:
        SqlFileError: When a placeholder was left in it, or the warehouse refuses a statement.
        CommandError: When the warehouse cannot be logged in to.
    """
    local = target() == "local"
    statements = list(read_statements(path.read_text(encoding="utf-8")))
    left = [each for each in statements if PLACEHOLDER.search(each.text)]
    if left and not local:
        lines = ", ".join(str(each.line) for each in left)
        raise SqlFileError(f"{path}: put in the public keys first, in the statements of {lines}")
    with open_warehouse() as warehouse:
        for each in statements:
            summary = f"{path.name}:{each.line}: {each.text.splitlines()[0]}"
            if local and (why := each.missing_here):
                sys.stdout.write(f"{summary}\n  left out on the embedded warehouse: {why}\n")
                continue
            sys.stdout.write(f"{summary}\n")
            try:
                warehouse.ask(each.text)
            except CommandError as error:
                raise SqlFileError(f"{path}:{each.line}: {error}") from None


def main() -> None:
    """Be the command."""
    parser = argparse.ArgumentParser(prog="python -m deploy.snowflake", description=__doc__)
    parser.add_argument("file", type=Path)
    sys.stdout.write(f"target: {target()}\n")
    try:
        run_file(parser.parse_args().file)
    except (CommandError, OSError, SqlFileError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
