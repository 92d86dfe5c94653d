-- One row: the ACUs of the billing cycle that the newest day is in, and what they will come to; of the calendar month where no
-- cycle is known. The run rate is the mean of the 28 days before that day, which is not over yet; the interval is 1.96
-- standard deviations of as many days as are left.
with now as (
  select max(day) as today from {{ ref('days') }}
),
cycle as (
  -- Of two that overlap, the one that began last.
  select max(cycles.cycle_start) as cycle_start, min(cycles.cycle_end) as cycle_end
  from {{ ref('stg_devin__consumption_cycles') }} as cycles
  inner join now on now.today >= cycles.cycle_start and now.today < cycles.cycle_end
),
bounds as (
  select
    now.today,
    coalesce(cycle.cycle_start, cast(date_trunc('month', now.today) as date)) as cycle_start,
    coalesce(cycle.cycle_end, cast(date_trunc('month', now.today) + interval '1 month' as date)) as cycle_end,
    case when cycle.cycle_start is null then 'calendar month' else 'consumption_cycles' end as cycle_source
  from now cross join cycle
  where now.today is not null
),
daily as (
  select days.day, coalesce(sum(consumption.acus), 0) as acus
  from {{ ref('days') }} as days
  left join {{ ref('fct_consumption_daily') }} as consumption on consumption.day = days.day
  group by days.day
),
used as (
  select coalesce(sum(daily.acus), 0) as acus_so_far
  from daily inner join bounds on daily.day >= bounds.cycle_start
),
metered as (
  select min(consumption.source) as first_source, max(consumption.source) as last_source
  from {{ ref('fct_consumption_daily') }} as consumption inner join bounds on consumption.day between bounds.cycle_start and bounds.today
),
recent as (
  select avg(daily.acus) as acus_per_day, stddev_samp(daily.acus) as deviation, count(*) as days
  from daily inner join bounds on daily.day >= bounds.today - 28 and daily.day < bounds.today
),
left_over as (
  select bounds.*, bounds.cycle_end - bounds.today - 1 as days_left from bounds
)
select
  left_over.cycle_start,
  left_over.cycle_end,
  left_over.cycle_source,
  left_over.today,
  left_over.days_left,
  -- "sessions" is the last of the sources by name.
  case when metered.last_source is null or metered.first_source = 'sessions' then 'sessions'
    when metered.last_source = 'sessions' then 'consumption and sessions' else 'consumption' end as acus_source,
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
from left_over cross join used cross join recent cross join metered
