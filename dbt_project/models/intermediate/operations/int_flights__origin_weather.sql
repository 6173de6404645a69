select
    flights.flight_id,
    flights.flight_date,
    flights.scheduled_departure_at,
    flights.carrier,
    flights.flight_number,
    flights.tailnum,
    flights.origin,
    flights.dest,
    flights.distance_miles,
    flights.dep_delay_minutes,
    flights.arr_delay_minutes,
    flights.is_cancelled,
    flights.is_on_time,
    weather.temperature_f,
    weather.wind_speed_mph,
    weather.precipitation_in,
    weather.visibility_miles,
    flights.updated_at
from {{ ref('int_flights__outcome') }} as flights
left join {{ ref('stg_weather_api__observations') }} as weather
    on flights.origin = weather.origin
    and flights.scheduled_hour_utc = weather.observed_hour_utc
