"""What goes wrong with data or a model, in a sentence for the person who reads the run's log."""

from __future__ import annotations


class ModelError(Exception):
    """Data do not fit a model, or a model's file is not what the registry says."""
