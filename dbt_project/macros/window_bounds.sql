{#- The half-open window of a backfill, from the vars `window_start` and `window_end`.

    Both are text in ISO 8601, with or without a time of day: '2013-02-01', '2013-02-01T00:00:00'.
    An offset is dropped: bounds are in the time of the column that they are compared with.

    Returns: {'start': …, 'end': …} as 'YYYY-MM-DD HH:MM:SS', or none where no window is given. -#}

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
        {%- do bounds.update({side: moment.strftime('%Y-%m-%d %H:%M:%S')}) -%}
    {%- endfor -%}
    {%- if bounds.start >= bounds.end -%}
        {{ exceptions.raise_compiler_error(
            "window_end must come after window_start: " ~ bounds.start ~ ", " ~ bounds.end
        ) }}
    {%- endif -%}
    {{ return(bounds) }}
{%- endmacro %}
