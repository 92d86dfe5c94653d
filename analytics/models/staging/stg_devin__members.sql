-- One row a member of the organization. Empty where they are not read.
{% set members = source('devin', 'members') %}
{% if devin_has('devin_using_members', members) %}
with latest as (
  {{ devin_latest(members, ['user_id']) }}
)
select user_id, coalesce(name, email) as name
from latest
{% else %}
{{ devin_nothing({'user_id': dbt.type_string(), 'name': dbt.type_string()}) }}
{% endif %}
