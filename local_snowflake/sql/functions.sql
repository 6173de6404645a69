-- Functions whose meaning depends on the type of an argument: DuckDB picks the form when it binds.
CREATE OR REPLACE MACRO memory.snowflake_catalog.keep_date(argument DATE, result) AS result::DATE,
    (argument, result) AS result;

CREATE OR REPLACE MACRO memory.snowflake_catalog.as_binary(argument BLOB) AS argument,
    (argument) AS from_hex(argument::VARCHAR);
