"""What can be wrong with a source, or with how a run is asked for."""

from __future__ import annotations

from factories.core.errors import StepStartError


class SourceError(Exception):
    """The source cannot be built from its configuration; the text says why."""


class RunArgumentError(StepStartError):
    """`dlt.run` was given something that it cannot do; the text says what."""


class TranslatorError(Exception):
    """A translator asks for what is not known while a code location loads."""


class LoadedDataError(Exception):
    """What a source gives cannot be loaded as it is; the text names the table and the column."""
