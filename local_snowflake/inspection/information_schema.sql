-- INFORMATION_SCHEMA of every database: a macro with all databases' rows, for this package, and
-- one per Snowflake view with the database as its argument. In the names of temporary objects and
-- in comments, chr(31) stands between the parts: see objects/temporary.py and objects/annotations.py.
CREATE SCHEMA IF NOT EXISTS memory.snowflake_catalog;

CREATE OR REPLACE MACRO memory.snowflake_catalog.all_columns() AS TABLE
WITH located AS (
    SELECT *,
        CASE WHEN database_name = 'temp' THEN split_part(table_name, chr(31), 1)
             ELSE database_name END AS in_database,
        CASE WHEN database_name = 'temp' THEN split_part(table_name, chr(31), 2)
             ELSE schema_name END AS in_schema,
        CASE WHEN database_name = 'temp' THEN split_part(table_name, chr(31), 3)
             ELSE table_name END AS relation,
        split_part(coalesce(comment, ''), chr(31), 1) AS user_comment,
        split_part(coalesce(comment, ''), chr(31), 2) AS declared
    FROM duckdb_columns()
    WHERE NOT internal
      AND (database_name <> 'temp' AND schema_name NOT IN (
          'main', '_fs_information_schema', 'information_schema', 'pg_catalog')
           OR database_name = 'temp' AND contains(table_name, chr(31)))
), typed AS (
    SELECT *,
        CASE WHEN declared <> '' THEN split_part(declared, '(', 1)
             WHEN data_type LIKE 'DECIMAL%' OR data_type LIKE '%INT' OR data_type LIKE '%INTEGER'
                 THEN 'NUMBER'
             WHEN data_type = 'VARCHAR' OR data_type = 'UUID' OR data_type LIKE 'ENUM%' THEN 'TEXT'
             WHEN data_type IN ('DOUBLE', 'FLOAT') THEN 'FLOAT'
             WHEN data_type = 'BLOB' THEN 'BINARY'
             WHEN data_type = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_TZ'
             WHEN data_type LIKE 'TIMESTAMP%' THEN 'TIMESTAMP_NTZ'
             WHEN data_type = 'JSON' THEN 'VARIANT'
             WHEN data_type LIKE '%]' THEN 'ARRAY'
             WHEN data_type LIKE 'STRUCT%' OR data_type LIKE 'MAP%' THEN 'OBJECT'
             ELSE data_type END AS kind
    FROM located
)
SELECT
    in_database AS "TABLE_CATALOG", in_schema AS "TABLE_SCHEMA", relation AS "TABLE_NAME",
    column_name AS "COLUMN_NAME",
    row_number() OVER (PARTITION BY database_name, schema_name, table_name ORDER BY column_index)
        AS "ORDINAL_POSITION",
    column_default AS "COLUMN_DEFAULT",
    CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS "IS_NULLABLE",
    kind AS "DATA_TYPE",
    CASE WHEN kind = 'TEXT'
         THEN coalesce(try_cast(regexp_extract(declared, '\d+') AS BIGINT), 16777216) END
        AS "CHARACTER_MAXIMUM_LENGTH",
    CASE WHEN kind = 'TEXT'
         THEN least(4 * coalesce(try_cast(regexp_extract(declared, '\d+') AS BIGINT), 16777216),
                    16777216)
         WHEN kind = 'BINARY' THEN 8388608 END AS "CHARACTER_OCTET_LENGTH",
    CASE WHEN data_type LIKE 'DECIMAL%' THEN numeric_precision
         WHEN kind = 'NUMBER'
         THEN coalesce(try_cast(regexp_extract(declared, '\d+') AS BIGINT), 38) END::BIGINT
        AS "NUMERIC_PRECISION",
    CASE WHEN kind = 'NUMBER' THEN 10 END::BIGINT AS "NUMERIC_PRECISION_RADIX",
    CASE WHEN data_type LIKE 'DECIMAL%' THEN numeric_scale
         WHEN kind = 'NUMBER' THEN 0 END::BIGINT AS "NUMERIC_SCALE",
    CASE WHEN kind LIKE 'TIME%' THEN 9 END::BIGINT AS "DATETIME_PRECISION",
    NULL::VARCHAR AS "COLLATION_NAME",
    CASE WHEN column_default LIKE 'nextval%' THEN 'YES' ELSE 'NO' END AS "IS_IDENTITY",
    NULL::VARCHAR AS "IDENTITY_GENERATION", NULL::VARCHAR AS "IDENTITY_START",
    NULL::VARCHAR AS "IDENTITY_INCREMENT", NULL::VARCHAR AS "IDENTITY_CYCLE",
    NULL::VARCHAR AS "IDENTITY_ORDERED", NULL::VARCHAR AS "DATA_TYPE_ALIAS",
    nullif(user_comment, '') AS "COMMENT",
    database_name = 'temp' AS is_temporary
FROM typed;

CREATE OR REPLACE MACRO memory.snowflake_catalog.columns_of(db) AS TABLE
SELECT * EXCLUDE (is_temporary) FROM memory.snowflake_catalog.all_columns()
WHERE "TABLE_CATALOG" = db;

-- The times of objects/relation_times.py; this table makes the list of tables never empty.
CREATE SCHEMA IF NOT EXISTS memory._fs_information_schema;

CREATE TABLE IF NOT EXISTS memory._fs_information_schema.no_times (
    database_name VARCHAR, schema_name VARCHAR, relation_name VARCHAR,
    created TIMESTAMPTZ, last_ddl TIMESTAMPTZ, last_altered TIMESTAMPTZ
);

CREATE OR REPLACE MACRO memory.snowflake_catalog.times_in(databases) AS TABLE
SELECT database_name, schema_name, relation_name,
    arg_max(created, last_altered) AS created, max(last_ddl) AS last_ddl,
    max(last_altered) AS last_altered
FROM query_table(list_concat(
    ['memory._fs_information_schema.no_times'],
    list_transform(
        databases,
        lambda db: '"' || replace(db, '"', '""') || '"._fs_information_schema.relation_times'
    )
))
GROUP BY ALL;

-- All databases' relations, with the times of those in the databases of the list.
CREATE OR REPLACE MACRO memory.snowflake_catalog.all_tables(databases) AS TABLE
WITH relations AS (
    SELECT database_name, schema_name, table_name AS relation_name, comment,
        estimated_size AS row_count, 'BASE TABLE' AS kind, NULL AS text
    FROM duckdb_tables() WHERE NOT internal
    UNION ALL
    SELECT database_name, schema_name, view_name, comment, NULL, 'VIEW', sql
    FROM duckdb_views() WHERE NOT internal
)
SELECT
    CASE WHEN database_name = 'temp' THEN split_part(relation_name, chr(31), 1)
         ELSE database_name END AS "TABLE_CATALOG",
    CASE WHEN database_name = 'temp' THEN split_part(relation_name, chr(31), 2)
         ELSE schema_name END AS "TABLE_SCHEMA",
    CASE WHEN database_name = 'temp' THEN split_part(relation_name, chr(31), 3)
         ELSE relation_name END AS "TABLE_NAME",
    'SYSADMIN' AS "TABLE_OWNER",
    CASE WHEN kind = 'BASE TABLE' AND database_name = 'temp' THEN 'LOCAL TEMPORARY'
         ELSE kind END AS "TABLE_TYPE",
    'NO' AS "IS_TRANSIENT", NULL::VARCHAR AS "CLUSTERING_KEY",
    row_count AS "ROW_COUNT", CASE WHEN kind = 'BASE TABLE' THEN 0 END AS "BYTES",
    1 AS "RETENTION_TIME",
    NULL::VARCHAR AS "SELF_REFERENCING_COLUMN_NAME", NULL::VARCHAR AS "REFERENCE_GENERATION",
    NULL::VARCHAR AS "USER_DEFINED_TYPE_CATALOG", NULL::VARCHAR AS "USER_DEFINED_TYPE_SCHEMA",
    NULL::VARCHAR AS "USER_DEFINED_TYPE_NAME",
    'YES' AS "IS_INSERTABLE_INTO", 'YES' AS "IS_TYPED", NULL::VARCHAR AS "COMMIT_ACTION",
    coalesce(created, to_timestamp(0)) AS "CREATED",
    coalesce(last_altered, to_timestamp(0)) AS "LAST_ALTERED",
    coalesce(last_ddl, to_timestamp(0)) AS "LAST_DDL",
    'SYSADMIN' AS "LAST_DDL_BY", 'NO' AS "AUTO_CLUSTERING_ON",
    nullif(split_part(coalesce(comment, ''), chr(31), 1), '') AS "COMMENT",
    CASE WHEN database_name = 'temp' THEN 'YES' ELSE 'NO' END AS "IS_TEMPORARY",
    'NO' AS "IS_ICEBERG", 'NO' AS "IS_DYNAMIC", 'NO' AS "IS_IMMUTABLE", 'NO' AS "IS_HYBRID",
    text AS view_text,
    nullif(split_part(coalesce(comment, ''), chr(31), 2), '') AS keys
FROM relations
LEFT JOIN memory.snowflake_catalog.times_in(databases)
    USING (database_name, schema_name, relation_name)
WHERE database_name <> 'temp' AND schema_name NOT IN (
          'main', '_fs_information_schema', 'information_schema', 'pg_catalog')
   OR database_name = 'temp' AND contains(relation_name, chr(31));

CREATE OR REPLACE MACRO memory.snowflake_catalog.tables_of(db) AS TABLE
SELECT * EXCLUDE (view_text, keys) FROM memory.snowflake_catalog.all_tables([db])
WHERE "TABLE_CATALOG" = db;

CREATE OR REPLACE MACRO memory.snowflake_catalog.views_of(db) AS TABLE
SELECT "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_OWNER",
    view_text AS "VIEW_DEFINITION", 'NONE' AS "CHECK_OPTION", 'NO' AS "IS_UPDATABLE",
    'NO' AS "INSERTABLE_INTO", 'NO' AS "IS_SECURE", "CREATED", "LAST_ALTERED", "LAST_DDL",
    "LAST_DDL_BY", "COMMENT"
FROM memory.snowflake_catalog.all_tables([db])
WHERE "TABLE_CATALOG" = db AND "TABLE_TYPE" = 'VIEW';

CREATE OR REPLACE MACRO memory.snowflake_catalog.all_schemata() AS TABLE
SELECT database_name AS "CATALOG_NAME", schema_name AS "SCHEMA_NAME", 'SYSADMIN' AS "SCHEMA_OWNER",
    'NO' AS "IS_TRANSIENT", 'NO' AS "IS_MANAGED_ACCESS", 1 AS "RETENTION_TIME",
    NULL::VARCHAR AS "DEFAULT_CHARACTER_SET_CATALOG",
    NULL::VARCHAR AS "DEFAULT_CHARACTER_SET_SCHEMA",
    NULL::VARCHAR AS "DEFAULT_CHARACTER_SET_NAME", NULL::VARCHAR AS "SQL_PATH",
    to_timestamp(0) AS "CREATED", to_timestamp(0) AS "LAST_ALTERED", NULL::VARCHAR AS "COMMENT"
FROM duckdb_schemas()
WHERE database_name NOT IN ('memory', 'system', 'temp', '_fs_global')
  AND schema_name NOT IN (
          'main', '_fs_information_schema', 'information_schema', 'pg_catalog')
UNION ALL
SELECT database_name, 'INFORMATION_SCHEMA', NULL, 'NO', 'NO', 1, NULL, NULL, NULL, NULL,
    to_timestamp(0), to_timestamp(0), 'Views describing the contents of schemas in this database'
FROM duckdb_databases() WHERE NOT internal AND database_name NOT IN ('memory', '_fs_global');

CREATE OR REPLACE MACRO memory.snowflake_catalog.schemata_of(db) AS TABLE
SELECT * FROM memory.snowflake_catalog.all_schemata()
WHERE "CATALOG_NAME" = db;

CREATE OR REPLACE MACRO memory.snowflake_catalog.all_databases() AS TABLE
SELECT database_name AS "DATABASE_NAME", 'SYSADMIN' AS "DATABASE_OWNER", 'NO' AS "IS_TRANSIENT",
    NULL::VARCHAR AS "COMMENT", to_timestamp(0) AS "CREATED", to_timestamp(0) AS "LAST_ALTERED",
    1 AS "RETENTION_TIME", 'STANDARD' AS "TYPE"
FROM duckdb_databases() WHERE NOT internal AND database_name NOT IN ('memory', '_fs_global');

CREATE OR REPLACE MACRO memory.snowflake_catalog.databases_of(db) AS TABLE
SELECT * FROM memory.snowflake_catalog.all_databases();

CREATE OR REPLACE MACRO memory.snowflake_catalog.all_constraints(databases) AS TABLE
SELECT "TABLE_CATALOG" AS "CONSTRAINT_CATALOG", "TABLE_SCHEMA" AS "CONSTRAINT_SCHEMA",
    coalesce(nullif(key.name, ''), 'SYS_CONSTRAINT_' || "TABLE_NAME" || '_' || key.kind[1])
        AS "CONSTRAINT_NAME",
    "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", key.kind AS "CONSTRAINT_TYPE",
    'NO' AS "IS_DEFERRABLE", 'YES' AS "INITIALLY_DEFERRED", 'NO' AS "ENFORCED",
    NULL::VARCHAR AS "COMMENT", "CREATED", "LAST_DDL" AS "LAST_ALTERED",
    'NO' AS "RELY", key.columns AS key_columns
FROM (
    SELECT *, unnest(from_json(keys, '[{"kind":"VARCHAR","columns":["VARCHAR"],"name":"VARCHAR"}]'))
        AS key
    FROM memory.snowflake_catalog.all_tables(databases) WHERE keys IS NOT NULL
);

CREATE OR REPLACE MACRO memory.snowflake_catalog.table_constraints_of(db) AS TABLE
SELECT * EXCLUDE (key_columns) FROM memory.snowflake_catalog.all_constraints([db])
WHERE "TABLE_CATALOG" = db;

-- The packages are those of the environment that runs handlers, which DuckDB does not know.
CREATE OR REPLACE MACRO memory.snowflake_catalog.packages_of(db, names, versions, runtime) AS TABLE
SELECT unnest(from_json(names, '["VARCHAR"]')) AS "PACKAGE_NAME",
    unnest(from_json(versions, '["VARCHAR"]')) AS "VERSION", 'python' AS "LANGUAGE",
    runtime AS "RUNTIME_VERSION";
