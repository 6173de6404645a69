select
    flight_id::number(38, 0) as flight_id,
    scheduled_departure::date as flight_date,
    scheduled_departure::timestamp_ntz as scheduled_departure_at,
    actual_departure::timestamp_ntz as actual_departure_at,
    scheduled_arrival::timestamp_ntz as scheduled_arrival_at,
    actual_arrival::timestamp_ntz as actual_arrival_at,
    dep_delay::number(38, 0) as dep_delay_minutes,
    arr_delay::number(38, 0) as arr_delay_minutes,
    carrier::varchar as carrier,
    flight::number(38, 0) as flight_number,
    tailnum::varchar as tailnum,
    origin::varchar as origin,
    dest::varchar as dest,
    air_time::number(38, 0) as air_time_minutes,
    distance::number(38, 0) as distance_miles,
    convert_timezone('UTC', time_hour)::timestamp_ntz as scheduled_hour_utc,
    updated_at::timestamp_ntz as updated_at
from {{ source('flight_ops', 'flights') }}
{{ latest_row(['flight_id'], newest='updated_at') }}
