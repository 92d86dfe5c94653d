-- One row a billing cycle. Empty where they are not read.
{% set cycles = source('devin', 'consumption_cycles') %}
{% if devin_has('devin_using_cycles', cycles) %}
with latest as (
  {{ devin_latest(cycles, ['id']) }}
)
select
  cast({{ devin_timestamp('after') }} as date) as cycle_start,
  cast({{ devin_timestamp('before') }} as date) as cycle_end
from latest
where after is not null and before is not null
{% else %}
{{ devin_nothing({'cycle_start': 'date', 'cycle_end': 'date'}) }}
{% endif %}
