"""The base of the errors that keep a step from starting."""

from __future__ import annotations


class StepStartError(Exception):
    """Something that a step needs is missing or cannot be used; the text says what, in a sentence.

    Raised before the step has changed anything. The step fails with the text alone, and is not
    tried again: the same would come of it.
    """
