-- One row: the ACUs of the calendar month of the newest day, and what they will come to. The run rate is the mean of the
-- 28 days before that day, which is not over yet; the interval is 1.96 standard deviations of as many days as are left.
with now as (
  select max(day) as today, cast(date_trunc('month', max(day)) as date) as cycle_start,
    cast(date_trunc('month', max(day)) + interval '1 month' as date) as cycle_end
  from {{ ref('days') }}
),
used as (
  select coalesce(sum(kpi.acus_consumed), 0) as acus_so_far
  from {{ ref('kpi_daily') }} as kpi inner join now on kpi.day >= now.cycle_start
),
recent as (
  select avg(kpi.acus_consumed) as acus_per_day, stddev_samp(kpi.acus_consumed) as deviation, count(*) as days
  from {{ ref('kpi_daily') }} as kpi inner join now on kpi.day >= now.today - 28 and kpi.day < now.today
),
left_over as (
  select now.today, now.cycle_start, now.cycle_end, now.cycle_end - now.today - 1 as days_left from now
)
select
  left_over.cycle_start,
  left_over.cycle_end,
  left_over.today,
  left_over.days_left,
  used.acus_so_far,
  recent.days as days_of_run_rate,
  cast(recent.acus_per_day as double precision) as acus_per_day,
  used.acus_so_far + recent.acus_per_day * left_over.days_left as forecast_acus,
  -- The greatest of a number and null would be the number.
  case when recent.deviation is not null then
    cast(used.acus_so_far as double precision) + greatest(0, cast(recent.acus_per_day as double precision) * left_over.days_left
      - 1.96 * recent.deviation * sqrt(left_over.days_left))
  end as forecast_low,
  cast(used.acus_so_far as double precision) + cast(recent.acus_per_day as double precision) * left_over.days_left
    + 1.96 * recent.deviation * sqrt(left_over.days_left) as forecast_high,
  {{ devin_number('devin_cycle_acus') }} as cycle_acus
from left_over cross join used cross join recent
where left_over.today is not null
