-- Each UTC day from the first record to the last. "Now" is the newest moment in the data, never the clock.
with recursive bounds as (
  select min(first_on) as first_on, max(last_on) as last_on from (
    select min(cast(created_at as date)) as first_on, max(cast(updated_at as date)) as last_on from {{ ref('stg_devin__sessions') }}
    union all
    select min(cast(created_at as date)), max(cast(created_at as date)) from {{ ref('stg_devin__messages') }}
    union all
    select min(cast(first_at as date)), max(cast(first_at as date)) from {{ ref('stg_devin__alerts') }}
  ) as moments
),
days as (
  select first_on as day from bounds where first_on is not null
  union all
  select cast(days.day + interval '1 day' as date) from days inner join bounds on days.day < bounds.last_on
)
select day from days
