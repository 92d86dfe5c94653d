-- One row for each day on which a person or service user started a session or wrote to one.
select user_id, day, max(sessions) as sessions, max(messages) as messages
from (
  select created_by as user_id, created_on as day, count(*) as sessions, 0 as messages
  from {{ ref('fct_sessions') }}
  where created_by_kind = 'person'
  group by created_by, created_on
  union all
  select user_id, cast(created_at as date), 0, count(*)
  from {{ ref('fct_messages') }}
  where source = 'user' and user_id is not null
  group by user_id, cast(created_at as date)
) as activity
group by user_id, day
