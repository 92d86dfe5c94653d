-- One row a playbook. Empty where they are not read.
{% set playbooks = source('devin', 'playbooks') %}
{% if devin_has('devin_using_playbooks', playbooks) %}
with latest as (
  {{ devin_latest(playbooks, ['playbook_id'], 'updated_at') }}
)
select playbook_id, title, macro, {{ devin_timestamp('created_at') }} as created_at, {{ devin_timestamp('updated_at') }} as updated_at
from latest
{% else %}
{{ devin_nothing({'playbook_id': dbt.type_string(), 'title': dbt.type_string(), 'macro': dbt.type_string(),
  'created_at': dbt.type_timestamp(), 'updated_at': dbt.type_timestamp()}) }}
{% endif %}
