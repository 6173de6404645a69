{#- Every value lies between `min` and `max`, both included; null passes. Either may be left out, and
    either may be an expression in the row's columns. -#}

{% test within_range(model, column_name, min=none, max=none) %}
    {%- set outside = [] -%}
    {%- if min is not none %}{% do outside.append(column_name ~ ' < ' ~ min) %}{% endif -%}
    {%- if max is not none %}{% do outside.append(column_name ~ ' > ' ~ max) %}{% endif -%}
    {%- if not outside -%}
        {{ exceptions.raise_compiler_error('within_range on ' ~ column_name ~ ' needs min or max') }}
    {%- endif %}
    select *
    from {{ model }}
    where {{ outside | join(' or ') }}
{% endtest %}
