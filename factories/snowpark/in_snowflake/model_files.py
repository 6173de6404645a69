"""A model's file: bytes that are read as a model only when they are the ones that were registered.

Reading a pickle runs what it says, so a file that somebody else has put in its place must not be
read at all.
"""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

from factories.snowpark.in_snowflake.errors import ModelError

PROTOCOL = 5


def dump_model(model: Any) -> tuple[bytes, str]:
    """Return a model's bytes and their SHA-256.

    Raises:
        ModelError: When it cannot be pickled, such as one that holds a lambda.
    """
    try:
        content = pickle.dumps(model, protocol=PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ModelError(f"the model cannot be kept as a file: {error}") from None
    return content, hashlib.sha256(content).hexdigest()


def verify_content(content: bytes, sha256: str, name: str) -> bytes:
    """Return the bytes when they are the registered ones.

    Raises:
        ModelError: When they are not.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"the file of {name} is not the one that was registered: its SHA-256 is {found},"
            f" the registry has {sha256}. It was not read; train again, or promote another version"
        )
    return content


def load_model(content: bytes, sha256: str, name: str) -> Any:
    """Return the model of registered bytes.

    Raises:
        ModelError: When they are not the registered ones, or need code that is gone.
    """
    verify_content(content, sha256, name)
    try:
        return pickle.loads(content)  # noqa: S301 - the bytes are those that training has written
    except (ImportError, AttributeError) as error:
        raise ModelError(f"{name} needs code that is no longer there: {error}") from None
