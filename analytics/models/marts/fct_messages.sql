-- One row a message, without its text: who wrote it, when, and how long Devin had waited for it.
with placed as (
  select
    session_id, event_id, source, created_at, length(message) as characters, user_id, username,
    lag(source) over session as previous_source,
    lag(created_at) over session as previous_at
  from {{ ref('stg_devin__messages') }}
  window session as (partition by session_id order by created_at, event_id)
)
select
  session_id,
  event_id,
  source,
  created_at,
  characters,
  user_id,
  username,
  case when source = 'user' and previous_source = 'devin' then {{ devin_seconds('previous_at', 'created_at') }} end as waited_seconds
from placed
