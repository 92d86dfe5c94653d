-- One row a team and week (Monday, 00:00 UTC), for the sessions that the team started in it.
select
  team,
  cast(date_trunc('week', created_at) as date) as week,
  count(*) as sessions,
  count(distinct created_by) as users,
  sum(acus_consumed) as acus_consumed,
  sum(cost) as cost,
  sum(case when pull_requests > 0 then 1 else 0 end) as sessions_with_pull_request,
  sum(pull_requests) as pull_requests,
  sum(merged_pull_requests) as merged_pull_requests,
  {{ devin_ratio('sum(merged_pull_requests)', 'sum(pull_requests)') }} as merge_rate,
  {{ devin_ratio('sum(acus_consumed)', 'count(*)') }} as acus_per_session,
  {{ devin_ratio('sum(acus_consumed)', 'sum(merged_pull_requests)') }} as acus_per_merged_pull_request,
  {{ devin_ratio('sum(case when playbook_id is not null then 1 else 0 end)', 'count(*)') }} as playbook_share,
  {{ devin_ratio('sum(case when is_blocked then 1 else 0 end)', 'count(*)') }} as blocked_share
from {{ ref('fct_sessions') }}
where created_at is not null
group by team, cast(date_trunc('week', created_at) as date)
