-- One row a day and member: the ACUs that the member has used. Empty where they are not read.
{% set consumption = source('devin', 'consumption_daily_users') %}
{% if devin_has('devin_using_consumption_users', consumption) %}
with latest as (
  {{ devin_latest(consumption, ['id']) }}
)
select
  cast({{ devin_timestamp('date') }} as date) as day,
  user_id,
  cast(acus as numeric(38, 9)) as acus
from latest
where date is not null and user_id is not null and acus is not null
{% else %}
{{ devin_nothing({'day': 'date', 'user_id': dbt.type_string(), 'acus': 'numeric(38, 9)'}) }}
{% endif %}
