"""What `dp doctor` says of the target's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from factories.cli.doctor.findings import Finding
from factories.cli.doctor.settings import look_at_settings

PASSPHRASE = "correct-horse"
LOGIN = {"DP_TARGET": "prod", "SNOWFLAKE_ACCOUNT": "ab12345", "SNOWFLAKE_USER": "LOADER"}
KEY = "SNOWFLAKE_PRIVATE_KEY_PATH"


def look(root: Path, **environ: str) -> dict[str, Finding]:
    return {each.what: each for each in look_at_settings(root, environ)}


def write_key(path: Path, passphrase: str | None) -> None:
    hidden = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden))


def test_the_local_target_needs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path))

    found = look(tmp_path)

    assert {each.state for each in found.values()} == {"ok"}
    assert found["DP_TARGET"].said == "local"


def test_each_missing_setting_is_told_with_what_to_do(tmp_path: Path) -> None:
    found = look(tmp_path, DP_TARGET="prod")

    problems = {what: each.fix for what, each in found.items() if each.state == "problem"}
    assert problems == {
        "SNOWFLAKE_ACCOUNT": "set it in the environment, or in .env",
        "SNOWFLAKE_USER": "set it in the environment, or in .env",
        KEY: "set SNOWFLAKE_PRIVATE_KEY_PATH for a service, or"
        " SNOWFLAKE_AUTHENTICATOR=externalbrowser for a person, in the environment, or in .env",
    }
    assert {what for what, each in found.items() if each.state == "note"} == {
        "SNOWFLAKE_ROLE",
        "SNOWFLAKE_WAREHOUSE",
    }


@pytest.mark.parametrize(
    ("has", "given", "state", "said"),
    [
        (None, None, "ok", "can be read"),
        (PASSPHRASE, PASSPHRASE, "ok", "can be read"),
        (PASSPHRASE, None, "problem", "has a passphrase"),
        (PASSPHRASE, "wrong-horse", "problem", "cannot be read with this passphrase"),
        (None, "wrong-horse", "problem", "has no passphrase"),
    ],
)
def test_the_key_is_read_with_its_passphrase(
    tmp_path: Path, has: str | None, given: str | None, state: str, said: str
) -> None:
    write_key(tmp_path / "key.p8", has)
    environ = {**LOGIN, KEY: str(tmp_path / "key.p8")}
    environ |= {"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": given} if given else {}

    found = look(tmp_path, **environ)[KEY]

    assert (found.state, found.said) == (state, f"{tmp_path / 'key.p8'} {said}")
    assert bool(found.fix) == (state == "problem")
    assert "horse" not in found.said + found.fix


def test_a_key_that_is_missing_or_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "key.p8").write_text("s3cret")

    missing = look(tmp_path, **LOGIN, **{KEY: str(tmp_path / "nothing")})[KEY]
    no_key = look(tmp_path, **LOGIN, **{KEY: str(tmp_path / "key.p8")})[KEY]

    assert missing.said == f"{tmp_path / 'nothing'}: No such file or directory"
    assert no_key.said == f"{tmp_path / 'key.p8'} is no private key in PEM format"
    assert missing.state == no_key.state == "problem"


def test_a_timeout_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    environ = {**LOGIN, "SNOWFLAKE_AUTHENTICATOR": "externalbrowser"}

    found = look(tmp_path, **environ, SNOWFLAKE_NETWORK_TIMEOUT="5")

    assert found["timeouts"].said.startswith("SNOWFLAKE_NETWORK_TIMEOUT is '5', but must be")
    assert "timeouts" not in look(tmp_path, **environ)
    assert "timeouts" not in look(tmp_path, **{**environ, "SNOWFLAKE_USER": ""})


def test_an_env_file_that_others_may_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SHOP_PASSWORD=s3cret\n")
    path.chmod(0o644)
    open_to_all = look(tmp_path)[".env"]
    path.chmod(0o600)

    assert (open_to_all.state, open_to_all.fix) == ("note", "`chmod 600 .env`")
    assert look(tmp_path)[".env"].said == "1 variables"
