"""The page: pictures first, the number that matters in each title, tables below. One file, no script, no network."""

from __future__ import annotations

import datetime as dt
from html import escape
from pathlib import Path
from typing import Any, Iterable
from urllib.parse import urlsplit

from charts import Series, lines, lying, number, stacks
from data import Data, total

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
# How far back the pictures go, in weeks.
WEEKS = 26


def page(data: Data) -> str:
    if not data.days:
        return document("Devin", "<main><h1>Devin</h1><p>There is no session in the data yet.</p></main>")
    body = f"<header><h1>Devin, up to {day(data.today)}</h1><p>{escape(period(data))}</p></header><main>"
    body += f'<section class="tiles">{"".join(tiles(data))}</section>'
    body += f'<section class="pictures">{"".join(pictures(data))}</section>'
    body += f'<section class="tables">{"".join(tables(data))}</section></main>'
    body += (
        "<footer><p>Days and weeks are in UTC. A session counts on the day of its creation, with all the ACUs that it has "
        "used since. A pull request counts as merged on the day on which it was first seen merged, which may be later "
        "than the merge. Every figure is defined in docs/metrics.md of source-devin-ai.</p></footer>"
    )
    return document(f"Devin, up to {day(data.today)}", body)


def tiles(data: Data) -> Iterable[str]:
    """The last 30 days beside the 30 before."""
    now, before = data.last(30), data.last(30, before=30)
    is_whole = len(before) == 30
    yield tile("Sessions", total(now, "sessions"), total(before, "sessions") if is_whole else None)
    yield tile("ACUs", total(now, "acus_consumed"), total(before, "acus_consumed") if is_whole else None)
    if any(row["cost"] is not None for row in now):
        yield tile("Cost", total(now, "cost"), total(before, "cost") if is_whole else None)
    yield tile("Pull requests merged", total(now, "pull_requests_merged"), total(before, "pull_requests_merged") if is_whole else None)
    yield tile("Merged of requested", share(now), share(before) if is_whole else None, percent=True)
    yield tile("Active people", now[-1]["monthly_active_users"], before[-1]["monthly_active_users"] if is_whole else None)


def tile(name: str, now: float | None, before: float | None, percent: bool = False) -> str:
    shown = "–" if now is None else f"{now:.0%}" if percent else number(float(now))
    change = ""
    if now is not None and before is not None:
        if percent:
            points = round(100 * (now - before))
            change = f"{points:+d} points" if points else "as before"
        elif before:
            grown = round(100 * (float(now) / float(before) - 1))
            change = f"{grown:+d} %" if grown else "as before"
    return f"<div><h2>{escape(name)}</h2><p class=figure>{shown}</p><p class=change>{change or '&nbsp;'}</p></div>"


def share(rows: list[dict[str, Any]]) -> float | None:
    requested = total(rows, "requested_pull_requests")
    return total(rows, "requested_pull_requests_merged") / requested if requested else None


def pictures(data: Data) -> Iterable[str]:
    weeks = data.weeks[-WEEKS:]
    labels = [short(row["week"]) for row in weeks]

    def column(name: str) -> list[float | None]:
        return [None if row[name] is None else row[name] for row in weeks]

    acus = total(weeks, "acus")
    is_metered = any(value is not None for value in column("metered"))
    used = [of_sessions if metered is None else metered for metered, of_sessions in zip(column("metered"), column("acus"))]
    yield picture(
        f"{number(sum(used))} ACUs in {len(weeks)} weeks, {number(acus / max(1, total(weeks, 'sessions')))} a session",
        "As Devin meters them, by the week in which they were used; of the sessions created in it where that is not read."
        if is_metered
        else "ACUs of the sessions created in each week. The newest weeks still grow.",
        stacks(labels, [Series("ACUs", "one", used)]),
    )
    if data.forecast:
        yield forecast(data)
    requested, merged = total(weeks, "requested"), total(weeks, "requested_merged")
    yield picture(
        f"{number(merged)} of {number(requested)} pull requests were merged" + (f" ({merged / requested:.0%})" if requested else ""),
        "Pull requests of the sessions created in each week.",
        stacks(
            labels,
            [
                Series("merged", "one", column("requested_merged")),
                Series("not merged", "pale", [a - b for a, b in zip(column("requested"), column("requested_merged"))]),
            ],
        ),
    )
    times = {row["week"]: row for row in data.merge_times}
    p50 = [times[row["week"]]["p50"] if row["week"] in times else None for row in weeks]
    p90 = [times[row["week"]]["p90"] if row["week"] in times else None for row in weeks]
    if any(value is not None for value in p50):
        newest = next(value for value in reversed(p50) if value is not None)
        yield picture(
            f"Half are merged within {hours(newest)} of the request",
            "Hours from a session's creation to the merge, for the pull requests merged in each week.",
            lines(labels, [Series("half", "one", p50), Series("nine of ten", "two", p90)], " h"),
        )
    costs = [row["acus"] / row["requested_merged"] if row["requested_merged"] else None for row in weeks]
    if merged:
        yield picture(
            f"A merged pull request takes {number(acus / merged)} ACUs",
            "All ACUs of a week's sessions by their merged pull requests.",
            lines(labels, [Series("ACUs per merged pull request", "one", costs)]),
        )
    days = data.days[-7 * WEEKS :]
    people = days[-1]["monthly_active_users"]
    yield picture(
        f"{people} of {data.seats} people used Devin in the last 30 days" if data.seats >= people and data.seats else
        f"{people} {'person' if people == 1 else 'people'} used Devin in the last 30 days",
        "People who started a session or wrote to one.",
        lines(
            [short(row["day"]) for row in days],
            [
                Series("in 30 days", "pale", [row["monthly_active_users"] for row in days]),
                Series("in 7 days", "one", [row["weekly_active_users"] for row in days]),
            ],
        ),
    )
    if data.alerts["alerts"]:
        yield alerts(data.alerts)
    elif total(weeks, "from_alerts"):
        count = total(weeks, "from_alerts")
        yield picture(
            f"Alerts started {number(count)} {'session' if count == 1 else 'sessions'}",
            "Sessions that alert-relay has started, by week of creation.",
            stacks(labels, [Series("sessions", "two", column("from_alerts"))]),
        )
    waited = total(weeks, "waited")
    if waited:
        yield picture(
            f"Devin waited {number(waited)} hours for people",
            "From Devin's last message to the answer, in sessions created in each week.",
            stacks(labels, [Series("hours", "two", column("waited"))], " h"),
        )
    if data.playbooks:
        by_merges = sorted(data.playbooks, key=lambda row: (-row["merged_pull_requests"], row["title"]))
        best = by_merges[0]
        yield picture(
            f"{best['title']} brings the most merged pull requests ({best['merged_pull_requests']})",
            "Merged pull requests by playbook, and the part of those requested that they are.",
            lying([(row["title"], row["merged_pull_requests"], told(row)) for row in by_merges], "one"),
        )
    if len(data.teams) > 1:
        first = next(row["team"] for row in data.teams if row["team"] != "(no team)")
        yield picture(
            f"{first} uses the most ACUs of all teams",
            "ACUs by team.",
            lying([(row["team"], row["acus"], f"{number(row['acus'])} ACUs") for row in data.teams], "one"),
        )
    if data.limits:
        count = sum(row["sessions"] for row in data.limits)
        yield picture(
            f"{count} {'session was' if count == 1 else 'sessions were'} suspended by a limit",
            "Sessions that stand still because of quota, credits, a limit or a payment.",
            lying([(row["reason"].replace("_", " "), row["sessions"], str(row["sessions"])) for row in data.limits], "two"),
        )


def alerts(known: dict[str, Any]) -> str:
    """From alerts to merged pull requests, and how long that takes."""
    count, requests = known["alerts"], known["pull_requests"]
    steps = [("alerts", count), ("with a session", known["sessions"]), ("with a pull request", requests), ("merged", known["merged"])]
    rows = [(name, float(value), f"{number(value)} ({value / count:.0%})") for name, value in steps]
    speed = ""
    if known["p50"] is not None:
        speed = f" Half of the pull requests came within {hours(known['p50'] / 60)} of the alert, nine of ten within {hours(known['p90'] / 60)}."
    return picture(
        f"Of {number(count)} {'alert' if count == 1 else 'alerts'}, {number(requests)} {'has' if requests == 1 else 'have'} a pull request",
        f"What became of the alerts that the bridge knows.{speed}",
        lying(rows, "two"),
    )


def forecast(data: Data) -> str:
    known = data.forecast
    month, name = f"{known['cycle_start']:%B %Y}", f"{known['cycle_start']:%B %Y}"
    if known["cycle_source"] == "consumption_cycles":
        month = f"The cycle from {short(known['cycle_start'])} to {short(known['cycle_end'] - dt.timedelta(days=1))}"
        name = "this cycle"
    rows = [(f"{name}, so far", float(known["acus_so_far"]), f"{number(known['acus_so_far'])}")]
    rows.append(("forecast", float(known["forecast_acus"] or 0), f"{number((known['forecast_acus'] or 0))}"))
    if known["cycle_acus"] is not None:
        rows.append(("included", float(known["cycle_acus"]), number(float(known["cycle_acus"]))))
    interval = ""
    if known["days_left"] and known["forecast_high"] is not None:
        interval = f", 95 % between {number(known['forecast_low'])} and {number(known['forecast_high'])}"
    left = f"{known['days_left']} days are left" if known["days_left"] != 1 else "1 day is left"
    return picture(
        f"{month} will come to {number((known['forecast_acus'] or 0))} ACUs",
        f"{left}, at the mean of the last {known['days_of_run_rate']} days{interval}.",
        lying(rows, "one"),
    )


def tables(data: Data) -> Iterable[str]:
    has_cost = any(row["cost"] is not None for row in data.teams)
    has_teams = len(data.teams) > 1
    if has_teams:
        yield table(
            "Teams",
            ["Team", "Sessions", "ACUs"] + ["Cost"] * has_cost + ["Pull requests", "Merged"],
            [
                [row["team"], row["sessions"], row["acus"]] + [row["cost"] or 0] * has_cost + [row["pull_requests"], row["merged"]]
                for row in data.teams
            ],
        )
    yield table(
        "Users",
        ["Name"] + ["Team"] * has_teams + ["Sessions", "ACUs", "Merged"],
        [
            [row["name"]] + [row["team"]] * has_teams + [row["sessions"], row["acus_consumed"], row["merged"]]
            for row in data.users
        ],
    )
    yield table(
        "Playbooks",
        ["Playbook", "Sessions", "ACUs", "Pull requests", "Merged"],
        [[row["title"], row["sessions"], row["acus_consumed"], row["pull_requests"], row["merged_pull_requests"]] for row in data.playbooks],
    )
    if data.blocked:
        yield table(
            "Sessions that wait for a person, the longest first",
            ["Session", "Waits for", "Since", "Started by", "ACUs"],
            [
                [Link(row["title"] or "(no title)", row["url"]), row["status_detail"].replace("waiting_for_", ""), Plain(f"{row['updated_at']:%Y-%m-%d %H:%M}"),
                 data.people.get(row["created_by"], row["created_by"] or ""), row["acus_consumed"]]
                for row in data.blocked
            ],
        )  # fmt: skip


class Plain(str):
    """A text that stays on one line."""


class Link:
    """A name that leads somewhere, if where is a web page."""

    def __init__(self, name: str, url: str | None):
        self.name, self.url = name, url

    def __str__(self) -> str:
        if self.url and urlsplit(self.url).scheme in ("http", "https"):
            return f'<a href="{escape(self.url, True)}" rel="noopener noreferrer">{escape(self.name)}</a>'
        return escape(self.name)


def table(title: str, heads: list[str], rows: list[list[Any]]) -> str:
    head = "".join(f"<th scope=col{'' if at == 0 else ' class=n' if rows and is_number(rows[0][at]) else ''}>{escape(name)}</th>" for at, name in enumerate(heads))
    body = "".join(f"<tr>{''.join(cell(value) for value in row)}</tr>" for row in rows)
    return f"<div><h2>{escape(title)}</h2><div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"


def is_number(value: Any) -> bool:
    return not isinstance(value, (str, Link))


def cell(value: Any) -> str:
    if isinstance(value, Link):
        return f"<td>{value}</td>"
    if isinstance(value, Plain):
        return f"<td class=o>{escape(value)}</td>"
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    return f"<td class=n>{number(float(value))}</td>"


def picture(title: str, caption: str, drawn: str) -> str:
    return f"<figure><h2>{escape(title)}</h2><figcaption>{escape(caption)}</figcaption>{drawn}</figure>"


def rate(row: dict[str, Any]) -> float:
    return row["merged_pull_requests"] / row["pull_requests"] if row["pull_requests"] else 0


def told(row: dict[str, Any]) -> str:
    return f"{rate(row):.0%} ({row['merged_pull_requests']} of {row['pull_requests']})" if row["pull_requests"] else "no pull request"


def hours(value: float) -> str:
    if value < 1:
        return f"{value * 60:.0f} minutes"
    return f"{value:.1f} hours" if value < 48 else f"{value / 24:.1f} days"


def period(data: Data) -> str:
    return f"The last 30 days beside the 30 before, then {min(WEEKS, len(data.weeks))} weeks. The data begin on {day(data.days[0]['day'])}."


def day(value: dt.date) -> str:
    return f"{value:%B} {value.day}, {value.year}"


def short(value: dt.date) -> str:
    return f"{value:%b} {value.day}"


def document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n'
    )
