-- %(day)s is the new day, %(clock)s the midnight that ends it, %(shift)s the time since the day
-- that is replayed. Local times keep their time of day; time_hour follows the local departure.
insert into ops.flights
select
    (select max(flight_id) from ops.flights) + row_number() over (order by flight_id),
    scheduled_departure + %(shift)s,
    actual_departure + %(shift)s,
    dep_delay,
    scheduled_arrival + %(shift)s,
    actual_arrival + %(shift)s,
    arr_delay,
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    air_time,
    distance,
    date_trunc('hour', scheduled_departure + %(shift)s) at time zone 'America/New_York',
    sample.written_at(
        coalesce(actual_arrival, scheduled_arrival) + %(shift)s, zone, %(clock)s::timestamp
    )
from ops.flights join sample.airport_zones on faa = dest
where
    scheduled_departure >= %(day)s::timestamp - %(shift)s
    and scheduled_departure < %(clock)s::timestamp - %(shift)s
