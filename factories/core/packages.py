"""The libraries that a resource needs: whether they are installed, fit together, and import."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from typing import Any

from packaging.requirements import Requirement

from factories.core.errors import StepStartError

OWN = "data-platform"


class MissingPackageError(StepStartError):
    """A library that a resource needs is not installed, or its version does not fit."""


def import_function(path: str, package: str) -> Callable[..., Any]:
    """Import a function whose module needs a library.

    Args:
        path: `module:function`.
        package: The name of the library's distribution, such as `dagster-snowflake`.

    Raises:
        MissingPackageError: In one sentence, when the library is missing or does not fit.
    """
    _require_package(package)
    module, _, name = path.partition(":")
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        message = f"this environment has no {error.name}: install {_name_requirement(package)}"
        raise MissingPackageError(message) from None
    except ImportError as error:
        message = f"the installed {package} does not fit: {error}"
        raise MissingPackageError(message) from None
    return function


def _require_package(package: str) -> None:
    """Refuse to go on without a library, or with one that was made for another Dagster.

    Each of Dagster's integrations pins the version of `dagster` exactly.

    Args:
        package: The name of its distribution, such as `dagster-snowflake`.

    Raises:
        MissingPackageError: In one sentence, with the extra of this project that has the library.
    """
    try:
        found = distribution(package)
    except PackageNotFoundError:
        message = f"this environment has no {package}: install {_name_requirement(package)}"
        raise MissingPackageError(message) from None
    for text in found.requires or ():
        needed = Requirement(text)
        if needed.name != "dagster" or needed.marker is not None:
            continue
        installed = version("dagster")
        if installed not in needed.specifier:
            raise MissingPackageError(
                f"{package} {found.version} needs {needed}, but this environment has dagster"
                f" {installed}: install {_name_requirement(package)}"
            )


def _name_requirement(package: str) -> str:
    """Return what to install: the extra that names the package, else the package."""
    try:
        own = requires(OWN) or ()
    except PackageNotFoundError:  # the project's files without its metadata
        return package
    for text in own:
        needed = Requirement(text)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", str(needed.marker or ""))
        if needed.name == package and extra:
            return f"{OWN}[{extra[1]}]"
    return package
