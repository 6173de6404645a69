{#- Incremental strategy `replace_window`: the table's rows in the window become the model's rows.

    Config: `meta.window_column`, which holds a row's time, and `unique_key`. In one transaction it
    deletes the rows of the window, and those elsewhere whose keys return (they moved into it),
    then inserts. So a row that the source dropped goes too, which a merge would leave. -#}

{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set source = arg_dict['temp_relation'] -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set column = config.meta_require('window_column') -%}
    {%- set window = window_bounds() -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set dml -%}
        delete from {{ target }}
        where ({{ in_window(column, window) }})
            or {{ key }} in (select {{ key }} from {{ source }});

        insert into {{ target }} ({{ columns }})
        select {{ columns }} from {{ source }}
    {%- endset -%}
    {% do return(snowflake_dml_explicit_transaction(dml)) %}
{% endmacro %}

{% macro in_window(column, window) -%}
    {{ column }} >= '{{ window.start }}'::timestamp_ntz and {{ column }} < '{{ window.end }}'::timestamp_ntz
{%- endmacro %}
