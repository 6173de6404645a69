"""A generated dbt project: staging models of many systems, and marts on top of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

DBT = "dbt_project"
DG = """\
directory_type = "project"
[project]
root_module = "defs_root"
"""
NAME = "generated"
FIRST_MODEL = "first_model"  # reads nothing, so that it can be built alone
PROJECT = f"""\
name: {NAME}
version: "1.0.0"
profile: {NAME}
models:
  {NAME}:
    staging:
      +materialized: view
      +schema: staging
    marts:
      +materialized: table
      +meta:
        dagster:
          automation_condition: on_upstream_change
          owners: ["team:data-platform"]
"""
PROFILE = f"""\
{NAME}:
  target: local
  outputs:
    local:
      type: snowflake
      account: "{{{{ env_var('SNOWFLAKE_ACCOUNT') }}}}"
      user: "{{{{ env_var('SNOWFLAKE_USER') }}}}"
      password: "{{{{ env_var('DBT_ENV_SECRET_SNOWFLAKE_PASSWORD') }}}}"
      host: "{{{{ env_var('SNOWFLAKE_HOST') }}}}"
      port: "{{{{ env_var('SNOWFLAKE_PORT') | as_number }}}}"
      protocol: "{{{{ env_var('SNOWFLAKE_PROTOCOL') }}}}"
      warehouse: "{{{{ env_var('SNOWFLAKE_WAREHOUSE', '') }}}}"
      database: ANALYTICS
      schema: MARTS
      threads: 2
"""
MODEL = """\
  - name: {name}
    description: Rows of {name}, one for each id.
    config:
      tags: [{tag}]
    columns:
      - {{name: id, description: The key., data_tests: [unique, not_null]}}
      - {{name: amount, description: What it costs.}}
      - {{name: updated_at, description: When it was last written.}}
"""
STAGING = "select id, amount, updated_at from {{{{ source('{system}', '{table}') }}}}\n"
MART = """\
select a.id, a.amount + b.amount as amount, a.updated_at
from {{{{ ref('{left}') }}}} as a
join {{{{ ref('{right}') }}}} as b using (id)
"""
PER_FOLDER = 20


def write_project(root: Path, models: int) -> None:
    """Write a dbt project of this many models, half of them staging, in folders of 20.

    Every model has a description, columns and two tests; every staging model a source.

    Args:
        root: The project folder; dagster-dbt's component finds its `dg.toml` there.
        models: How many, an even number.
    """
    folder, half = root / DBT, models // 2
    _write(root / "dg.toml", DG)
    (root / "defs_root" / "defs").mkdir(parents=True)
    _write(folder / "dbt_project.yml", PROJECT)
    _write(folder / "profiles.yml", PROFILE)
    names = [f"{index // PER_FOLDER:02}__table_{index:04}" for index in range(half)]
    staging = [f"stg_system_{name}" for name in names]
    for start in range(0, half, PER_FOLDER):
        number = start // PER_FOLDER
        system = f"system_{number:02}"
        here = folder / "models" / "staging" / system
        tables = range(start, min(start + PER_FOLDER, half))
        for index in tables:
            sql = STAGING.format(system=system, table=f"table_{index:04}")
            _write(here / f"{staging[index]}.sql", sql)
        listed = "".join(f"      - name: table_{index:04}\n" for index in tables)
        sources = f"sources:\n  - name: {system}\n    database: RAW\n    tables:\n{listed}"
        _write(here / "_sources.yml", sources)
        _write(here / "_models.yml", _properties(staging[index] for index in tables))
    marts = [FIRST_MODEL, *(f"mart_{index:04}" for index in range(half + 1, models))]
    for start in range(0, len(marts), PER_FOLDER):
        here = folder / "models" / "marts" / f"area_{start // PER_FOLDER:02}"
        some = marts[start : start + PER_FOLDER]
        for index, name in enumerate(some, start):
            sql = MART.format(left=staging[index], right=staging[(7 * index + 1) % half])
            if name == FIRST_MODEL:
                sql = "select 1 as id, 2 as amount, current_timestamp() as updated_at\n"
            _write(here / f"{name}.sql", sql)
        _write(here / "_models.yml", _properties(some))


def _properties(names: Iterator[str] | list[str]) -> str:
    entries = (MODEL.format(name=name, tag=f"tier_{sum(map(ord, name)) % 3}") for name in names)
    return f"version: 2\nmodels:\n{''.join(entries)}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
