"""Code versions: Dagster calls an asset stale when that of its last materialization was another.

All Python files of `snowpark/` go to where a function runs inside Snowflake, as each may import the
others; so all of them are in its code version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from factories.core.assets.context import LoadContext
from factories.core.meta.partitions import PartitionSpec
from factories.core.python_refs.ast_reader import ModuleNames
from factories.core.python_refs.references import FunctionSource, find_function
from factories.core.yaml.models import StrictModel
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name

CACHE = "__pycache__"
# What only describes an entry, and the virtual warehouse on which it runs.
NO_DIFFERENCE = {"description", "warehouse", "meta"}


@dataclass(frozen=True)
class FolderCode:
    """The code of a folder, which is read once for all entries of all its files.

    Attributes:
        folder: The folder `snowpark/`.
        digest: Changes with the name or the content of any of its Python files.
    """

    folder: Path
    digest: str
    _modules: dict[Path, ModuleNames] = field(default_factory=dict)

    def find(self, reference: str) -> FunctionSource:
        """Find the function that `module:function` names; nothing is imported.

        Raises:
            FunctionError: When there is none.
        """
        return find_function(reference, self.folder, self._modules)

    def digest_for(self, function: FunctionSource) -> str:
        """Return what stands for the code of a function; of an installed package's, nothing."""
        is_ours = function.path is not None and function.path.is_relative_to(self.folder)
        return self.digest if is_ours else ""


def read_code(folder: Path, load_context: LoadContext) -> FolderCode:
    """Read the code of a folder; a file that cannot be read is reported to the load context."""
    try:
        return FolderCode(folder, _digest(python_files(folder)))
    except OSError as error:
        name = display_name(Path(error.filename), load_context.root)
        load_context.problems.append(Problem(name, 0, 0, f"cannot be read: {error.strerror}"))
        return FolderCode(folder, "")


def python_files(folder: Path) -> dict[str, bytes]:
    """Return the content of each Python file by its path below the folder, in order.

    What is hidden, such as a notebook's checkpoints, is nothing that Python could import.

    Raises:
        OSError: When one cannot be read; has its path.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    return {
        name: path.read_bytes()
        for name, path in sorted(paths.items())
        if not any(part == CACHE or part.startswith(".") for part in name.split("/"))
        and path.is_file()
    }


def _digest(files: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, content in files.items():
        total.update(hashlib.sha256(name.encode()).digest())
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def code_version(item: StrictModel, partition: PartitionSpec | None, code: str) -> str:
    """Return a digest of what changes the rows, or the model, that an entry makes.

    Args:
        item: Its settings; that a default is written out makes no difference.
        partition: Its partitions; which of them there are makes no difference to any of them.
        code: The digest of the code that its function belongs to.
    """
    settings = item.model_dump(exclude_defaults=True, exclude=NO_DIFFERENCE)
    rows = partition.model_dump(include={"type", "timezone", "column"}) if partition else None
    text = json.dumps([settings, rows, code], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
