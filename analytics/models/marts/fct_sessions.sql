-- One row a session: what it cost, who asked for it, and what came of it.
with pull_requests as (
  select session_id, count(*) as pull_requests, sum(case when is_merged then 1 else 0 end) as merged_pull_requests, min(opened_at) as first_pull_request_at
  from {{ ref('fct_pull_requests') }}
  group by session_id
),
announced as (
  select session_id, min(announced_at) as announced_at
  from {{ ref('pull_request_announcements') }}
  group by session_id
),
messages as (
  select session_id, sum(waited_seconds) as waited_seconds
  from {{ ref('fct_messages') }}
  group by session_id
)
select
  sessions.session_id,
  sessions.org_id,
  sessions.url,
  sessions.title,
  sessions.status,
  sessions.status_detail,
  sessions.created_at,
  cast(sessions.created_at as date) as created_on,
  sessions.updated_at,
  sessions.acus_consumed,
  sessions.acus_consumed * {{ devin_number('devin_acu_price') }} as cost,
  sessions.created_by,
  case when sessions.user_id is not null then 'person' when sessions.service_user_id is not null then 'service user' else 'unknown' end as created_by_kind,
  {{ devin_team('sessions.created_by') }} as team,
  sessions.playbook_id,
  sessions.parent_session_id,
  sessions.automation_id,
  coalesce(sessions.automation_id is not null or sessions.origin = 'automation', false) as is_automated,
  sessions.is_from_alert,
  sessions.alert_tag,
  sessions.is_archived,
  sessions.origin,
  coalesce(sessions.category, '(not classified)') as category,
  sessions.session_size,
  sessions.user_messages,
  sessions.devin_messages,
  coalesce(sessions.status in ('exit', 'error', 'suspended') or sessions.status_detail = 'finished', false) as has_ended,
  coalesce(sessions.status not in ('exit', 'error', 'suspended') and sessions.status_detail in ('waiting_for_user', 'waiting_for_approval'), false) as is_blocked,
  coalesce(sessions.status = 'error' or (sessions.status = 'suspended' and sessions.status_detail = 'error'), false) as has_failed,
  coalesce(sessions.status = 'suspended' and sessions.status_detail in (
    'out_of_credits', 'out_of_quota', 'no_quota_allocation', 'usage_limit_exceeded', 'org_usage_limit_exceeded',
    'total_session_limit_exceeded', 'payment_declined', 'user_usage_limit_exceeded', 'contract_expired'), false) as hit_a_limit,
  coalesce(pull_requests.pull_requests, 0) as pull_requests,
  coalesce(pull_requests.merged_pull_requests, 0) as merged_pull_requests,
  pull_requests.first_pull_request_at,
  announced.announced_at as first_announced_at,
  messages.waited_seconds
from {{ ref('stg_devin__sessions') }} as sessions
left join pull_requests on pull_requests.session_id = sessions.session_id
left join announced on announced.session_id = sessions.session_id
left join messages on messages.session_id = sessions.session_id
