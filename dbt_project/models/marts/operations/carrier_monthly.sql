select
    carrier,
    date_trunc('month', flight_date)::date as month,
    count(*) as flights,
    count_if(is_cancelled) as cancelled,
    avg(dep_delay_minutes::float) as avg_dep_delay_minutes,
    avg(arr_delay_minutes::float) as avg_arr_delay_minutes,
    avg(is_on_time::integer::float) as on_time_share
from {{ ref('fct_flights') }}
group by 1, 2
