-- One row for each version of a session that was read, and each pull request that it named.
select
  sessions.session_id,
  {{ devin_timestamp('sessions.updated_at') }} as seen_at,
  {{ devin_text('pull_requests.element', 'pr_url') }} as pr_url,
  coalesce({{ devin_text('pull_requests.element', 'pr_state') }}, 'unknown') as pr_state,
  sessions.devin_age
from (
  select *, row_number() over (
    partition by session_id order by {{ devin_order(source('devin', 'sessions_insights'), 'updated_at') }}) as devin_age
  from {{ source('devin', 'sessions_insights') }}
) as sessions
cross join lateral {{ devin_elements('sessions.pull_requests') }} as pull_requests
where {{ devin_text('pull_requests.element', 'pr_url') }} is not null
