{# One row of each key: the one that changed last, and of those the one that was loaded last. A record may come again,
   unchanged or newer. #}
{% macro devin_latest(relation, keys, changed_at=none) %}
{% set order = devin_order(relation, changed_at) %}
select * from (
  select *, row_number() over (partition by {{ keys | join(', ') }} order by {{ order }}) as devin_rank
  from {{ relation }}
) as ranked
where devin_rank = 1
{% endmacro %}

{# The newest first: by the record's own time, then by what the loader notes of a row. #}
{% macro devin_order(relation, changed_at) %}
{% set order = [changed_at ~ ' desc nulls last'] if changed_at else [] %}
{% if execute %}
  {% set names = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list %}
  {% for name in ['_airbyte_extracted_at', 'devin_row'] if name in names %}
    {% do order.append(name ~ ' desc') %}
  {% endfor %}
{% endif %}
{{ return((order or ['1']) | join(', ')) }}
{% endmacro %}

{# Whether a table is there to be read: what its variable says, and without a word of it, whether the database has it. #}
{% macro devin_has(variable, relation) %}
{% set wanted = var(variable) %}
{% if wanted is none %}{% set wanted = execute and load_relation(relation) is not none %}{% endif %}
{{ return(wanted) }}
{% endmacro %}

{# No row, with these columns: what a staging model is without its table. #}
{% macro devin_nothing(columns) %}
select
{%- for name, type in columns.items() %}
  cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
{%- endfor %}
where false
{% endmacro %}

{# `numerator / denominator`, null where there is nothing to divide by. #}
{% macro devin_ratio(numerator, denominator) %}(cast({{ numerator }} as double precision) / nullif({{ denominator }}, 0)){% endmacro %}

{# The team of a user, from the variable `devin_teams`. #}
{% macro devin_team(user) %}
{% set teams = var('devin_teams') or {} %}
{% if teams %}
case {{ user }}
  {% for name, team in teams.items() %}
  when {{ dbt.string_literal(dbt.escape_single_quotes(name)) }} then {{ dbt.string_literal(dbt.escape_single_quotes(team)) }}
  {% endfor %}
  else '(no team)'
end
{% else %}
cast('(no team)' as {{ dbt.type_string() }})
{% endif %}
{% endmacro %}

{# A number from a variable, null where none is given. #}
{% macro devin_number(name) %}
{% set number = var(name) %}
{% if number is none %}{{ return('cast(null as numeric(38, 9))') }}{% endif %}
{{ return('cast(' ~ (number | float) ~ ' as numeric(38, 9))') }}
{% endmacro %}
