-- One row a session, as it was last read.
with latest as (
  {{ devin_latest(source('devin', 'sessions_insights'), ['session_id'], 'updated_at') }}
)
select
  session_id,
  org_id,
  url,
  title,
  status,
  status_detail,
  {{ devin_timestamp('created_at') }} as created_at,
  {{ devin_timestamp('updated_at') }} as updated_at,
  cast(coalesce(acus_consumed, 0) as numeric(38, 9)) as acus_consumed,
  user_id,
  service_user_id,
  coalesce(user_id, service_user_id) as created_by,
  playbook_id,
  parent_session_id,
  automation_id,
  coalesce(is_archived, false) as is_archived,
  origin,
  coalesce(category, {{ devin_text(devin_member('analysis', 'classification'), 'category') }}) as category,
  subcategory,
  session_size,
  num_user_messages as user_messages,
  num_devin_messages as devin_messages,
  coalesce(marks.is_from_alert, false) as is_from_alert,
  marks.alert_tag
from latest
-- As the relay marks its sessions: `alert-relay`, and `ar-` with the 26 digits of the alert. Letter case is not promised.
left join lateral (
  select
    bool_or(lower({{ devin_string('tags.element') }}) = 'alert-relay') as is_from_alert,
    max(case when length({{ devin_string('tags.element') }}) = 29 and lower({{ devin_string('tags.element') }}) like 'ar-%'
      and lower({{ devin_string('tags.element') }}) not like 'ar-t-%' then lower({{ devin_string('tags.element') }}) end) as alert_tag
  from {{ devin_elements('latest.tags') }} as tags
) as marks on true
