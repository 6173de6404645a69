from __future__ import annotations


class SampleError(Exception):
    """A sample system cannot do what was asked; the message says why and what to do."""
