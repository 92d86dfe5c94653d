-- One row a playbook: those that are listed, and those that only sessions name.
with used as (
  select playbook_id, count(*) as sessions, sum(acus_consumed) as acus_consumed, max(created_at) as last_used_at,
    sum(pull_requests) as pull_requests, sum(merged_pull_requests) as merged_pull_requests
  from {{ ref('fct_sessions') }}
  where playbook_id is not null
  group by playbook_id
)
select
  coalesce(playbooks.playbook_id, used.playbook_id) as playbook_id,
  coalesce(playbooks.title, '(not listed)') as title,
  playbooks.macro,
  playbooks.playbook_id is not null as is_listed,
  coalesce(used.sessions, 0) as sessions,
  coalesce(used.acus_consumed, 0) as acus_consumed,
  coalesce(used.pull_requests, 0) as pull_requests,
  coalesce(used.merged_pull_requests, 0) as merged_pull_requests,
  used.last_used_at
from {{ ref('stg_devin__playbooks') }} as playbooks
full outer join used on used.playbook_id = playbooks.playbook_id
