-- One row a playbook. Empty where `devin_using_playbooks` is off.
{% if var('devin_using_playbooks') %}
with latest as (
  {{ devin_latest(source('devin', 'playbooks'), ['playbook_id'], 'updated_at') }}
)
select playbook_id, title, macro, {{ devin_timestamp('created_at') }} as created_at, {{ devin_timestamp('updated_at') }} as updated_at
from latest
{% else %}
select
  cast(null as {{ dbt.type_string() }}) as playbook_id,
  cast(null as {{ dbt.type_string() }}) as title,
  cast(null as {{ dbt.type_string() }}) as macro,
  cast(null as {{ dbt.type_timestamp() }}) as created_at,
  cast(null as {{ dbt.type_timestamp() }}) as updated_at
where false
{% endif %}
