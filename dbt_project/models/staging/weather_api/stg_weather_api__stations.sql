select
    origin::varchar as airport,
    name::varchar as station_name,
    lat::float as latitude,
    lon::float as longitude
from {{ source('weather_api', 'stations') }}
{{ latest_row(['origin'], newest='_dlt_load_id') }}
