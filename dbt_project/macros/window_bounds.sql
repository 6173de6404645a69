{#- The half-open window of a backfill, from the vars `window_start` and `window_end`.

    Both are text in ISO 8601, with or without a time of day: '2013-02-01', '2013-02-01T00:00:00'.
    An offset stays, as Dagster gives one: Snowflake takes it where the bound is compared with a
    column that has a time zone, and the time of day alone where it is compared with one that has none.

    Returns: {'start': …, 'end': …} as 'YYYY-MM-DD HH:MM:SS+00:00', without the offset where none is
    given; none where no window is given. -#}

{% macro window_bounds() -%}
    {%- set given = {'start': var('window_start', none), 'end': var('window_end', none)} -%}
    {%- if given.start is none and given.end is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set bounds = {} -%}
    {%- for side, text in given.items() -%}
        {%- if not modules.re.match(
            '^\\d{4}-\\d{2}-\\d{2}([ T]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{6})?)?([+-]\\d{2}:\\d{2})?)?$', text | string
        ) -%}
            {{ exceptions.raise_compiler_error(
                "window_start and window_end are given together, as text like '2013-02-01 00:00:00';"
                ~ " window_" ~ side ~ " is " ~ text
            ) }}
        {%- endif -%}
        {%- set moment = modules.datetime.datetime.fromisoformat(text | string) -%}
        {%- do bounds.update({side: moment}) -%}
    {%- endfor -%}
    {%- if (bounds.start.tzinfo is none) != (bounds.end.tzinfo is none) -%}
        {{ exceptions.raise_compiler_error(
            "of window_start and window_end one has an offset, one has none: " ~ bounds.start ~ ", " ~ bounds.end
        ) }}
    {%- endif -%}
    {%- if bounds.start >= bounds.end -%}
        {{ exceptions.raise_compiler_error(
            "window_end must come after window_start: " ~ bounds.start ~ ", " ~ bounds.end
        ) }}
    {%- endif -%}
    {{ return({'start': bounds.start.isoformat(' '), 'end': bounds.end.isoformat(' ')}) }}
{%- endmacro %}
