"""Programs that roll out, as far as tests have them: each writes down how it was called."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = """#!{python} -S
import json, os, sys
call = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "files": {{}}}}
for name in [*sys.argv[1:], os.environ.get("KUBECONFIG", "")]:
    if os.path.isfile(name) and os.access(name, os.R_OK):
        mode = os.stat(name).st_mode & 0o777
        call["files"][os.path.basename(name)] = {{"text": open(name).read(), "mode": mode}}
with open({calls!r}, "a") as file:
    file.write(json.dumps(call) + "\\n")
answers = json.load(open({answers!r}))
for beginning, (text, status) in answers.items():
    if " ".join(sys.argv[1:]).startswith(beginning):
        sys.stdout.write(text)
        if isinstance(status, list):  # the first calls; the later ones succeed
            first = status.pop(0) if status else 0
            json.dump(answers, open({answers!r}, "w"))
            status = first
        sys.exit(status)
"""


@dataclass
class RecordingProgram:
    """A program in a folder of the PATH."""

    calls_file: Path
    answers_file: Path

    @property
    def calls(self) -> list[dict[str, Any]]:
        if not self.calls_file.exists():
            return []
        return [json.loads(line) for line in self.calls_file.read_text().splitlines()]

    @property
    def commands(self) -> list[str]:
        return [" ".join(call["arguments"]) for call in self.calls]


def put_program(
    folder: Path, name: str, answers: Mapping[str, tuple[str, int | list[int]]]
) -> RecordingProgram:
    """Put a program into a folder.

    Args:
        folder: Of the PATH.
        name: Its name.
        answers: What it prints, and the status it ends with, by how its arguments begin; a list
            of statuses is for one call after the other.
    """
    calls, told = folder / f"{name}.calls", folder / f"{name}.answers"
    told.write_text(json.dumps(answers))
    program = folder / name
    program.write_text(PROGRAM.format(python=sys.executable, calls=str(calls), answers=str(told)))
    program.chmod(0o755)
    return RecordingProgram(calls, told)
