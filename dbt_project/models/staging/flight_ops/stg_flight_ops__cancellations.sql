select
    flight_id::number(38, 0) as flight_id,
    scheduled_departure::date as flight_date,
    scheduled_departure::timestamp_ntz as scheduled_departure_at,
    carrier::varchar as carrier,
    flight::number(38, 0) as flight_number,
    tailnum::varchar as tailnum,
    origin::varchar as origin,
    dest::varchar as dest
from {{ source('flight_ops', 'cancellations') }}
{{ latest_row(['flight_id'], newest='scheduled_departure') }}
