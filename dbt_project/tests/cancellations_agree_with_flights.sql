-- Two loads of the same system: what one calls cancelled has no departure in the other. They may run
-- at different times, so flights that only one of them has are passed over.
{{ config(severity='warn') }}

select cancellations.flight_id, flights.actual_departure_at
from {{ ref('stg_flight_ops__cancellations') }} as cancellations
inner join {{ ref('stg_flight_ops__flights') }} as flights
    on cancellations.flight_id = flights.flight_id
where flights.actual_departure_at is not null
