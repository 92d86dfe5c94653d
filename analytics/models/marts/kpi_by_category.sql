-- One row a category: what its sessions used, and what came of those that have ended.
select
  category,
  count(*) as sessions,
  sum(acus_consumed) as acus_consumed,
  sum(cost) as cost,
  sum(case when has_ended then 1 else 0 end) as ended_sessions,
  sum(case when has_ended and pull_requests > 0 then 1 else 0 end) as ended_sessions_with_pull_request,
  sum(case when has_ended and merged_pull_requests > 0 then 1 else 0 end) as ended_sessions_that_shipped,
  sum(merged_pull_requests) as merged_pull_requests,
  {{ devin_ratio('sum(acus_consumed)', 'count(*)') }} as acus_per_session,
  {{ devin_ratio('sum(acus_consumed)', 'sum(merged_pull_requests)') }} as acus_per_merged_pull_request
from {{ ref('fct_sessions') }}
group by category
