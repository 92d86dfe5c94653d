-- One row a message. Empty where `devin_using_messages` is off.
{% if var('devin_using_messages') %}
with latest as (
  {{ devin_latest(source('devin', 'session_messages'), ['session_id', 'event_id'], 'created_at') }}
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
select
  cast(null as {{ dbt.type_string() }}) as session_id,
  cast(null as {{ dbt.type_string() }}) as event_id,
  cast(null as {{ dbt.type_string() }}) as source,
  cast(null as {{ dbt.type_timestamp() }}) as created_at,
  cast(null as {{ dbt.type_string() }}) as message,
  cast(null as {{ dbt.type_string() }}) as user_id,
  cast(null as {{ dbt.type_string() }}) as username
where false
{% endif %}
