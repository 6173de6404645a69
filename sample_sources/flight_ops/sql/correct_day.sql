-- One in 500 of the flights of the 30 days before %(day)s, drawn among those that landed: their
-- arrival is revised by one to five minutes. The draw is a hash, so the same on every machine.
with recent as (
    select flight_id, arr_delay, md5(format('%%s:%%s:%%s', %(seed)s::bigint, %(day)s::date, flight_id)) as draw
    from ops.flights
    where
        scheduled_departure >= %(day)s::timestamp - interval '30 days'
        and scheduled_departure < %(day)s::timestamp
),

drawn as (
    select
        flight_id,
        (array[-5, -4, -3, -2, -1, 1, 2, 3, 4, 5])[1 + mod(('x' || right(draw, 4))::bit(16)::integer, 10)]
            as minutes
    from recent
    where arr_delay is not null
    order by draw
    limit (select count(*) / 500 from recent)
)

update ops.flights
set
    arr_delay = arr_delay + minutes,
    actual_arrival = actual_arrival + make_interval(mins => minutes),
    updated_at = %(clock)s::timestamp - interval '1 second'
from drawn
where flights.flight_id = drawn.flight_id
