-- One row a person or service user: who started a session, wrote a message, or is a member. Names are those of the members,
-- else of the newest message.
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
),
metered as (
  select user_id, sum(acus) as acus
  from {{ ref('stg_devin__consumption_daily_users') }}
  group by user_id
),
users as (
  select user_id from sessions
  union
  select user_id from names
  union
  select user_id from {{ ref('stg_devin__members') }}
  union
  select user_id from metered
)
select
  users.user_id,
  coalesce(members.name, names.username, users.user_id) as name,
  coalesce(sessions.kind, 'person') as kind,
  members.user_id is not null as is_member,
  {{ devin_team('users.user_id') }} as team,
  coalesce(sessions.sessions, 0) as sessions,
  coalesce(sessions.acus_consumed, 0) as acus_consumed,
  metered.acus as acus_metered,
  sessions.first_session_at,
  sessions.last_session_at
from users
left join sessions on sessions.user_id = users.user_id
left join names on names.user_id = users.user_id
left join {{ ref('stg_devin__members') }} as members on members.user_id = users.user_id
left join metered on metered.user_id = users.user_id
