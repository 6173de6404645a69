"""What the reference says of one model."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel


@dataclass(frozen=True)
class Section:
    """The keys of one model.

    Attributes:
        title: The heading, in Markdown.
        model: Where the keys come from.
        text: What a reader should know beside the keys, in Markdown.
        example: YAML that the model accepts.
        level: Of the heading.
        without: A model whose keys are described elsewhere; only what the model adds is shown.
        types: What to show as the type of keys whose content another section describes.
    """

    title: str
    model: type[BaseModel]
    text: str = ""
    example: str = ""
    level: int = 2
    without: type[BaseModel] | None = None
    types: dict[str, str] = field(default_factory=dict)
