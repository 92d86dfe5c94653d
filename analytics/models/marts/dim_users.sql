-- One row a person or service user that started a session or wrote a message. Names are those of their newest message.
with names as (
  select user_id, username from (
    select user_id, username, row_number() over (partition by user_id order by created_at desc, event_id) as place
    from {{ ref('fct_messages') }}
    where user_id is not null and username is not null
  ) as ranked
  where place = 1
),
sessions as (
  select created_by as user_id, max(created_by_kind) as kind, count(*) as sessions, sum(acus_consumed) as acus_consumed,
    min(created_at) as first_session_at, max(created_at) as last_session_at
  from {{ ref('fct_sessions') }}
  where created_by is not null
  group by created_by
)
select
  coalesce(sessions.user_id, names.user_id) as user_id,
  coalesce(names.username, sessions.user_id) as name,
  coalesce(sessions.kind, 'person') as kind,
  {{ devin_team('coalesce(sessions.user_id, names.user_id)') }} as team,
  coalesce(sessions.sessions, 0) as sessions,
  coalesce(sessions.acus_consumed, 0) as acus_consumed,
  sessions.first_session_at,
  sessions.last_session_at
from sessions
full outer join names on names.user_id = sessions.user_id
