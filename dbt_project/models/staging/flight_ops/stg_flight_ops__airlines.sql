-- Replaced whole by each load, so any row of a key is its newest.
select
    carrier::varchar as carrier,
    name::varchar as carrier_name
from {{ source('flight_ops', 'airlines') }}
{{ latest_row(['carrier'], newest='name') }}
