-- Airports that flights go to and the airports' file lacks.
insert into sample.airport_zones
select faa, tzone from ops.airports where tzone is not null
union all
values
    ('BQN', 'America/Puerto_Rico'),
    ('PSE', 'America/Puerto_Rico'),
    ('SJU', 'America/Puerto_Rico'),
    ('STT', 'America/St_Thomas');

-- Dates are those of the scheduled departure; the source gives times of day and delays.
-- An arrival earlier in the day than the departure is the next day's; the delays put the actual
-- times on their days. A diverted flight has an arrival but no delay: it is the first such time
-- of day after the departure.
insert into ops.flights
select
    flight_id,
    scheduled_departure,
    actual_departure,
    dep_delay,
    scheduled_arrival,
    actual_arrival,
    arr_delay,
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    air_time,
    distance,
    time_hour,
    sample.written_at(coalesce(actual_arrival, scheduled_arrival), zone, clock.now)
from
    flights_csv
    join sample.airport_zones on faa = dest
    cross join sample.clock
    cross join lateral (select make_date(year, month, day)::timestamp as date)
    cross join lateral (select date + sample.time_of_day(sched_dep_time) as scheduled_departure)
    cross join lateral (
        select
            scheduled_departure + make_interval(mins => dep_delay) as actual_departure,
            date + sample.time_of_day(sched_arr_time)
            + make_interval(days => (sched_arr_time < sched_dep_time)::integer) as scheduled_arrival
    )
    cross join lateral (
        select actual_departure::date + sample.time_of_day(arr_time) as arrival_that_day
    )
    cross join lateral (
        select
            case
                when arr_delay is not null then scheduled_arrival + make_interval(mins => arr_delay)
                when arrival_that_day > actual_departure then arrival_that_day
                else arrival_that_day + interval '1 day'
            end as actual_arrival
    )
order by flight_id;

alter table ops.flights add primary key (flight_id);
create index flights_updated_at on ops.flights (updated_at);
create index flights_scheduled_departure on ops.flights (scheduled_departure);

-- A plane is registered on the day of its first flight.
insert into ops.planes
select planes_csv.*, first_flight.day
from
    planes_csv
    join (
        select tailnum, min(scheduled_departure)::date::timestamp as day
        from ops.flights
        group by tailnum
    ) as first_flight using (tailnum);

alter table ops.planes add primary key (tailnum);

analyze ops.flights, ops.planes, ops.airports, ops.airlines, sample.clock, sample.airport_zones;
