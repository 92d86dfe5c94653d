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
  num_devin_messages as devin_messages
from latest
