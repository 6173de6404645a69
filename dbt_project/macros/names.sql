{#- The profile's output holds the rule of names: its database is ANALYTICS and its schema MARTS,
    each with the suffix that sets a branch or a person apart. All other names get the same. -#}

{% macro database_suffix() -%}
    {{ return(target.database | replace('ANALYTICS', '', 1)) }}
{%- endmacro %}

{% macro schema_suffix() -%}
    {{ return(target.schema | replace('MARTS', '', 1)) }}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- if custom_database_name is none -%}
        {{ target.database }}
    {%- else -%}
        {{ custom_database_name | trim | upper }}{{ database_suffix() }}
    {%- endif -%}
{%- endmacro %}

{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- else -%}
        {{ custom_schema_name | trim | upper }}{{ schema_suffix() }}
    {%- endif -%}
{%- endmacro %}
