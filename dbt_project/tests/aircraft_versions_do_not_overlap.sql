-- A plane has one version at a time: each begins where the one before has ended, or later.
select tailnum, valid_from, previous_end
from (
    select
        tailnum,
        valid_from,
        lag(coalesce(valid_to, '9999-12-31'::timestamp_ntz)) over (
            partition by tailnum order by valid_from
        ) as previous_end
    from {{ ref('dim_aircraft') }}
)
where valid_from < previous_end
