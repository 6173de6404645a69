"""Names that Dagster takes, of names of any characters, and digests of what YAML says."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata

PLAIN = re.compile(r"[A-Za-z0-9_]+")
LONGEST_READABLE = 60


def dagster_name(text: str) -> str:
    """Return text as a name that Dagster takes: letters, digits and `_`.

    A text of these stays as it is. Of any other the readable part is kept, and a digest makes it
    differ from what reads the same: the name depends on nothing but the text.

    Example:
        >>> dagster_name("unit_price"), dagster_name("unit price")
        ('unit_price', 'unit_price_5bbfbc13')
    """
    if PLAIN.fullmatch(text):
        return text
    ascii_only = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")[:LONGEST_READABLE]
    return f"{readable}_{digest(text)}" if readable else digest(text)


def canonical_json(value: object) -> str:
    """Return values of YAML as JSON that is the same whatever the order of keys, for a digest.

    Keys may be of several types, `1` and `a`, which cannot be sorted.
    """
    return json.dumps(_with_text_keys(value), sort_keys=True, default=str)


def _with_text_keys(value: object) -> object:
    if isinstance(value, dict):
        texts = (key if isinstance(key, str) else f"!{key!r}" for key in value)
        return dict(zip(texts, map(_with_text_keys, value.values()), strict=True))
    return [_with_text_keys(child) for child in value] if isinstance(value, list) else value


def digest(text: str) -> str:
    """Return eight characters that stand for a text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
