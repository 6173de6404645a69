"""The name of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from deploy.ci.command import CommandError


@dataclass(frozen=True)
class Image:
    """An image that a registry has.

    Attributes:
        repository: With the registry, as `registry.example.com/team/platform-ingestion`.
        tag: Which one of it.
    """

    repository: str
    tag: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the image that a text names.

        Raises:
            CommandError: When it has no tag: which image then ran would not be known later.
        """
        repository, colon, tag = text.rpartition(":")
        if not colon or "/" in tag or not tag or not repository:
            raise CommandError(f"the image {text!r} has no tag: write registry/repository:tag")
        return cls(repository, tag)

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"
