"""Who the embedded warehouse is: its address, its account's name, the proof of its identity.

Standard library only: every environment may import this.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]
"""The folder that this package is imported from."""

HOST = "127.0.0.1"
ACCOUNT = "fakesnow"


def prove_identity(token: str, nonce: str) -> str:
    """Return the answer to `nonce` of a server whose password is `token`.

    It proves that the server knows the token, without revealing it.
    """
    message = f"local_snowflake identity {nonce}".encode()
    return hmac.new(token.encode(), message, hashlib.sha256).hexdigest()
