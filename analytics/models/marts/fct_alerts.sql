-- One row an alert that a bridge has taken, with its last job: whether a session was started for it, and what came of that.
select
  alerts.alert_tag,
  alerts.dedupe_key,
  alerts.route,
  alerts.title,
  alerts.severity,
  alerts.state,
  alerts.first_at,
  alerts.last_at,
  cast(alerts.first_at as date) as first_on,
  alerts.rule,
  alerts.phase,
  alerts.held_by,
  alerts.job_created_at,
  alerts.job_started_at,
  alerts.pull_request_at,
  alerts.job_settled_at,
  alerts.session_id,
  alerts.pr_url,
  alerts.result,
  alerts.session_id is not null as has_session,
  alerts.pr_url is not null as has_pull_request,
  coalesce(requests.is_merged, false) as has_merged_pull_request,
  -- Both are of the same job: an alert that comes again has a new one.
  {{ devin_seconds('alerts.job_created_at', 'alerts.pull_request_at') }} / 60 as minutes_to_pull_request,
  sessions.acus_consumed
from {{ ref('stg_devin__alerts') }} as alerts
left join {{ ref('fct_sessions') }} as sessions on sessions.session_id = alerts.session_id
left join {{ ref('fct_pull_requests') }} as requests on requests.pr_url = alerts.pr_url
