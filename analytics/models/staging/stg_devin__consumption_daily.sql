-- One row a day: the ACUs that everybody has used. Empty where they are not read.
{% set consumption = source('devin', 'consumption_daily') %}
{% if devin_has('devin_using_consumption', consumption) %}
with latest as (
  {{ devin_latest(consumption, ['id']) }}
)
select
  cast({{ devin_timestamp('coalesce(date, window_start)') }} as date) as day,
  cast(acus as numeric(38, 9)) as acus
from latest
where coalesce(date, window_start) is not null and acus is not null
{% else %}
{{ devin_nothing({'day': 'date', 'acus': 'numeric(38, 9)'}) }}
{% endif %}
