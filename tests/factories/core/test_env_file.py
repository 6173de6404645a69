"""The project's `.env`: what of it counts, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from factories.core.env_file import ENV_FILE, load_env_file
from factories.core.yaml.problems import ConfigError

SECRET = "s3cret-value"


def loaded(root: Path, text: str, **environ: str) -> dict[str, str]:
    (root / ENV_FILE).write_text(text, encoding="utf-8")
    environment = dict(environ)
    load_env_file(root, environment)
    return environment


def refusals(root: Path, content: bytes, **environ: str) -> list[str]:
    (root / ENV_FILE).write_bytes(content)
    environment = dict(environ)
    with pytest.raises(ConfigError) as raised:
        load_env_file(root, environment)
    assert environment == environ  # nothing of a wrong file counts
    assert SECRET not in str(raised.value)
    return [str(problem) for problem in raised.value.problems]


def test_the_real_environment_wins(tmp_path: Path) -> None:
    text = "SNOWFLAKE_ROLE=LOADER\nSNOWFLAKE_USER=ANA\n"

    assert loaded(tmp_path, text, SNOWFLAKE_USER="BEN", HOME="/home/ben") == {
        "HOME": "/home/ben",
        "SNOWFLAKE_ROLE": "LOADER",
        "SNOWFLAKE_USER": "BEN",
    }


def test_a_file_may_be_missing(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    load_env_file(tmp_path, environment)
    assert environment == {}


def test_quotes_comments_exports_lines_and_other_variables(tmp_path: Path) -> None:
    text = """\
# of this machine

export PLAIN=one   # and a comment
HASH=a#b
SINGLE='a # b'
DOUBLE="two\\nlines"
LONG="first
second"
EMPTY=
URL=postgres://${SHOP_USER}:${PLAIN}@shop/${DB:-sales}
"""

    assert loaded(tmp_path, text, SHOP_USER="ana") == {
        "PLAIN": "one",
        "HASH": "a#b",
        "SINGLE": "a # b",
        "DOUBLE": "two\nlines",
        "LONG": "first\nsecond",
        "EMPTY": "",
        "URL": "postgres://ana:one@shop/sales",
        "SHOP_USER": "ana",
    }


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (SECRET, ".env:3:1: has no =, a line is NAME=value"),
        (f"{SECRET}=", ".env:3:1: what stands before = is not the name of a variable"),
        (f"PASSWORD='{SECRET}", ".env:3:1: is not NAME=value: is a quote left open, or"),
        (f'PASSWORD="{SECRET}" {SECRET}', ".env:3:1: is not NAME=value: is a quote left open, or"),
        (f"ROLE={SECRET}", ".env:3:1: ROLE is set on line 1 already"),
        (f"URL={SECRET}${{OTHER}}", ".env:3:1: URL needs ${OTHER}, which neither the environment"),
        (f"URL=${{{SECRET}}}", ".env:3:1: URL needs a ${…}, which neither the environment"),
        (f"KEY={SECRET}\0", ".env:3:1: KEY holds a NUL character"),
        ("DP_PROJECT_DIR=/elsewhere", ".env:3:1: DP_PROJECT_DIR says where this file is"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_line(
    tmp_path: Path, line: str, problem: str
) -> None:
    (said,) = refusals(tmp_path, f"ROLE=LOADER\n\n{line}\n".encode(), HOME="/root")
    assert said.startswith(problem)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert refusals(tmp_path, b"first\nROLE=a\nROLE=b\nlast") == [
        ".env:1:1: has no =, a line is NAME=value",
        ".env:3:1: ROLE is set on line 2 already",
        ".env:4:1: has no =, a line is NAME=value",
    ]


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    assert refusals(tmp_path, b"A=1\nB=\xff\n") == [".env:2:1: is not UTF-8 here"]
    (tmp_path / ENV_FILE).unlink()
    (tmp_path / ENV_FILE).mkdir()
    with pytest.raises(ConfigError, match=r"\.env: cannot be read: Is a directory"):
        load_env_file(tmp_path, {})
