-- One row a pull request. It belongs to the session that named it first.
with now_named as (
  -- As the last version of each session names it; a session may name one twice.
  select session_id, pr_url, max(seen_at) as seen_at,
    max(case pr_state when 'merged' then 4 when 'closed' then 3 when 'open' then 2 when 'draft' then 1 else 0 end) as state_rank
  from {{ ref('stg_devin__session_pull_requests') }}
  where devin_age = 1
  group by session_id, pr_url
),
seen as (
  select pr_url, session_id, min(first_seen_at) as first_seen_at
  from {{ ref('pull_request_sightings') }}
  group by pr_url, session_id
),
owners as (
  select pr_url, session_id from (
    select seen.pr_url, seen.session_id,
      row_number() over (partition by seen.pr_url order by sessions.created_at, seen.session_id) as place
    from seen
    inner join {{ ref('stg_devin__sessions') }} as sessions on sessions.session_id = seen.session_id
  ) as ranked
  where place = 1
),
times as (
  select pr_url,
    min(first_seen_at) as opened_at,
    min(case when pr_state <> 'merged' then first_seen_at end) as unmerged_at,
    min(case when pr_state = 'merged' then first_seen_at end) as merged_at,
    min(case when pr_state = 'closed' then first_seen_at end) as closed_at
  from {{ ref('pull_request_sightings') }}
  group by pr_url
),
announced as (
  select pr_url, min(announced_at) as announced_at
  from {{ ref('pull_request_announcements') }}
  group by pr_url
),
states as (
  select pr_url, max(state_rank) as state_rank, count(distinct session_id) as sessions
  from now_named
  group by pr_url
)
select
  owners.pr_url,
  owners.session_id,
  states.sessions,
  case states.state_rank when 4 then 'merged' when 3 then 'closed' when 2 then 'open' when 1 then 'draft' else 'unknown' end as state,
  states.state_rank = 4 as is_merged,
  sessions.created_at as requested_at,
  announced.announced_at,
  least(times.opened_at, announced.announced_at) as opened_at,
  case when states.state_rank = 4 then times.merged_at end as merged_at,
  case when states.state_rank = 3 then times.closed_at end as closed_at,
  {{ devin_seconds('sessions.created_at', 'least(times.opened_at, announced.announced_at)') }} / 3600 as hours_to_open,
  case when states.state_rank = 4 then {{ devin_seconds('sessions.created_at', 'times.merged_at') }} / 3600 end as hours_to_merge,
  -- Only where it was announced, or seen before it was merged: otherwise nobody knows when it was opened.
  case when states.state_rank = 4 and least(times.unmerged_at, announced.announced_at) <= times.merged_at
    then {{ devin_seconds('least(times.unmerged_at, announced.announced_at)', 'times.merged_at') }} / 3600 end as hours_from_open_to_merge,
  sessions.created_by,
  {{ devin_team('sessions.created_by') }} as team,
  sessions.playbook_id
from owners
inner join times on times.pr_url = owners.pr_url
left join announced on announced.pr_url = owners.pr_url
inner join states on states.pr_url = owners.pr_url
inner join {{ ref('stg_devin__sessions') }} as sessions on sessions.session_id = owners.session_id
