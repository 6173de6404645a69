"""Which of the libraries that a resource needs are installed, and whether they fit together."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution, requires, version

from packaging.requirements import Requirement

from factories.core.errors import StepStartError

OWN = "data-platform"


class MissingPackageError(StepStartError):
    """A library that a resource needs is not installed, or its version does not fit."""


def require_package(package: str) -> None:
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
