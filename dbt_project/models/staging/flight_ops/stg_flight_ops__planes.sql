select
    tailnum::varchar as tailnum,
    year::number(38, 0) as manufactured_year,
    type::varchar as aircraft_type,
    manufacturer::varchar as manufacturer,
    model::varchar as model,
    engines::number(38, 0) as engines,
    seats::number(38, 0) as seats,
    speed::number(38, 0) as cruising_speed_mph,
    engine::varchar as engine_type,
    updated_at::timestamp_ntz as updated_at
from {{ source('flight_ops', 'planes') }}
{{ latest_row(['tailnum'], newest='updated_at') }}
