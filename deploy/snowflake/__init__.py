"""Snowflake's side of production: SQL files, and `python -m deploy.snowflake`, which runs one."""
