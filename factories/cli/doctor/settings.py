"""The settings that the target needs: which are set, and whether the key can be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from factories.cli.doctor.findings import Finding, note, ok, problem
from factories.core.env_file import ENV_FILE, read_env_file
from factories.core.warehouse.names import describe_target
from factories.core.warehouse.settings import (
    WarehouseNotRunningError,
    WarehouseSettingsError,
    missing_settings,
    warehouse_settings,
)
from factories.core.yaml.variables import target

AREA = "settings"
KEY_PATH = "SNOWFLAKE_PRIVATE_KEY_PATH"
PASSPHRASE = "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
AUTHENTICATOR = "SNOWFLAKE_AUTHENTICATOR"
NEEDED = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER")
# Without them the user's own defaults hold, which another may have chosen otherwise.
BETTER_SET = ("SNOWFLAKE_ROLE", "SNOWFLAKE_WAREHOUSE")
SET_IT = f"in the environment, or in {ENV_FILE}"


def look_at_settings(root: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Yield which settings the target has; never the value of one that may be secret."""
    yield ok(AREA, "DP_TARGET", describe_target(environ))
    yield from _look_at_env_file(root)
    if target(environ) != "local":
        yield from _look_at_login(environ)
    try:
        warehouse_settings(environ, start=False)
    except WarehouseNotRunningError:
        return
    except WarehouseSettingsError as error:
        missing = missing_settings(environ)  # told above, each by its name
        if not missing or not all(name in str(error) for name in missing):
            yield problem(AREA, "timeouts", str(error), f"set it {SET_IT}, or leave it out")


def _look_at_env_file(root: Path) -> Iterator[Finding]:
    path = root / ENV_FILE
    count = len(read_env_file(root, os.environ))
    if not path.exists():
        yield ok(AREA, ENV_FILE, "there is none")
    elif path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        said = f"{count} variables; other users of this machine may read it"
        yield note(AREA, ENV_FILE, said, f"`chmod 600 {ENV_FILE}`")
    else:
        yield ok(AREA, ENV_FILE, f"{count} variables")


def _look_at_login(environ: Mapping[str, str]) -> Iterator[Finding]:
    for name in NEEDED:
        if environ.get(name):
            yield ok(AREA, name, "set")
        else:
            yield problem(AREA, name, "not set", f"set it {SET_IT}")
    for name in BETTER_SET:
        if environ.get(name):
            yield ok(AREA, name, environ[name])
        else:
            said = "not set: the user's own default holds"
            yield note(AREA, name, said, f"set it {SET_IT}")
    if environ.get(KEY_PATH):
        yield _look_at_key(Path(environ[KEY_PATH]), environ.get(PASSPHRASE))
    elif environ.get(AUTHENTICATOR):
        yield ok(AREA, AUTHENTICATOR, environ[AUTHENTICATOR])
    else:
        said = f"not set, and neither is {AUTHENTICATOR}"
        fix = f"set {KEY_PATH} for a service, or {AUTHENTICATOR}=externalbrowser for a person"
        yield problem(AREA, KEY_PATH, said, f"{fix}, {SET_IT}")


def _look_at_key(path: Path, passphrase: str | None) -> Finding:
    """Return whether a private key can be read, with its passphrase."""
    try:
        content = path.read_bytes()
    except OSError as error:
        said = f"{path}: {error.strerror or type(error).__name__}"
        return problem(AREA, KEY_PATH, said, f"name a file that this user can read in {KEY_PATH}")
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - 0.1 s
        load_pem_private_key,
    )

    try:
        load_pem_private_key(content, passphrase.encode() if passphrase else None)
    except TypeError:  # one of the two has a passphrase, and the other has not
        if passphrase:
            said, fix = f"{path} has no passphrase", f"leave out {PASSPHRASE}"
        else:
            said, fix = f"{path} has a passphrase", f"set {PASSPHRASE} {SET_IT}"
        return problem(AREA, KEY_PATH, said, fix)
    except Exception:  # noqa: BLE001 - ValueError, and others of the library's own
        if b"PRIVATE KEY" not in content:
            said = f"{path} is no private key in PEM format"
            return problem(AREA, KEY_PATH, said, "name the file that `openssl genpkey` wrote")
        said = f"{path} cannot be read with this passphrase"
        return problem(AREA, KEY_PATH, said, f"correct {PASSPHRASE}, {SET_IT}")
    return ok(AREA, KEY_PATH, f"{path} can be read")
