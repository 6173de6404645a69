"""Roles, warehouses, users and grants: they are stored and listed, but permit and forbid nothing.

What fakesnow lacks: all of it but CREATE USER. They are stored in the server's own database file,
so that they survive the process, and written by a connection of their own, because a DuckDB
transaction writes to one database only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from duckdb import DuckDBPyConnection
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.statement_type import DDL, USE

from local_snowflake.engine.context import StatementContext, WarehouseAccess
from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import already_exists, does_not_exist, syntax_error, unsupported
from local_snowflake.sql.lexer import strip_comments
from local_snowflake.sql.names import Name, complete_name
from local_snowflake.sql.statements import Statement

OBJECTS = f"{GLOBAL_DATABASE_NAME}.main.account_objects"
GRANTS = f"{GLOBAL_DATABASE_NAME}.main.grants"
BUILT_IN = (
    ("ROLE", "ACCOUNTADMIN"),
    ("ROLE", "PUBLIC"),
    ("ROLE", "SECURITYADMIN"),
    ("ROLE", "SYSADMIN"),
    ("ROLE", "USERADMIN"),
)
_KINDS = r"DATABASE\s+ROLE|ROLE|WAREHOUSE|USER|RESOURCE\s+MONITOR|NETWORK\s+POLICY"
_NAME = r"""(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))*(?:\s*\([^)]*\))?"""
_OBJECT = re.compile(
    rf"""(?P<verb>CREATE|ALTER|DROP)\s+(?P<replace>OR\s+REPLACE\s+)?(?P<kind>{_KINDS})\s+
         (?P<exists>IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<name>{_NAME})\s*(?P<rest>.*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_GRANT = re.compile(
    rf"""(?P<verb>GRANT|REVOKE)\s+(?:GRANT\s+OPTION\s+FOR\s+)?(?P<what>.+?)\s+
         (?:ON\s+(?P<scope>.+?)\s+)?(?:TO|FROM)\s+
         (?:(?P<to>DATABASE\s+ROLE|APPLICATION\s+ROLE|ROLE|USER|SHARE)\s+)?(?P<grantee>{_NAME})
         (?P<rest>\s+(?:WITH\s+GRANT\s+OPTION|COPY\s+CURRENT\s+GRANTS|
         REVOKE\s+CURRENT\s+GRANTS|RESTRICT|CASCADE))?\s*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"COMMENT\s*=\s*'((?:[^']|'')*)'", re.IGNORECASE)


def create_account_tables(warehouse: WarehouseAccess) -> None:
    """Create the tables of account objects and grants, if they do not exist."""
    built_in = ", ".join(f"('{kind}', '{name}')" for kind, name in BUILT_IN)
    sql = f"""
        CREATE TABLE IF NOT EXISTS {OBJECTS} (
            kind VARCHAR, name VARCHAR, comment VARCHAR DEFAULT '', owner VARCHAR,
            created_on TIMESTAMPTZ DEFAULT current_timestamp, PRIMARY KEY (kind, name));
        CREATE TABLE IF NOT EXISTS {GRANTS} (
            privilege VARCHAR, granted_on VARCHAR, name VARCHAR, granted_to VARCHAR,
            grantee_name VARCHAR, grant_option BOOLEAN, granted_by VARCHAR,
            created_on TIMESTAMPTZ DEFAULT current_timestamp,
            PRIMARY KEY (privilege, granted_on, name, granted_to, grantee_name));
        INSERT INTO {OBJECTS} (kind, name) VALUES {built_in} ON CONFLICT DO NOTHING;
    """  # noqa: S608 - constants
    with warehouse.connect() as duck:
        duck.execute(sql)


def object_name(text: str) -> str:
    """Return a name of one or more parts as it is stored."""
    parts = re.findall(r'"(?:[^"]|"")+"|[\w$]+', text.split("(", maxsplit=1)[0])
    return ".".join(
        part[1:-1].replace('""', '"') if part.startswith('"') else part.upper() for part in parts
    )


class AccountObject:
    """CREATE, ALTER and DROP of ROLE, WAREHOUSE, USER and the like."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is about such an object."""
        return bool(
            statement.keyword in {"CREATE", "ALTER", "DROP"}
            and _OBJECT.match(strip_comments(statement.sql))
        )

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Store, change or delete the object."""
        found = _OBJECT.match(strip_comments(statement.sql))
        if found is None:  # pragma: no cover - `matches` has checked it
            raise syntax_error(statement.label)
        kind = " ".join(found["kind"].upper().split())
        name = object_name(found["name"])
        with session.warehouse.connect() as duck:
            known = _is_known(duck, kind, name)
            match found["verb"].upper():
                case "CREATE":
                    return self._create(session, duck, found, kind, name, known=known)
                case "DROP":
                    return self._drop(duck, kind, name, known=known, exists=bool(found["exists"]))
                case _:
                    return self._alter(duck, kind, name, found, known=known)

    @staticmethod
    def _create(
        session: StatementContext,
        duck: DuckDBPyConnection,
        found: re.Match[str],
        kind: str,
        name: str,
        *,
        known: bool,
    ) -> StatementResult:
        if known and found["exists"]:
            return status_result(f"{name} already exists, statement succeeded.", type_id=DDL)
        if known and not found["replace"]:
            raise already_exists(name)
        comment = _COMMENT.search(found["rest"])
        duck.execute(
            f"INSERT OR REPLACE INTO {OBJECTS} (kind, name, comment, owner) VALUES (?, ?, ?, ?)",  # noqa: S608 - constants
            [kind, name, comment[1].replace("''", "'") if comment else "", session.role_name],
        )
        if kind == "WAREHOUSE":
            session.warehouse_name = name
        return status_result(f"{kind.capitalize()} {name} successfully created.", type_id=DDL)

    @staticmethod
    def _drop(
        duck: DuckDBPyConnection, kind: str, name: str, *, known: bool, exists: bool
    ) -> StatementResult:
        if not known and exists:
            message = f"Drop statement executed successfully ({name} already dropped)."
            return status_result(message, type_id=DDL)
        if not known:
            raise does_not_exist(kind.capitalize(), name)
        duck.execute(f"DELETE FROM {OBJECTS} WHERE kind = ? AND name = ?", [kind, name])  # noqa: S608 - constants
        duck.execute(
            f"DELETE FROM {GRANTS} WHERE (granted_to = $1 AND grantee_name = $2) "  # noqa: S608 - constants
            "OR (granted_on = $1 AND name = $2)",
            [kind, name],
        )
        return status_result(f"{name} successfully dropped.", type_id=DDL)

    @staticmethod
    def _alter(
        duck: DuckDBPyConnection, kind: str, name: str, found: re.Match[str], *, known: bool
    ) -> StatementResult:
        if not known and not found["exists"]:
            raise does_not_exist(kind.capitalize(), name)
        if renamed := re.match(rf"RENAME\s+TO\s+({_NAME})", found["rest"], re.IGNORECASE):
            duck.execute(
                f"UPDATE {OBJECTS} SET name = ? WHERE kind = ? AND name = ?",  # noqa: S608 - constants
                [object_name(renamed[1]), kind, name],
            )
        elif comment := _COMMENT.search(found["rest"]):
            duck.execute(
                f"UPDATE {OBJECTS} SET comment = ? WHERE kind = ? AND name = ?",  # noqa: S608 - constants
                [comment[1].replace("''", "'"), kind, name],
            )
        return status_result(type_id=DDL)


class GrantOrRevoke:
    """GRANT and REVOKE of privileges and roles."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is one of them."""
        return statement.keyword in {"GRANT", "REVOKE"}

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Store or delete the grants."""
        found = _GRANT.fullmatch(strip_comments(statement.sql).rstrip("; \n"))
        if found is None:
            raise syntax_error(f"this form of {statement.keyword} is not known")
        grantee_kind = " ".join((found["to"] or "ROLE").upper().split())
        if grantee_kind == "SHARE":
            raise unsupported("SHARE")
        grantee = object_name(found["grantee"])
        rows = [
            (privilege, kind, name, grantee_kind, grantee)
            for privilege, kind, name in _privileges(session, found["what"], found["scope"])
        ]
        with session.warehouse.connect() as duck:
            for row in rows:
                duck.execute(
                    f"DELETE FROM {GRANTS} WHERE (privilege = $1 OR $1 = 'ALL') "  # noqa: S608 - constants
                    "AND granted_on = $2 AND name = $3 AND granted_to = $4 AND grantee_name = $5",
                    list(row),
                )
                if found["verb"].upper() == "GRANT":
                    option = "GRANT OPTION" in " ".join((found["rest"] or "").upper().split())
                    duck.execute(
                        f"INSERT INTO {GRANTS} (privilege, granted_on, name, granted_to, "  # noqa: S608 - constants
                        "grantee_name, grant_option, granted_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
                        [*row, option, session.role_name],
                    )
        return status_result(type_id=DDL)


class UseRoleOrWarehouse:
    """USE ROLE, USE WAREHOUSE and USE SECONDARY ROLES."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is one of them."""
        return statement.keyword == "USE" and statement.words[1:2] in (
            ["ROLE"],
            ["WAREHOUSE"],
            ["SECONDARY"],
        )

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Record the name: any is accepted, as at login."""
        name = object_name(strip_comments(statement.sql).split(maxsplit=2)[2])
        if statement.words[1] == "ROLE":
            session.role_name = name
        elif statement.words[1] == "WAREHOUSE":
            session.warehouse_name = name
        return status_result(type_id=USE)


def drop_grants(session: StatementContext, name: Name) -> None:
    """Delete the grants on a table or view that is dropped or replaced."""
    with session.warehouse.connect() as duck:
        duck.execute(
            f"DELETE FROM {GRANTS} WHERE granted_on IN ('TABLE', 'VIEW') AND name = ?",  # noqa: S608 - constants
            [str(name)],
        )


def copy_grants(session: StatementContext, source: Name, target: Name) -> None:
    """Grant on a new table what is granted on the one that it is a clone of."""
    with session.warehouse.connect() as duck:
        duck.execute(
            f"INSERT OR IGNORE INTO {GRANTS} SELECT * REPLACE (? AS name) FROM {GRANTS} "  # noqa: S608 - constants
            "WHERE granted_on = 'TABLE' AND name = ?",
            [str(target), str(source)],
        )


def move_grants(session: StatementContext, moves: Mapping[Name, Name]) -> None:
    """Let grants follow the tables and views that are renamed, once that is committed.

    They are of the object, not of its name: after SWAP WITH each name has those of the other.
    """
    names = {str(source): str(target) for source, target in moves.items()}
    columns = (
        "name, privilege, granted_on, granted_to, grantee_name, grant_option, granted_by, "
        "created_on"
    )
    those = f"FROM {GRANTS} WHERE granted_on IN ('TABLE', 'VIEW') AND list_contains(?, name)"

    def move() -> None:
        with session.warehouse.connect() as duck:
            duck.begin()
            rows = duck.execute(f"SELECT {columns} {those}", [list(names)]).fetchall()
            duck.execute(f"DELETE {those}", [list(names)])
            for name, *others in rows:
                duck.execute(
                    f"INSERT INTO {GRANTS} ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
                    [names[name], *others],
                )
            duck.commit()

    session.transactions.after_commit(move)


def _privileges(
    session: StatementContext, what: str, scope: str | None
) -> list[tuple[str, str, str]]:
    """Return what is granted: (privilege, kind of object, its name)."""
    if scope is None:
        kind = "DATABASE ROLE" if re.match(r"DATABASE\s+ROLE", what, re.IGNORECASE) else "ROLE"
        names = re.sub(r"^(DATABASE\s+)?ROLE\s+", "", what, flags=re.IGNORECASE)
        return [("USAGE", kind, object_name(name)) for name in names.split(",")]
    words = scope.split()
    upper = [word.upper() for word in words]
    if upper[0] in {"ALL", "FUTURE"} or "IN" in upper:
        kind, name = " ".join(upper[: upper.index("IN")]), " ".join(words[upper.index("IN") + 1 :])
        name = " ".join([upper[upper.index("IN") + 1], object_name(name.split(maxsplit=1)[1])])
    elif len(words) == 1:
        kind, name = (upper[0], "") if upper[0] == "ACCOUNT" else ("TABLE", words[0])
    else:
        kind, name = " ".join(upper[:-1]), words[-1]
    if kind in {"TABLE", "VIEW"}:
        parts = [object_name(part) for part in re.findall(r'"(?:[^"]|"")+"|[\w$]+', name)]
        name = str(complete_name(parts, session))
    elif kind == "SCHEMA" and "." not in name:
        name = f"{session.database}.{object_name(name)}"
    elif not kind.startswith(("ALL", "FUTURE")):
        name = object_name(name)
    privileges = [" ".join(item.upper().split()) for item in what.split(",")]
    return [(p.removesuffix(" PRIVILEGES"), kind, name) for p in privileges]


def _is_known(duck: DuckDBPyConnection, kind: str, name: str) -> bool:
    sql = f"SELECT 1 FROM {OBJECTS} WHERE kind = ? AND name = ?"  # noqa: S608 - constants
    return duck.execute(sql, [kind, name]).fetchone() is not None
