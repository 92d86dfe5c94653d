{# What DuckDB and PostgreSQL write differently. Everything else in this package is the same for both. #}

{# Unix seconds as a timestamp in UTC, whatever the time zone of the session is. #}
{% macro devin_timestamp(column) %}{{ return(adapter.dispatch('devin_timestamp', 'devin')(column)) }}{% endmacro %}
{% macro default__devin_timestamp(column) %}(to_timestamp({{ column }}) at time zone 'UTC'){% endmacro %}
{% macro duckdb__devin_timestamp(column) %}make_timestamp(cast({{ column }} as bigint) * 1000000){% endmacro %}

{# Unix milliseconds, likewise. #}
{% macro devin_timestamp_of_milliseconds(column) %}{{ return(adapter.dispatch('devin_timestamp_of_milliseconds', 'devin')(column)) }}{% endmacro %}
{% macro default__devin_timestamp_of_milliseconds(column) %}(to_timestamp(cast({{ column }} as bigint) / 1000.0) at time zone 'UTC'){% endmacro %}
{% macro duckdb__devin_timestamp_of_milliseconds(column) %}make_timestamp(cast({{ column }} as bigint) * 1000){% endmacro %}

{# The elements of a JSON array as rows `element`; none where it is null or no array. To be joined laterally. #}
{% macro devin_elements(column) %}{{ return(adapter.dispatch('devin_elements', 'devin')(column)) }}{% endmacro %}
{% macro default__devin_elements(column) %}
(select value as element from jsonb_array_elements(
  case when jsonb_typeof(cast({{ column }} as jsonb)) = 'array' then cast({{ column }} as jsonb) else '[]'::jsonb end))
{% endmacro %}
{% macro duckdb__devin_elements(column) %}
(select unnest(cast(case when json_type(cast({{ column }} as json)) = 'ARRAY' then cast({{ column }} as json) else '[]' end as json[])) as element)
{% endmacro %}

{# A member of a JSON object as text; null where it is null or missing. #}
{% macro devin_text(column, key) %}{{ return(adapter.dispatch('devin_text', 'devin')(column, key)) }}{% endmacro %}
{% macro default__devin_text(column, key) %}(cast({{ column }} as jsonb) ->> '{{ key }}'){% endmacro %}
{% macro duckdb__devin_text(column, key) %}(cast({{ column }} as json) ->> '{{ key }}'){% endmacro %}

{# Seconds from one timestamp to another, with their fraction. #}
{% macro devin_seconds(from, to) %}{{ return(adapter.dispatch('devin_seconds', 'devin')(from, to)) }}{% endmacro %}
{% macro default__devin_seconds(from, to) %}cast(extract(epoch from ({{ to }} - {{ from }})) as double precision){% endmacro %}
{% macro duckdb__devin_seconds(from, to) %}cast(epoch({{ to }}) - epoch({{ from }}) as double){% endmacro %}

{# A member of a JSON object, as JSON. #}
{% macro devin_member(column, key) %}{{ return(adapter.dispatch('devin_member', 'devin')(column, key)) }}{% endmacro %}
{% macro default__devin_member(column, key) %}(cast({{ column }} as jsonb) -> '{{ key }}'){% endmacro %}
{% macro duckdb__devin_member(column, key) %}(cast({{ column }} as json) -> '{{ key }}'){% endmacro %}

{# The text of a JSON string; null for null. #}
{% macro devin_string(element) %}{{ return(adapter.dispatch('devin_string', 'devin')(element)) }}{% endmacro %}
{% macro default__devin_string(element) %}({{ element }} #>> '{}'){% endmacro %}
{% macro duckdb__devin_string(element) %}({{ element }} ->> '$'){% endmacro %}
