"""What the report shows, from the marts of the dbt package: each figure is computed there, once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable

Rows = list[dict[str, Any]]


def duckdb_rows(file: Path) -> Callable[[str], Rows]:
    import duckdb

    connection = duckdb.connect(str(file), read_only=True)

    def ask(query: str) -> Rows:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        return [named(names, row) for row in cursor.fetchall()]

    return ask


def postgres_rows(schema: str) -> Callable[[str], Rows]:
    import psycopg2
    from psycopg2 import sql

    connection = psycopg2.connect("")
    connection.set_session(readonly=True)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))

    def ask(query: str) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(query)
            names = [column[0] for column in cursor.description]
            return [named(names, row) for row in cursor.fetchall()]

    return ask


def named(names: list[str], row: tuple) -> dict[str, Any]:
    return dict(zip(names, map(plain, row)))


def plain(value: Any) -> Any:
    """The databases differ in which sums are decimals."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


class Data:
    """Everything that the report needs. Without a session it has no days, and the report says so."""

    def __init__(self, ask: Callable[[str], Rows]):
        self.days = ask("select * from kpi_daily order by day")
        self.weeks = ask(
            """
            select cast(date_trunc('week', day) as date) as week, sum(sessions) as sessions, sum(acus_consumed) as acus,
              sum(requested_pull_requests) as requested, sum(requested_pull_requests_merged) as requested_merged,
              sum(pull_requests_opened) as opened, sum(pull_requests_merged) as merged,
              sum(acus_metered) as metered, sum(sessions_from_alerts) as from_alerts, sum(sessions_at_a_limit) as at_a_limit, sum(hours_devin_waited) as waited, sum(cost) as cost,
              max(weekly_active_users) as most_weekly_users
            from kpi_daily group by 1 order by 1
            """
        )
        self.merge_times = ask(
            """
            select cast(date_trunc('week', merged_at) as date) as week, count(*) as merged,
              percentile_cont(0.5) within group (order by hours_to_merge) as p50,
              percentile_cont(0.9) within group (order by hours_to_merge) as p90
            from fct_pull_requests where merged_at is not null group by 1 order by 1
            """
        )
        self.playbooks = ask(
            "select * from dim_playbooks where sessions > 0 order by acus_consumed desc, playbook_id limit 10"
        )
        self.users = ask(
            """
            select users.user_id, users.name, users.kind, users.team, users.sessions, users.acus_consumed,
              coalesce(sum(case when requests.is_merged then 1 else 0 end), 0) as merged
            from dim_users as users left join fct_pull_requests as requests on requests.created_by = users.user_id
            where users.sessions > 0 group by 1, 2, 3, 4, 5, 6 order by users.acus_consumed desc, users.user_id limit 15
            """
        )
        self.teams = ask(
            """
            select team, sum(sessions) as sessions, sum(acus_consumed) as acus, sum(cost) as cost,
              sum(pull_requests) as pull_requests, sum(merged_pull_requests) as merged
            from kpi_by_team group by team
            order by case when team = '(no team)' then 1 else 0 end, sum(acus_consumed) desc, team
            """
        )
        self.limits = ask(
            """
            select status_detail as reason, count(*) as sessions from fct_sessions where hit_a_limit
            group by status_detail order by count(*) desc, status_detail
            """
        )
        self.blocked = ask(
            """
            select title, url, status_detail, created_by, updated_at, acus_consumed from fct_sessions
            where is_blocked order by updated_at, session_id limit 15
            """
        )
        self.alerts = next(iter(ask(
            """
            select count(*) as alerts, sum(case when has_session then 1 else 0 end) as sessions,
              sum(case when has_pull_request then 1 else 0 end) as pull_requests,
              sum(case when has_merged_pull_request then 1 else 0 end) as merged,
              percentile_cont(0.5) within group (order by minutes_to_pull_request) as p50,
              percentile_cont(0.9) within group (order by minutes_to_pull_request) as p90
            from fct_alerts
            """
        )))  # fmt: skip
        self.seats = next(iter(ask("select count(*) as seats from dim_users where is_member")))["seats"]
        self.people = {row["user_id"]: row["name"] for row in ask("select user_id, name from dim_users")}
        self.forecast = next(iter(ask("select * from forecast")), None)

    @property
    def today(self) -> dt.date:
        """The newest day in the data: the report never asks a clock."""
        return self.days[-1]["day"]

    def last(self, days: int, before: int = 0) -> Rows:
        """The rows of so many days, up to `before` days before the newest one."""
        end = len(self.days) - before
        return self.days[max(0, end - days) : max(0, end)]


def total(rows: Rows, column: str) -> float:
    return float(sum(row[column] or 0 for row in rows))
