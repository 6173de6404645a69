"""A value of a YAML file together with where it stands, and what every check says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath, YamlFile
from factories.core.yaml.validation import format_value, label
from factories.core.yaml.variables import VARIABLE

# The part of a URL that names a user and a password, `//user:password@`.
PASSWORD_IN_URL = re.compile(r"//[^/@:\s]*:(?P<password>[^/@\s]+)@")


@dataclass(frozen=True)
class Place:
    """A place in a YAML file.

    Attributes:
        file: The file.
        path: Keys and list indexes from the root.
    """

    file: YamlFile
    path: tuple[str | int, ...]

    def __getitem__(self, step: str | int) -> Place:
        return Place(self.file, (*self.path, step))

    def below(self, steps: KeyPath) -> Place:
        """Return the place that `steps` lead to from here."""
        return Place(self.file, (*self.path, *steps))

    @property
    def name(self) -> str:
        """The place as a reader would say it: `owners[0]`."""
        return label(self.path)

    def problem(self, message: str, **details: Any) -> Problem:
        """Return a problem at this place."""
        return self.file.problem(self.path, message, **details)

    def unknown_key(self, key: object, allowed: Sequence[str]) -> Problem:
        """Return the problem of a key that the mapping at this place does not take."""
        return self[str(key)].problem(
            f"unknown key {str(key)!r}",
            allowed=allowed,
            nearest=nearest(str(key), allowed),
            at_key=True,
        )

    def missing_key(self, key: str) -> Problem:
        """Return the problem of a key that the mapping at this place lacks."""
        return self.problem(f"the key {key!r} is missing", at_key=True)

    def not_allowed(self, value: object, allowed: Sequence[str]) -> Problem:
        """Return the problem of a value that is not one of those that are allowed."""
        meant = nearest(value, allowed) if isinstance(value, str) else None
        message = f"{self.name}: {format_value(value)} is not one of the allowed values"
        return self.problem(message, allowed=allowed, nearest=meant)


def has_variable(value: object) -> bool:
    """Tell whether a value is a text that holds a `${VAR}`."""
    return isinstance(value, str) and VARIABLE.search(value) is not None


def substituted(value: Any, by: str = "variable") -> Any:
    """Return a copy of plain YAML values with `by` in place of every `${VAR}`."""
    if isinstance(value, str):
        return VARIABLE.sub(by, value)
    if isinstance(value, Mapping):
        return {key: substituted(child, by) for key, child in value.items()}
    if isinstance(value, list):
        return [substituted(child, by) for child in value]
    return value


def literal_secret(value: object, place: Place) -> Iterator[Problem]:
    """Yield a problem when a secret is written in the file; its value is not in the message."""
    if value is None or value == "" or has_variable(value):
        return
    if isinstance(value, Mapping | list):
        yield place.problem(f"{place.name}: must be text")
        return
    example = re.sub(r"\W+", "_", str(place.path[-1])).upper()
    yield place.problem(
        f'{place.name}: a secret must come from the environment: write "${{NAME}}", '
        f'such as "${{{example}}}"'
    )


def passwords_in_urls(value: object, place: Place) -> Iterator[Problem]:
    """Yield a problem for every URL below a value that has a password written in it."""
    if isinstance(value, str):
        match = PASSWORD_IN_URL.search(value)
        if match and not has_variable(match["password"]):
            yield place.problem(
                f"{place.name}: the password in a URL must come from the environment: write "
                '"${NAME}" in its place, or for the whole URL'
            )
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from passwords_in_urls(child, place[key])
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from passwords_in_urls(child, place[index])
