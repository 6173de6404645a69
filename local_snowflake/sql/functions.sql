-- Functions whose meaning depends on the type of an argument: DuckDB picks the form when it binds.
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
