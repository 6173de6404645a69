{#- Three ways to build it:
    - first, and with --full-refresh: every flight;
    - else without a window: merge the flights that are new, were written again (`updated_at`), or
      whose weather has come or changed since they were loaded. They are found row by row, not by
      the greatest `updated_at` so far: that would pass over late rows, and over all the months
      that a backfill into an empty table left out;
    - with the vars window_start and window_end: the flights scheduled in that half-open window are
      replaced, and no others are touched. -#}
{%- set window = window_bounds() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_window' if window else 'merge',
    unique_key='flight_id',
    on_schema_change='append_new_columns',
    meta={'window_column': 'scheduled_departure_at'},
) }}

select flights.*
from {{ ref('int_flights__origin_weather') }} as flights
{%- if window and not should_full_refresh() %}
where {{ in_window('flights.scheduled_departure_at', window) }}
{%- elif is_incremental() %}
left join {{ this }} as loaded on flights.flight_id = loaded.flight_id
where
    loaded.flight_id is null
    or flights.updated_at is distinct from loaded.updated_at
    or flights.temperature_f is distinct from loaded.temperature_f
    or flights.wind_speed_mph is distinct from loaded.wind_speed_mph
    or flights.precipitation_in is distinct from loaded.precipitation_in
    or flights.visibility_miles is distinct from loaded.visibility_miles
{%- endif %}
