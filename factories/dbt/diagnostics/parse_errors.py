"""What dbt says of a project that it cannot parse, as problems with their places."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

from factories.core.assets.context import LoadContext
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name, read_yaml
from factories.dbt.diagnostics.known_parse_errors import known_problems
from factories.dbt.project.source_files import PROJECT_FILE

CLOCK = re.compile(r"^(\x1b\[\d*m)*\d\d:\d\d:\d\d\s+")
# The last is what `dbt deps` adds to any error of its own (1.11).
NOISE = re.compile(
    r"Encountered an error:|^Error encountered in /|^Error uploading artifacts to artifact ingest"
)
OTHER_WORDS = {
    "at path []: ": "",
    'Run "dbt deps" to install package dependencies.': "`make setup` installs them",
}
# `(models/x.sql)`, `schema file at models/x.yml is`, `Error reading shop: marts/x.yml - `.
FILE = re.compile(r"(?<![\w/.])((?:/|[\w-]+/)*[\w.-]+\.(?:sql|ya?ml|py|csv|md))\b")
VARIABLE = re.compile(r"Env var required but not provided: '(\w+)'")
LINE = re.compile(r"\bline (\d+)\b")
FOLDERS = ("", "models", "seeds", "snapshots", "tests", "macros", "analyses")
SNIPPET = re.compile(r"^(-{5,}|Raw Error:|\d+\s+\|.*|in \"<unicode string>\".*|@: .*)$")


def parse_problems(project: Path, text: str, load_context: LoadContext) -> list[Problem]:
    """Return dbt's error as one problem at the file that it names.

    A file that is not valid YAML is read again here: that gives the line and column.

    Args:
        project: The dbt project's folder.
        text: What dbt wrote.
        load_context: Knows the project folder.
    """
    lines = [CLOCK.sub("", line).strip() for line in text.splitlines()]
    messages = [line for line in lines if line and not NOISE.search(line)]
    # dbt did not expect this mistake; its traceback does not help whoever wrote the project.
    messages = list(takewhile(lambda line: not line.startswith("Traceback "), messages))
    if known := known_problems(project, " ".join(messages), load_context):
        return known
    path = next((found for line in messages for found in _files(project, line)), None)
    # Of a project file that is not YAML, dbt tells no name.
    read = path or project / PROJECT_FILE
    if read.suffix in {".yml", ".yaml"}:
        own: list[Problem] = []
        if read_yaml(read, root=load_context.root, problems=own) is None:
            return own
    name = display_name(path or project, load_context.root)
    number = next((int(m[1]) for line in messages if (m := LINE.search(line))), 0) if path else 0
    message = " ".join(line for line in messages if not SNIPPET.match(line))
    for dbts, ours in OTHER_WORDS.items():
        message = message.replace(dbts, ours)
    unset = VARIABLE.search(message)
    text = f"dbt cannot parse it: {message}"
    return [Problem(name, number, 1 if number else 0, text, variable=unset[1] if unset else "")]


def _files(project: Path, line: str) -> list[Path]:
    """Return the files of the project that a line of dbt's names."""
    names = FILE.findall(line)
    paths = [project / folder / name for name in names for folder in FOLDERS]
    return [path for path in paths if path.is_file()]
