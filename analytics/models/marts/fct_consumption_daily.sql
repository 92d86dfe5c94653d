-- One row a day and user: the ACUs of the day. From its first to its last day, Devin's consumption counts, by member where
-- that is read, and the rest of the day without a user. Before and after, the sessions that were created on the day do.
with totals as (
  select day, sum(acus) as acus from {{ ref('stg_devin__consumption_daily') }} group by day
),
of_members as (
  select day, user_id, sum(acus) as acus
  from {{ ref('stg_devin__consumption_daily_users') }}
  group by day, user_id
  having sum(acus) <> 0
),
metered as (
  select day, user_id, acus, 'consumption_daily_users' as source from of_members
  union all
  select totals.day, cast(null as {{ dbt.type_string() }}), totals.acus - coalesce(members.acus, 0), 'consumption_daily'
  from totals
  left join (select day, sum(acus) as acus from of_members group by day) as members on members.day = totals.day
  where members.day is null or totals.acus <> members.acus
),
bounds as (
  select min(day) as first_on, max(day) as last_on from (
    select day from {{ ref('stg_devin__consumption_daily') }}
    union all
    select day from {{ ref('stg_devin__consumption_daily_users') }}
  ) as told
),
consumed as (
  select day, user_id, acus, source from metered
  union all
  select sessions.created_on, sessions.created_by, sum(sessions.acus_consumed), 'sessions'
  from {{ ref('fct_sessions') }} as sessions
  cross join bounds
  where sessions.created_on is not null
    and (bounds.first_on is null or sessions.created_on < bounds.first_on or sessions.created_on > bounds.last_on)
  group by sessions.created_on, sessions.created_by
)
select
  cast(day as {{ dbt.type_string() }}) || '/' || coalesce(user_id, '') as consumption_id,
  day,
  user_id,
  {{ devin_team('user_id') }} as team,
  acus,
  acus * {{ devin_number('devin_acu_price') }} as cost,
  source
from consumed
