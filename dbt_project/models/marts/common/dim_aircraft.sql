select
    dbt_scd_id as aircraft_version_id,
    tailnum,
    manufactured_year,
    aircraft_type,
    manufacturer,
    model,
    engines,
    seats,
    cruising_speed_mph,
    engine_type,
    dbt_valid_from as valid_from,
    dbt_valid_to as valid_to,
    dbt_valid_to is null as is_current
from {{ ref('snap_flight_ops__planes') }}
