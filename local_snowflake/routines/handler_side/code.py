"""Loads the handler's code, and describes its exceptions."""

from __future__ import annotations

import importlib
import linecache
import os
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from typing import Any

FILE_NAME = "_udf_code.py"
_OURS = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - a traceback has strings
_ON_PATH = (".py", ".zip", ".whl", ".egg")
_MAX_CHARACTERS = 8000


def load(handler: str, body: str | None, imports: Sequence[str]) -> Callable[..., Any]:
    """Return the Python function that a handler names.

    Args:
        handler: `function` in the body, or `module.function` in an import or a package.
        body: The code; None if it is in the imports.
        imports: The names of the files in the import directory.
    """
    folder = sys._xoptions["snowflake_import_directory"]  # noqa: SLF001 - Snowflake's documented way
    found = [f"{folder}{name}" for name in imports if name.endswith(_ON_PATH[1:])]
    sys.path[:0] = [str(folder).rstrip(os.sep), *found]
    module_name, _, function = handler.rpartition(".")
    if body is None or module_name:
        module = importlib.import_module(module_name)
    else:
        module = types.ModuleType("_udf_code")
        module.__file__ = FILE_NAME
        sys.modules["_udf_code"] = module
        linecache.cache[FILE_NAME] = (len(body), None, body.splitlines(keepends=True), FILE_NAME)
        exec(compile(body, FILE_NAME, "exec"), module.__dict__)  # noqa: S102 - the handler's code
    loaded: Callable[..., Any] = getattr(module, function)
    return loaded


def describe_error(error: BaseException) -> dict[str, str]:
    """Return the traceback of the handler's code, without this package's frames."""
    described = traceback.TracebackException.from_exception(error)
    level: traceback.TracebackException | None = described
    while level is not None:
        frames = [frame for frame in level.stack if not frame.filename.startswith(_OURS)]
        level.stack = traceback.StackSummary.from_list(frames)
        level = level.__cause__ or level.__context__
    text = "".join(described.format())
    return {"traceback": text[-_MAX_CHARACTERS:]}


def provide_snowflake_module() -> None:
    """Provide the module `_snowflake` with `vectorized`, as in Snowflake."""

    def vectorized(
        input: type,  # noqa: A002 - Snowflake's name
        max_batch_size: int | None = None,
        **_flags: object,
    ) -> Callable[[Any], Any]:
        def mark(function: Any) -> Any:
            function._sf_vectorized_input = input  # noqa: SLF001 - Snowflake's marks
            if max_batch_size:
                function._sf_max_batch_size = max_batch_size  # noqa: SLF001 - Snowflake's marks
            return function

        return mark

    module = types.ModuleType("_snowflake")
    module.__dict__["vectorized"] = vectorized
    sys.modules["_snowflake"] = module
