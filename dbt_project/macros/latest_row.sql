{#- Keeps one row for each key, the newest: a load that is repeated may leave two. -#}

{% macro latest_row(key, newest) -%}
    qualify row_number() over (partition by {{ key | join(', ') }} order by {{ newest }} desc) = 1
{%- endmacro %}
