-- Nothing is mended here: single hours are missing, and one wind blows at 1,048 mph.
select
    origin::varchar as origin,
    convert_timezone('UTC', time_hour)::timestamp_ntz as observed_hour_utc,
    temp::float as temperature_f,
    dewp::float as dew_point_f,
    humid::float as humidity_percent,
    wind_dir::number(38, 0) as wind_direction_degrees,
    wind_speed::float as wind_speed_mph,
    wind_gust::float as wind_gust_mph,
    precip::float as precipitation_in,
    pressure::float as pressure_mbar,
    visib::float as visibility_miles
from {{ source('weather_api', 'observations') }}
{{ latest_row(['origin', 'time_hour'], newest='_dlt_load_id') }}
