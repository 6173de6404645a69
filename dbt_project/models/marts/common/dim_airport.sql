-- The register lacks four airports that flights go to; a seed adds them until it has them.
with airports as (
    select airport, airport_name, latitude, longitude, altitude_feet, utc_offset_hours, time_zone
    from {{ ref('stg_flight_ops__airports') }}
    union all
    select airport, airport_name, latitude, longitude, altitude_feet, utc_offset_hours, time_zone
    from {{ ref('additional_airports') }}
    where airport not in (select airport from {{ ref('stg_flight_ops__airports') }})
)

select
    airports.airport,
    airports.airport_name,
    airports.latitude,
    airports.longitude,
    airports.altitude_feet,
    airports.utc_offset_hours,
    airports.time_zone,
    stations.airport is not null as has_weather_station
from airports
left join {{ ref('stg_weather_api__stations') }} as stations on airports.airport = stations.airport
