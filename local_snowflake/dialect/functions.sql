-- Functions whose meaning depends on the type of an argument: DuckDB picks the form when it binds.
CREATE SCHEMA IF NOT EXISTS memory.snowflake_catalog;

CREATE OR REPLACE MACRO memory.snowflake_catalog.keep_date(argument DATE, result) AS result::DATE,
    (argument, result) AS result;

CREATE OR REPLACE MACRO memory.snowflake_catalog.as_binary(argument BLOB) AS argument,
    (argument) AS from_hex(argument::VARCHAR);

CREATE OR REPLACE MACRO memory.snowflake_catalog.formatted(argument DATE, pattern) AS
        strftime(argument, pattern),
    (argument TIMESTAMP, pattern) AS strftime(argument, pattern),
    (argument TIMESTAMPTZ, pattern) AS strftime(argument, pattern),
    (argument TIME, pattern) AS strftime(DATE '1970-01-01' + argument, pattern),
    (argument, pattern) AS error(
        'TO_CHAR of anything but a date or a time with a format is not in the embedded warehouse.'
    )::VARCHAR;

-- A string of blanks only is NULL.
CREATE OR REPLACE MACRO memory.snowflake_catalog.read_json_text(argument VARCHAR) AS
        json(nullif(trim(argument), '')),
    (argument JSON) AS
        CASE WHEN json_type(argument) = 'VARCHAR'
             THEN json(nullif(trim(argument ->> '$'), ''))
             ELSE json(argument) END;

CREATE OR REPLACE MACRO memory.snowflake_catalog.try_json_text(argument VARCHAR) AS
        json(TRY_CAST(nullif(trim(argument), '') AS JSON)),
    (argument JSON) AS
        CASE WHEN json_type(argument) = 'VARCHAR'
             THEN json(TRY_CAST(nullif(trim(argument ->> '$'), '') AS JSON))
             ELSE json(argument) END;
