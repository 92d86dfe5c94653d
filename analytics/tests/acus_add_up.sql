-- What the days and the teams come to is what the sessions come to: nothing is counted twice or left out.
with sums as (
  select
    (select coalesce(sum(acus_consumed), 0) from {{ ref('stg_devin__sessions') }} where created_at is not null) as of_sessions,
    (select coalesce(sum(acus_consumed), 0) from {{ ref('kpi_daily') }}) as of_days,
    (select coalesce(sum(acus_consumed), 0) from {{ ref('kpi_by_team') }}) as of_teams
)
select * from sums where of_days <> of_sessions or of_teams <> of_sessions
