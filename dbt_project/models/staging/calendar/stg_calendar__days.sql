select
    date::date as date_day,
    year::number(38, 0) as year,
    month::number(38, 0) as month,
    day::number(38, 0) as day_of_month,
    iso_year::number(38, 0) as iso_year,
    iso_week::number(38, 0) as iso_week,
    iso_weekday::number(38, 0) as iso_weekday,
    is_weekend::boolean as is_weekend,
    is_holiday::boolean as is_holiday,
    holiday::varchar as holiday_name
from {{ source('calendar', 'days') }}
{{ latest_row(['date'], newest='_dlt_load_id') }}
