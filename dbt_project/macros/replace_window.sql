{#- Incremental strategy `replace_window`: the table's rows in the window become the model's rows.

    Config: `meta.window_column`, which holds a row's time, and `unique_key`, one column. In one transaction it
    deletes the rows of the window, and those elsewhere whose keys return (they moved into it),
    then inserts. So a row that the source dropped goes too, which a merge would leave. -#}

{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set source = arg_dict['temp_relation'] -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set column = config.meta_require('window_column') -%}
    {%- set window = window_bounds() -%}
    {%- do check_window_column(column, arg_dict['dest_columns'], window) -%}
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

{#- Whether a row's time lies in a window. The bounds are text, which Snowflake reads as what the
    column is: cast to a timestamp without zone, they would be compared with one that has a zone by
    the zone of the session. -#}

{% macro in_window(column, window) -%}
    {{ column }} >= '{{ window.start }}' and {{ column }} < '{{ window.end }}'
{%- endmacro %}

{#- Raises where a column cannot tell which rows lie in a window: text is compared letter by letter,
    and a date is in no hour. -#}

{% macro check_window_column(column, columns, window) %}
    {%- set found = columns | selectattr('name', 'in', [column, column | upper]) | first -%}
    {%- if not found -%}
        {{ exceptions.raise_compiler_error("window_column: the model has no column " ~ column) }}
    {%- endif -%}
    {%- set kind = found.dtype | upper -%}
    {%- if not (kind == 'DATE' or kind.startswith(('TIMESTAMP', 'DATETIME'))) -%}
        {{ exceptions.raise_compiler_error(
            "window_column: " ~ column ~ " holds neither dates nor times, but " ~ kind
        ) }}
    {%- endif -%}
    {%- if kind == 'DATE' and not (' 00:00:00' in window.start and ' 00:00:00' in window.end) -%}
        {{ exceptions.raise_compiler_error(
            "window_column: " ~ column ~ " holds dates, which cannot tell whether a row is in the window "
            ~ window.start ~ " to " ~ window.end
        ) }}
    {%- endif -%}
{% endmacro %}
