"""The code that runs inside Snowflake: our `in_snowflake/` and the user's folder, in one archive.

It is called after its content: a procedure or function of another version of the code never finds
other code in its place.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from snowflake.snowpark import Session

from factories.core.warehouse.names import Relation
from factories.core.warehouse.quoting import sql_literal
from factories.snowpark import in_snowflake
from factories.snowpark.config.code_versions import python_files
from factories.snowpark.in_snowflake.training import put_file

IN_SNOWFLAKE = in_snowflake.__name__.replace(".", "/")
ALWAYS = (1980, 1, 1, 0, 0, 0)  # the time of every file, or equal code would make another archive
PACKAGE_NAME = re.compile(r"[\w.-]+")
SAME_IN_NAMES = re.compile(r"[-_.]+")
PACKAGES = ("snowflake-snowpark-python", "pandas", "scikit-learn")


def upload_code(session: Session, stage: Relation, folder: Path) -> str:
    """Put the archive into a stage, and return where it is, as SQL has it."""
    content = build_archive(folder)
    path = f"code/{hashlib.sha256(content).hexdigest()[:16]}.zip"
    put_file(session, stage.sql, path, content)
    return f"@{stage.sql}/{path}"


def build_archive(folder: Path) -> bytes:
    """Return a ZIP of `in_snowflake/` and of a folder's modules, as Python imports them.

    Only Python: a YAML file or data beside the modules stays at home.
    """
    own = Path(str(in_snowflake.__file__)).parent
    files = {f"{IN_SNOWFLAKE}/{path.name}": path.read_bytes() for path in own.glob("*.py")}
    files |= {f"{folder.name}/{name}": content for name, content in python_files(folder).items()}
    packages = {parent.as_posix() for name in files for parent in Path(name).parents}
    for package in packages - {"."}:
        files.setdefault(f"{package}/__init__.py", b"")  # as the folder is one at home
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        for name, content in sorted(files.items()):
            zipped.writestr(zipfile.ZipInfo(name, ALWAYS), content)
    return stream.getvalue()


def build_packages_clause(
    packages: Sequence[str], versions: Mapping[str, str] | None = None
) -> str:
    """Return what a handler needs, as SQL lists it.

    Args:
        packages: What YAML asks for, which goes before ours.
        versions: The versions of ours with which a model was made: its file is read by the same.
    """
    named = {_plain_name(package) for package in packages}
    ours = (
        f"{package}=={versions[package]}" if versions and package in versions else package
        for package in PACKAGES
        if package not in named
    )
    return ", ".join(sql_literal(package) for package in (*ours, *packages))


def _plain_name(package: str) -> str:
    """Return a package's name as all its spellings have it: `Scikit_Learn==1.*` is scikit-learn."""
    found = PACKAGE_NAME.match(package)
    return SAME_IN_NAMES.sub("-", found[0] if found else package).lower()


def find_handler_module(reference: str, folder: Path) -> tuple[str, str]:
    """Return the module and the name of a function, as the archive has them."""
    module, _, name = reference.partition(":")
    base = folder.joinpath(*module.split("."))
    is_ours = base.with_name(f"{base.name}.py").is_file() or (base / "__init__.py").is_file()
    return (f"{folder.name}.{module}" if is_ours else module), name
