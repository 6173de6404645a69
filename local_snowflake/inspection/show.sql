-- The columns of SHOW: a macro per kind of object, with the rows of all databases. `times` are the
-- databases that know when their tables have changed, `current` is what the session uses.
CREATE SCHEMA IF NOT EXISTS memory.snowflake_catalog;

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_relations(times) AS TABLE
SELECT
    "CREATED" AS "created_on", "TABLE_NAME" AS "name", "TABLE_CATALOG" AS "database_name",
    "TABLE_SCHEMA" AS "schema_name",
    CASE "TABLE_TYPE" WHEN 'BASE TABLE' THEN 'TABLE' WHEN 'LOCAL TEMPORARY' THEN 'TEMPORARY'
         ELSE "TABLE_TYPE" END AS "kind",
    coalesce("COMMENT", '') AS "comment", '' AS "cluster_by", "ROW_COUNT" AS "rows",
    "BYTES" AS "bytes", "TABLE_OWNER" AS "owner", '1' AS "retention_time",
    'ROLE' AS "owner_role_type", 'N' AS "is_hybrid", 'N' AS "is_dynamic", 'N' AS "is_iceberg",
    view_text
FROM memory.snowflake_catalog.all_tables(times)
ORDER BY "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME";

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_objects(times) AS TABLE
SELECT * EXCLUDE (view_text) FROM memory.snowflake_catalog.show_relations(times);

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_tables(times) AS TABLE
SELECT
    * EXCLUDE (view_text), 'OFF' AS "automatic_clustering", 'OFF' AS "change_tracking",
    'N' AS "is_external", 'N' AS "enable_schema_evolution", 'N' AS "is_event",
    NULL::VARCHAR AS "budget", 'N' AS "is_immutable"
FROM memory.snowflake_catalog.show_relations(times) WHERE "kind" <> 'VIEW';

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_views(times) AS TABLE
SELECT
    * EXCLUDE (view_text), view_text AS "text", 'false' AS "is_secure",
    'false' AS "is_materialized", 'OFF' AS "change_tracking", '' AS "reserved"
FROM memory.snowflake_catalog.show_relations(times) WHERE "kind" = 'VIEW';

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_schemas(current) AS TABLE
SELECT
    "CREATED" AS "created_on", "SCHEMA_NAME" AS "name", 'N' AS "is_default",
    CASE WHEN "SCHEMA_NAME" = current THEN 'Y' ELSE 'N' END AS "is_current",
    "CATALOG_NAME" AS "database_name", "SCHEMA_OWNER" AS "owner",
    coalesce("COMMENT", '') AS "comment", '' AS "options", '1' AS "retention_time",
    'ROLE' AS "owner_role_type", NULL::VARCHAR AS "kind", NULL::VARCHAR AS "schema_name"
FROM memory.snowflake_catalog.all_schemata()
ORDER BY "CATALOG_NAME", "SCHEMA_NAME";

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_databases(current) AS TABLE
SELECT
    "CREATED" AS "created_on", "DATABASE_NAME" AS "name", 'N' AS "is_default",
    CASE WHEN "DATABASE_NAME" = current THEN 'Y' ELSE 'N' END AS "is_current",
    '' AS "origin", "DATABASE_OWNER" AS "owner", '' AS "comment", '' AS "options",
    '1' AS "retention_time", 'STANDARD' AS "kind", NULL::VARCHAR AS "database_name",
    NULL::VARCHAR AS "schema_name", 'ROLE' AS "owner_role_type"
FROM memory.snowflake_catalog.all_databases()
ORDER BY "DATABASE_NAME";

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_columns() AS TABLE
SELECT
    "TABLE_NAME" AS "table_name", "TABLE_SCHEMA" AS "schema_name", "COLUMN_NAME" AS "column_name",
    to_json(CASE "DATA_TYPE"
        WHEN 'NUMBER' THEN json_object('type', 'FIXED', 'precision', "NUMERIC_PRECISION",
            'scale', "NUMERIC_SCALE", 'nullable', "IS_NULLABLE" = 'YES')
        WHEN 'TEXT' THEN json_object('type', 'TEXT', 'length', "CHARACTER_MAXIMUM_LENGTH",
            'byteLength', "CHARACTER_OCTET_LENGTH", 'nullable', "IS_NULLABLE" = 'YES',
            'fixed', false)
        WHEN 'FLOAT' THEN json_object('type', 'REAL', 'nullable', "IS_NULLABLE" = 'YES')
        WHEN 'BINARY' THEN json_object('type', 'BINARY', 'length', 8388608,
            'byteLength', 8388608, 'nullable', "IS_NULLABLE" = 'YES', 'fixed', false)
        ELSE CASE WHEN "DATA_TYPE" LIKE 'TIME%'
            THEN json_object('type', "DATA_TYPE", 'precision', 0, 'scale', 9,
                'nullable', "IS_NULLABLE" = 'YES')
            ELSE json_object('type', "DATA_TYPE", 'nullable', "IS_NULLABLE" = 'YES') END
    END)::VARCHAR AS "data_type",
    CASE WHEN "IS_NULLABLE" = 'YES' THEN 'true' ELSE 'NOT_NULL' END AS "null?",
    coalesce("COLUMN_DEFAULT", '') AS "default", 'COLUMN' AS "kind", '' AS "expression",
    coalesce("COMMENT", '') AS "comment", "TABLE_CATALOG" AS "database_name",
    '' AS "autoincrement", NULL::VARCHAR AS "schema_evolution_record", "COLUMN_NAME" AS "name"
FROM memory.snowflake_catalog.all_columns()
ORDER BY "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "ORDINAL_POSITION";

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_keys(times, kind_of_key) AS TABLE
SELECT
    "CREATED" AS "created_on", "TABLE_CATALOG" AS "database_name",
    "TABLE_SCHEMA" AS "schema_name", "TABLE_NAME" AS "table_name",
    unnest(key_columns) AS "column_name",
    unnest(range(1, len(key_columns) + 1)) AS "key_sequence",
    "CONSTRAINT_NAME" AS "constraint_name", 'false' AS "rely", NULL::VARCHAR AS "comment"
FROM memory.snowflake_catalog.all_constraints(times)
WHERE "CONSTRAINT_TYPE" = kind_of_key;

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_account_objects(object_kind, current)
AS TABLE
SELECT
    created_on AS "created_on", name AS "name", coalesce(comment, '') AS "comment",
    coalesce(owner, '') AS "owner", 'N' AS "is_default",
    CASE WHEN name = current THEN 'Y' ELSE 'N' END AS "is_current"
FROM _fs_global.main.account_objects WHERE kind = object_kind ORDER BY name;

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_roles(current) AS TABLE
SELECT *, 'N' AS "is_inherited"
FROM memory.snowflake_catalog.show_account_objects('ROLE', current);

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_users(current) AS TABLE
SELECT *, "name" AS "login_name", "name" AS "display_name"
FROM memory.snowflake_catalog.show_account_objects('USER', current);

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_warehouses(current) AS TABLE
SELECT *, 'STARTED' AS "state", 'STANDARD' AS "type", 'X-Small' AS "size"
FROM memory.snowflake_catalog.show_account_objects('WAREHOUSE', current);

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_grants() AS TABLE
SELECT
    created_on AS "created_on", privilege AS "privilege", granted_on AS "granted_on",
    name AS "name", granted_to AS "granted_to", grantee_name AS "grantee_name",
    grant_option::VARCHAR AS "grant_option", coalesce(granted_by, '') AS "granted_by"
FROM _fs_global.main.grants ORDER BY created_on, privilege;

CREATE OR REPLACE MACRO memory.snowflake_catalog.show_dynamic_tables() AS TABLE
SELECT
    to_timestamp(0) AS "created_on", '' AS "name", '' AS "database_name", '' AS "schema_name",
    '' AS "target_lag", '' AS "refresh_mode", '' AS "warehouse", '' AS "text", '' AS "comment"
WHERE false;
