"""How a server proves that it knows the token without telling it."""

from __future__ import annotations

import hashlib
import hmac


def proof_of(token: str, nonce: str) -> str:
    """The answer to `nonce` of a server whose password is `token`."""
    message = f"local_snowflake identity {nonce}".encode()
    return hmac.new(token.encode(), message, hashlib.sha256).hexdigest()
