-- One row an alert that a bridge has taken, with its last job. Empty where they are not read.
{% set alerts = source('devin_relay', 'relay_alerts') %}
{% if devin_has('devin_using_alerts', alerts) %}
with latest as (
  {{ devin_latest(alerts, ['tag'], 'last_at') }}
)
select
  tag as alert_tag,
  dedupe_key,
  route,
  title,
  severity,
  state,
  {{ devin_timestamp_of_milliseconds('first_at') }} as first_at,
  {{ devin_timestamp_of_milliseconds('last_at') }} as last_at,
  {{ devin_text('job', 'rule') }} as rule,
  {{ devin_text('job', 'phase') }} as phase,
  {{ devin_text(devin_member('job', 'held'), 'gate') }} as held_by,
  {{ devin_timestamp_of_milliseconds(devin_text('job', 'created_at')) }} as job_created_at,
  {{ devin_timestamp_of_milliseconds(devin_text('job', 'started_at')) }} as job_started_at,
  {{ devin_timestamp_of_milliseconds(devin_text('job', 'pr_at')) }} as pull_request_at,
  {{ devin_timestamp_of_milliseconds(devin_text('job', 'settled_at')) }} as job_settled_at,
  {{ devin_text('job', 'session_id') }} as session_id,
  {{ devin_text('job', 'pr_url') }} as pr_url,
  {{ devin_text('job', 'result') }} as result
from latest
{% else %}
{{ devin_nothing({'alert_tag': dbt.type_string(), 'dedupe_key': dbt.type_string(), 'route': dbt.type_string(),
  'title': dbt.type_string(), 'severity': dbt.type_string(), 'state': dbt.type_string(), 'first_at': dbt.type_timestamp(),
  'last_at': dbt.type_timestamp(), 'rule': dbt.type_string(), 'phase': dbt.type_string(), 'held_by': dbt.type_string(),
  'job_created_at': dbt.type_timestamp(), 'job_started_at': dbt.type_timestamp(), 'pull_request_at': dbt.type_timestamp(),
  'job_settled_at': dbt.type_timestamp(), 'session_id': dbt.type_string(), 'pr_url': dbt.type_string(), 'result': dbt.type_string()}) }}
{% endif %}
