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

-- What a cast to VARCHAR gives: VARIANTs without their quotes, whole floats without a point.
CREATE OR REPLACE MACRO memory.snowflake_catalog.as_text(argument) AS
    CASE WHEN typeof(argument) = 'JSON' THEN json_extract_string(argument::VARCHAR, '$')
         WHEN typeof(argument) = 'DOUBLE' THEN regexp_replace(argument::VARCHAR, '\.0$', '')
         WHEN typeof(argument) = 'BLOB' THEN hex(argument::VARCHAR::BLOB)
         WHEN typeof(argument) LIKE '%]' THEN to_json(argument)::VARCHAR
         ELSE argument::VARCHAR END;

-- The same for an argument of a function of texts, which could take binary values in Snowflake.
CREATE OR REPLACE MACRO memory.snowflake_catalog.text_argument(argument) AS
    CASE WHEN typeof(argument) = 'BLOB'
         THEN error('This function of a binary value is not in the embedded warehouse.')::VARCHAR
         ELSE memory.snowflake_catalog.as_text(argument) END;

CREATE OR REPLACE MACRO memory.snowflake_catalog.bytes_of(argument) AS
    CASE WHEN typeof(argument) = 'BLOB' THEN argument::VARCHAR::BLOB
         ELSE encode(memory.snowflake_catalog.as_text(argument)) END;

CREATE OR REPLACE MACRO memory.snowflake_catalog.as_list(argument) AS
    to_json(argument)::JSON[];

CREATE OR REPLACE MACRO memory.snowflake_catalog.type_in_variant(argument) AS
    CASE WHEN typeof(argument) = 'JSON' THEN
              CASE TRY(json_type(argument::VARCHAR))
                   WHEN 'BIGINT' THEN 'INTEGER' WHEN 'UBIGINT' THEN 'INTEGER'
                   WHEN 'HUGEINT' THEN 'INTEGER' WHEN 'DOUBLE' THEN 'DECIMAL'
                   WHEN 'NULL' THEN 'NULL_VALUE' ELSE TRY(json_type(argument::VARCHAR)) END
         WHEN argument IS NULL THEN NULL
         WHEN typeof(argument) LIKE '%INT' OR typeof(argument) = 'INTEGER' THEN 'INTEGER'
         WHEN typeof(argument) LIKE 'DECIMAL(%,0)' THEN 'INTEGER'
         WHEN typeof(argument) LIKE 'DECIMAL%' THEN 'DECIMAL'
         WHEN typeof(argument) = 'TIMESTAMP' THEN 'TIMESTAMP_NTZ'
         WHEN typeof(argument) = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_LTZ'
         WHEN typeof(argument) = 'BLOB' THEN 'BINARY'
         WHEN typeof(argument) LIKE '%]' THEN 'ARRAY'
         WHEN typeof(argument) LIKE 'STRUCT%' THEN 'OBJECT'
         ELSE typeof(argument) END;

-- VARIANTs in the order of Snowflake: by type, numbers as numbers.
CREATE OR REPLACE MACRO memory.snowflake_catalog.variant_order(argument) AS
    CASE WHEN argument IS NOT NULL THEN struct_pack(
        kind := CASE WHEN json_type(argument) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') THEN ''
                     ELSE json_type(argument) END,
        number := CASE WHEN json_type(argument) <> 'VARCHAR'
                       THEN TRY_CAST(argument AS DOUBLE) END,
        text := argument ->> '$'
    ) END;

CREATE OR REPLACE MACRO memory.snowflake_catalog.sorted_elements(elements) AS
    list_transform(
        list_sort(list_transform(memory.snowflake_catalog.as_list(elements), lambda e: struct_pack(
            place := memory.snowflake_catalog.variant_order(e), element := e
        ))),
        lambda s: s.element
    );

-- FLATTEN's rows; with `keep`, one of NULLs where there would be none (OUTER => TRUE). The input may
-- name columns, which names beside it must not hide: they begin with `flat_`.
CREATE OR REPLACE MACRO memory.snowflake_catalog.flatten_rows(input, keep) AS TABLE
    SELECT hash(flat_this)::UBIGINT AS SEQ,
        flat_key AS KEY,
        CASE WHEN flat_padding THEN NULL
             ELSE coalesce(flat_key, '[' || (row_number() OVER () - 1) || ']') END AS PATH,
        CASE WHEN flat_padding OR flat_key IS NOT NULL THEN NULL
             ELSE (row_number() OVER () - 1)::BIGINT END AS INDEX,
        flat_value AS VALUE,
        flat_this AS THIS
    FROM (
        SELECT flat_this, unnest(
            CASE WHEN keep AND coalesce(len(flat_rows), 0) = 0
                 THEN [struct_pack(flat_key := NULL::VARCHAR, flat_value := NULL::JSON,
                                   flat_padding := true)]
                 ELSE flat_rows END,
            recursive := true
        )
        FROM (
            SELECT flat_this, CASE json_type(flat_this)
                WHEN 'OBJECT' THEN list_transform(
                    json_keys(flat_this),
                    lambda flat_name: struct_pack(
                        flat_key := flat_name,
                        flat_value := CAST(flat_this -> flat_name AS JSON),
                        flat_padding := false
                    ))
                WHEN 'ARRAY' THEN list_transform(
                    CAST(flat_this AS JSON[]),
                    lambda flat_element: struct_pack(
                        flat_key := NULL::VARCHAR, flat_value := flat_element,
                        flat_padding := false
                    ))
                END AS flat_rows
            FROM (SELECT to_json(input) AS flat_this)
        )
    );

-- A text of digits counts seconds, milli-, micro- or nanoseconds; `read` is fakesnow's reading.
CREATE OR REPLACE MACRO memory.snowflake_catalog.read_timestamp(argument, read) AS
    CASE WHEN typeof(argument) <> 'VARCHAR' THEN read
         WHEN abs(TRY_CAST(argument::VARCHAR AS BIGINT)) >= 31536000000000000
         THEN make_timestamp(TRY_CAST(argument::VARCHAR AS BIGINT) // 1000)
         WHEN abs(TRY_CAST(argument::VARCHAR AS BIGINT)) >= 31536000000000
         THEN make_timestamp(TRY_CAST(argument::VARCHAR AS BIGINT))
         WHEN abs(TRY_CAST(argument::VARCHAR AS BIGINT)) >= 31536000000
         THEN make_timestamp(TRY_CAST(argument::VARCHAR AS BIGINT) * 1000)
         ELSE read END;

CREATE OR REPLACE MACRO memory.snowflake_catalog.bucket_of(value_, low, high, buckets) AS
    CASE WHEN value_ < low THEN 0
         WHEN value_ >= high THEN buckets + 1
         ELSE 1 + CAST(floor((value_ - low) * buckets / (high - low)) AS BIGINT) END;
