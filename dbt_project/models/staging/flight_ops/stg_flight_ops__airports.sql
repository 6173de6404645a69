-- Replaced whole by each load, so any row of a key is its newest.
-- The register escapes quotes in names with backslashes: Martha\\'s Vineyard.
select
    faa::varchar as airport,
    replace(name, '\\', '')::varchar as airport_name,
    lat::float as latitude,
    lon::float as longitude,
    alt::number(38, 0) as altitude_feet,
    tz::number(38, 0) as utc_offset_hours,
    dst::varchar as dst_rule,
    tzone::varchar as time_zone
from {{ source('flight_ops', 'airports') }}
{{ latest_row(['faa'], newest='name') }}
