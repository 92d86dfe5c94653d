-- When each state of a pull request was first seen in a session. Grows: a destination that keeps only the last version
-- of a session would forget it otherwise.
{{ config(materialized='incremental', unique_key=['session_id', 'pr_url', 'pr_state'], on_schema_change='fail') }}
with seen as (
  select session_id, pr_url, pr_state, min(seen_at) as first_seen_at
  from {{ ref('stg_devin__session_pull_requests') }}
  group by session_id, pr_url, pr_state
)
{% if is_incremental() %}
select seen.session_id, seen.pr_url, seen.pr_state,
  case when known.first_seen_at < seen.first_seen_at then known.first_seen_at else seen.first_seen_at end as first_seen_at
from seen
left join {{ this }} as known
  on known.session_id = seen.session_id and known.pr_url = seen.pr_url and known.pr_state = seen.pr_state
{% else %}
select session_id, pr_url, pr_state, first_seen_at from seen
{% endif %}
