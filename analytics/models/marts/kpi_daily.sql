-- One row a UTC day. docs/metrics.md defines each column; those of sessions count by the day of their creation.
with sessions as (
  select
    created_on as day,
    count(*) as sessions,
    sum(acus_consumed) as acus_consumed,
    sum(cost) as cost,
    sum(case when has_ended then 1 else 0 end) as ended_sessions,
    sum(case when pull_requests > 0 then 1 else 0 end) as sessions_with_pull_request,
    sum(case when merged_pull_requests > 0 then 1 else 0 end) as sessions_that_shipped,
    sum(case when has_ended and merged_pull_requests > 0 then 1 else 0 end) as ended_sessions_that_shipped,
    sum(pull_requests) as requested_pull_requests,
    sum(merged_pull_requests) as requested_pull_requests_merged,
    sum(case when playbook_id is not null then 1 else 0 end) as sessions_with_playbook,
    sum(case when is_automated then 1 else 0 end) as automated_sessions,
    sum(case when is_from_alert then 1 else 0 end) as sessions_from_alerts,
    sum(case when is_from_alert and pull_requests > 0 then 1 else 0 end) as sessions_from_alerts_with_pull_request,
    sum(case when session_size in ('l', 'xl') then 1 else 0 end) as large_sessions,
    sum(case when is_blocked then 1 else 0 end) as blocked_sessions,
    sum(case when has_failed then 1 else 0 end) as failed_sessions,
    sum(case when hit_a_limit then 1 else 0 end) as sessions_at_a_limit,
    sum(coalesce(user_messages, 0) + coalesce(devin_messages, 0)) as messages,
    sum(coalesce(waited_seconds, 0)) / 3600 as hours_devin_waited
  from {{ ref('fct_sessions') }}
  group by created_on
),
opened as (
  select cast(opened_at as date) as day, count(*) as pull_requests_opened
  from {{ ref('fct_pull_requests') }}
  group by cast(opened_at as date)
),
merged as (
  select cast(merged_at as date) as day, count(*) as pull_requests_merged,
    percentile_cont(0.5) within group (order by hours_to_merge) as p50_hours_to_merge,
    percentile_cont(0.9) within group (order by hours_to_merge) as p90_hours_to_merge,
    percentile_cont(0.5) within group (order by hours_from_open_to_merge) as p50_hours_from_open_to_merge,
    percentile_cont(0.9) within group (order by hours_from_open_to_merge) as p90_hours_from_open_to_merge
  from {{ ref('fct_pull_requests') }}
  where merged_at is not null
  group by cast(merged_at as date)
),
active as (
  select days.day,
    count(distinct case when activity.day = days.day then activity.user_id end) as daily_active_users,
    count(distinct case when activity.day > days.day - 7 then activity.user_id end) as weekly_active_users,
    count(distinct activity.user_id) as monthly_active_users
  from {{ ref('days') }} as days
  left join {{ ref('fct_activity_daily') }} as activity on activity.day > days.day - 30 and activity.day <= days.day
  group by days.day
),
-- As Devin counts them: of the day, and of the last week and month that were over when the day was.
counted as (
  select day,
    max(case when period = 'dau' then active_users end) as daily,
    max(case when period = 'wau' then active_users end) as weekly,
    max(case when period = 'mau' then active_users end) as monthly
  from (
    select days.day, periods.period, periods.active_users,
      row_number() over (partition by days.day, periods.period order by periods.last_on desc, periods.first_on desc) as place
    from {{ ref('days') }} as days
    inner join {{ ref('stg_devin__active_users') }} as periods on periods.last_on <= days.day
      and periods.last_on > days.day - case periods.period when 'dau' then 1 when 'wau' then 7 else 31 end
  ) as ranked
  where place = 1
  group by day
),
seats as (
  select coalesce({{ devin_number('devin_seats') }}, nullif(count(*), 0)) as seats from {{ ref('stg_devin__members') }}
),
metered as (
  select day, sum(acus) as acus
  from {{ ref('fct_consumption_daily') }}
  where source <> 'sessions'
  group by day
),
alerts as (
  select first_on as day,
    count(*) as alerts,
    sum(case when has_session then 1 else 0 end) as alerts_with_session,
    sum(case when has_pull_request then 1 else 0 end) as alerts_with_pull_request,
    sum(case when has_merged_pull_request then 1 else 0 end) as alerts_with_merged_pull_request,
    percentile_cont(0.5) within group (order by minutes_to_pull_request) as p50_minutes,
    percentile_cont(0.9) within group (order by minutes_to_pull_request) as p90_minutes
  from {{ ref('fct_alerts') }}
  group by first_on
),
bridge as (
  select count(*) > 0 as is_read from {{ ref('fct_alerts') }}
)
select
  days.day,
  coalesce(sessions.sessions, 0) as sessions,
  coalesce(sessions.ended_sessions, 0) as ended_sessions,
  coalesce(sessions.acus_consumed, 0) as acus_consumed,
  sessions.cost,
  metered.acus as acus_metered,
  {{ devin_ratio('sessions.acus_consumed', 'sessions.sessions') }} as acus_per_session,
  {{ devin_ratio('sessions.acus_consumed', 'sessions.requested_pull_requests_merged') }} as acus_per_merged_pull_request,
  coalesce(sessions.sessions_with_pull_request, 0) as sessions_with_pull_request,
  coalesce(sessions.sessions_that_shipped, 0) as sessions_that_shipped,
  coalesce(sessions.ended_sessions_that_shipped, 0) as ended_sessions_that_shipped,
  coalesce(sessions.requested_pull_requests, 0) as requested_pull_requests,
  coalesce(sessions.requested_pull_requests_merged, 0) as requested_pull_requests_merged,
  {{ devin_ratio('sessions.requested_pull_requests_merged', 'sessions.requested_pull_requests') }} as merge_rate,
  coalesce(opened.pull_requests_opened, 0) as pull_requests_opened,
  coalesce(merged.pull_requests_merged, 0) as pull_requests_merged,
  merged.p50_hours_to_merge,
  merged.p90_hours_to_merge,
  merged.p50_hours_from_open_to_merge,
  merged.p90_hours_from_open_to_merge,
  active.daily_active_users,
  active.weekly_active_users,
  active.monthly_active_users,
  {{ devin_ratio('active.daily_active_users', 'active.monthly_active_users') }} as stickiness,
  {{ devin_ratio('active.monthly_active_users', 'seats.seats') }} as active_of_seats,
  counted.daily as daily_active_users_of_devin,
  counted.weekly as weekly_active_users_of_devin,
  counted.monthly as monthly_active_users_of_devin,
  {{ devin_ratio('counted.daily', 'counted.monthly') }} as stickiness_of_devin,
  {{ devin_ratio('sessions.automated_sessions', 'sessions.sessions') }} as automation_share,
  {{ devin_ratio('sessions.sessions_with_playbook', 'sessions.sessions') }} as playbook_share,
  {{ devin_ratio('sessions.large_sessions', 'sessions.sessions') }} as large_share,
  {{ devin_ratio('sessions.blocked_sessions', 'sessions.sessions') }} as blocked_share,
  {{ devin_ratio('sessions.failed_sessions', 'sessions.sessions') }} as failed_share,
  {{ devin_ratio('sessions.messages', 'sessions.sessions') }} as messages_per_session,
  coalesce(sessions.sessions_at_a_limit, 0) as sessions_at_a_limit,
  coalesce(sessions.hours_devin_waited, 0) as hours_devin_waited,
  coalesce(sessions.sessions_from_alerts, 0) as sessions_from_alerts,
  coalesce(sessions.sessions_from_alerts_with_pull_request, 0) as sessions_from_alerts_with_pull_request,
  case when bridge.is_read then coalesce(alerts.alerts, 0) end as alerts,
  case when bridge.is_read then coalesce(alerts.alerts_with_session, 0) end as alerts_with_session,
  case when bridge.is_read then coalesce(alerts.alerts_with_pull_request, 0) end as alerts_with_pull_request,
  case when bridge.is_read then coalesce(alerts.alerts_with_merged_pull_request, 0) end as alerts_with_merged_pull_request,
  alerts.p50_minutes as p50_minutes_from_alert_to_pull_request,
  alerts.p90_minutes as p90_minutes_from_alert_to_pull_request
from {{ ref('days') }} as days
left join sessions on sessions.day = days.day
left join opened on opened.day = days.day
left join merged on merged.day = days.day
left join active on active.day = days.day
left join counted on counted.day = days.day
left join metered on metered.day = days.day
left join alerts on alerts.day = days.day
cross join seats
cross join bridge
