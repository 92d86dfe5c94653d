-- One row a day, week or month: how many people used Devin, as Devin counts. Empty where they are not read.
{% set active_users = source('devin', 'active_users') %}
{% if devin_has('devin_using_active_users', active_users) %}
with latest as (
  {{ devin_latest(active_users, ['id']) }}
)
select
  period,
  cast({{ devin_timestamp('start_time') }} as date) as first_on,
  -- The end is the first second that is not in it.
  cast({{ devin_timestamp('end_time - 1') }} as date) as last_on,
  active_users
from latest
where start_time is not null and end_time is not null
{% else %}
{{ devin_nothing({'period': dbt.type_string(), 'first_on': 'date', 'last_on': 'date', 'active_users': 'bigint'}) }}
{% endif %}
