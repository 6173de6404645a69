select
    date_day,
    year,
    quarter(date_day) as quarter,
    month,
    monthname(date_day) as month_name,
    date_trunc('month', date_day)::date as month_start,
    day_of_month,
    iso_year,
    iso_week,
    iso_weekday,
    dayname(date_day) as weekday_name,
    is_weekend,
    is_holiday,
    holiday_name
from {{ ref('stg_calendar__days') }}
