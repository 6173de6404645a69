-- A diverted flight departed and has no arrival delay: it was not on time, as the US Department of
-- Transportation counts it.
select
    *,
    actual_departure_at is null as is_cancelled,
    case
        when actual_departure_at is null then null
        else coalesce(arr_delay_minutes < 15, false)
    end as is_on_time
from {{ ref('stg_flight_ops__flights') }}
