-- What did not take place was neither early nor late, nor on time.
select flight_id, dep_delay_minutes, arr_delay_minutes, is_on_time
from {{ ref('fct_flights') }}
where
    is_cancelled
    and (dep_delay_minutes is not null or arr_delay_minutes is not null or is_on_time is not null)
