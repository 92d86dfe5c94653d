-- One row a message. Empty where they are not read.
{% set messages = source('devin', 'session_messages') %}
{% if devin_has('devin_using_messages', messages) %}
with latest as (
  {{ devin_latest(messages, ['session_id', 'event_id'], 'created_at') }}
)
select
  session_id,
  event_id,
  source,
  {{ devin_timestamp('created_at') }} as created_at,
  message,
  user_id,
  username
from latest
{% else %}
{{ devin_nothing({'session_id': dbt.type_string(), 'event_id': dbt.type_string(), 'source': dbt.type_string(),
  'created_at': dbt.type_timestamp(), 'message': dbt.type_string(), 'user_id': dbt.type_string(), 'username': dbt.type_string()}) }}
{% endif %}
