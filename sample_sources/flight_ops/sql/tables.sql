create schema ops;

create table ops.flights (
    flight_id           bigint      not null,
    scheduled_departure timestamp   not null,  -- local time at origin
    actual_departure    timestamp,             -- null: cancelled
    dep_delay           integer,               -- minutes
    scheduled_arrival   timestamp   not null,  -- local time at dest
    actual_arrival      timestamp,
    arr_delay           integer,               -- minutes; null: cancelled or diverted
    carrier             text        not null,
    flight              integer     not null,
    tailnum             text,
    origin              text        not null,
    dest                text        not null,
    air_time            integer,               -- minutes
    distance            integer     not null,  -- miles
    time_hour           timestamptz not null,  -- the hour of scheduled_departure; joins the weather
    updated_at          timestamp   not null   -- New York's local time, as the clock
);

create table ops.planes (
    tailnum      text      not null,
    year         integer,
    type         text,
    manufacturer text,
    model        text,
    engines      integer,
    seats        integer,
    speed        integer,
    engine       text,
    updated_at   timestamp not null
);

create table ops.airports (
    faa   text primary key,
    name  text             not null,
    lat   double precision not null,
    lon   double precision not null,
    alt   integer          not null,
    tz    integer          not null,
    dst   text             not null,
    tzone text
);

create table ops.airlines (
    carrier text primary key,
    name    text not null
);

-- What the sample itself needs to know; not part of the operational system.
create schema sample;

create table sample.clock (
    id   integer primary key default 1 check (id = 1),
    now  timestamp not null,
    seed bigint    not null
);

create table sample.airport_zones (
    faa  text primary key,
    zone text not null
);

-- A record is written five minutes after the (scheduled) arrival, in New York's time, and never
-- later than the last second before the clock.
create function sample.written_at(arrival timestamp, zone text, clock timestamp) returns timestamp
language sql immutable
return least(
    (arrival at time zone zone) at time zone 'America/New_York' + interval '5 minutes',
    clock - interval '1 second'
);

-- A time of day as the source writes it, 517 or 2400, after midnight.
create function sample.time_of_day(hhmm integer) returns interval
language sql immutable
return make_interval(mins => hhmm / 100 * 60 + mod(hhmm, 100));

create temporary table flights_csv (
    flight_id      bigint generated always as identity,
    year           integer,
    month          integer,
    day            integer,
    dep_time       integer,
    sched_dep_time integer,
    dep_delay      integer,
    arr_time       integer,
    sched_arr_time integer,
    arr_delay      integer,
    carrier        text,
    flight         integer,
    tailnum        text,
    origin         text,
    dest           text,
    air_time       integer,
    distance       integer,
    hour           integer,
    minute         integer,
    time_hour      timestamptz
) on commit drop;

create temporary table planes_csv (
    like ops.planes
) on commit drop;
alter table planes_csv drop column updated_at;
