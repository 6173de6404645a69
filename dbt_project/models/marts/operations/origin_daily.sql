with by_hour as (
    select
        origin,
        flight_date,
        hour(scheduled_departure_at) as hour,
        avg(dep_delay_minutes::float) as avg_dep_delay_minutes
    from {{ ref('fct_flights') }}
    where dep_delay_minutes is not null
    group by 1, 2, 3
),

worst as (
    select origin, flight_date, hour
    from by_hour
    qualify row_number() over (
        partition by origin, flight_date order by avg_dep_delay_minutes desc, hour
    ) = 1
),

by_day as (
    select
        origin,
        flight_date,
        count(*) as flights,
        count_if(is_cancelled) as cancelled,
        avg(dep_delay_minutes::float) as avg_dep_delay_minutes
    from {{ ref('fct_flights') }}
    group by 1, 2
)

select
    by_day.origin,
    by_day.flight_date,
    by_day.flights,
    by_day.cancelled,
    by_day.avg_dep_delay_minutes,
    worst.hour as worst_hour
from by_day
left join worst
    on by_day.origin = worst.origin
    and by_day.flight_date = worst.flight_date
