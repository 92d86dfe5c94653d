"""Checks the dbt package in analytics/ and its report: every figure of docs/metrics.md is worked out a second time in plain
Python, on DuckDB and PostgreSQL. Started by tests/analytics/run. dbt runs in this process, and parses once for each database
and each set of variables."""

import collections
import contextlib
import datetime
import html.parser
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import duckdb
import psycopg2
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "analytics"
STREAMS = ["sessions_insights", "session_messages", "playbooks"]
# What not everybody reads; the cycles need a key of the enterprise.
FURTHER = ["members", "consumption_daily", "consumption_daily_users", "active_users"]
ENTERPRISE_KEY = "cog_sandbox_not_a_real_enterprise_key"
DATABASES = ["duckdb", "postgres"]
LIMITS = {"out_of_credits", "out_of_quota", "no_quota_allocation", "usage_limit_exceeded", "org_usage_limit_exceeded",
          "total_session_limit_exceeded", "payment_declined", "user_usage_limit_exceeded", "contract_expired"}  # fmt: skip
FURTHEST = ["merged", "closed", "open", "draft", "unknown"]
WHERE = {"PGHOST": parse_qs(urlsplit(os.environ["RELAY_POSTGRES"]).query)["host"][0], "PGUSER": "relay", "PGDATABASE": "postgres"}
for name in [name for name in os.environ if name.startswith("DEVIN_")]:
    del os.environ[name]
# Whatever the time zone of the machine is, days are UTC days.
os.environ.update(WHERE, DO_NOT_TRACK="1", TZ="Pacific/Auckland", PGTZ="Pacific/Auckland")
time.tzset()


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def read(folder, sessions, seed):
    """The records of a simulated organization, with everything that the package can make use of."""
    with subprocess.Popen(["source-devin-ai", "sandbox", "--sessions", str(sessions), "--seed", str(seed)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as sandbox:  # fmt: skip
        try:
            settings = json.loads(sandbox.stdout.readline()) | {"start_date": "2025-11-01T00:00:00Z"}
            told = folder.with_suffix(".json")
            told.write_text(json.dumps(settings), encoding="utf-8")
            run("source-devin-ai", "read", "--config", told, "--streams", ",".join(STREAMS + FURTHER), "--output", folder)
            told.write_text(json.dumps(settings | {"api_token": ENTERPRISE_KEY}), encoding="utf-8")
            cycles = run("source-devin-ai", "read", "--config", told, "--streams", "consumption_cycles", "--format", "records")
            (folder / "consumption_cycles.jsonl").write_text(cycles, encoding="utf-8")
        finally:
            sandbox.terminate()
    (folder / "relay_alerts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in alerts(folder)), encoding="utf-8")


def alerts(folder):
    """What a bridge would know of the alerts that the simulated organization has sessions of, and of some that it has none of."""
    told = {}
    for line in (folder / "sessions_insights.jsonl").read_bytes().splitlines():
        session = json.loads(line)
        for tag in session["tags"]:
            if tag.startswith("ar-") and not tag.startswith("ar-a-"):
                came = session["created_at"] * 1000 - 2_500
                request = next((one["pr_url"] for one in session["pull_requests"]), None)
                seen = came + (session["updated_at"] - session["created_at"]) * 500
                job = {"rule": "default", "phase": "settled", "held": None, "created_at": came, "started_at": came, "pr_at": seen if request else None,
                       "settled_at": seen, "session_id": session["session_id"], "pr_url": request, "result": "pr_opened" if request else "ended"}  # fmt: skip
                told[tag] = {"tag": tag, "dedupe_key": f"generic:{tag[3:9]}", "route": "generic", "title": session["title"] or "An alert",
                             "severity": "high", "state": "resolved", "first_at": came, "last_at": came, "responder": None, "job": job}  # fmt: skip
                if len(told) % 5 == 0:
                    none = f"ar-{len(told):026x}"
                    told[none] = told[tag] | {"tag": none, "dedupe_key": f"generic:{none}", "job": None}
    return told.values()


class Built:
    """The marts of a folder of records, in one of the two databases."""

    def __init__(self, folder, database):
        self.folder, self.database = folder, database
        self.place = ["--duckdb", folder / "devin.duckdb"] if database == "duckdb" else ["--postgres", "devin"]

    def load(self, anew=True):
        """Replaces the tables, and unless told otherwise forgets the marts."""
        if anew and self.database == "postgres":
            with psycopg2.connect("") as connection, connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA IF EXISTS devin CASCADE")
        elif anew:
            (self.folder / "devin.duckdb").unlink(missing_ok=True)
        run(sys.executable, PACKAGE / "load", self.folder, *self.place)
        return self

    # What dbt has read of the package, by database and variables.
    parsed = {}

    def dbt(self, command="run", **variables):
        os.environ["DEVIN_DUCKDB"] = str(self.folder / "devin.duckdb")
        told = ["--target", self.database, "--threads", "4", "--vars", json.dumps(variables), "--project-dir", str(PACKAGE), "--profiles-dir",
                str(PACKAGE), "--target-path", str(self.folder.parent / "target"), "--log-path", str(self.folder.parent / "logs"),
                "--log-level", "none", "--no-version-check"]  # fmt: skip
        known = (self.database, json.dumps(variables))
        if known not in self.parsed:
            self.parsed[known] = self.invoke(None, "parse", "--no-partial-parse", *told)
        self.invoke(self.parsed[known].deepcopy(), command, *told)
        return self

    @staticmethod
    def invoke(manifest, *arguments):
        with contextlib.redirect_stdout(sys.stderr):
            done = dbtRunner(manifest=manifest).invoke([*arguments])
        # Its hold on the file would keep others from it.
        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
            DuckDBConnectionManager.close_all_connections()
        if not done.success:
            failed = [f"{result.node.name}: {result.message}" for result in getattr(done.result, "results", []) if str(result.status) in ("error", "fail")]
            raise AssertionError(f"dbt {arguments[0]} failed: {done.exception or failed}")
        return done.result

    def rows(self, query):
        if self.database == "duckdb":
            with duckdb.connect(str(self.folder / "devin.duckdb"), read_only=True) as connection:
                cursor = connection.execute(query)
                names, rows = [column[0] for column in cursor.description], cursor.fetchall()
        else:
            connection = psycopg2.connect("")
            with connection, connection.cursor() as cursor:
                cursor.execute("SET search_path TO devin")
                cursor.execute(query)
                names, rows = [column[0] for column in cursor.description], cursor.fetchall()
            connection.close()
        return [dict(zip(names, row)) for row in rows]

    def report(self):
        return run(sys.executable, PACKAGE / "report", *self.place)


class Organization:
    """The same records, worked out without SQL, as docs/metrics.md says."""

    def __init__(self, folder):
        self.sessions = list(self.newest(folder, "sessions_insights", ["session_id"], "updated_at").values())
        self.playbooks = self.newest(folder, "playbooks", ["playbook_id"], "updated_at")
        self.messages = collections.defaultdict(list)
        for message in self.newest(folder, "session_messages", ["session_id", "event_id"], "created_at").values():
            self.messages[message["session_id"]].append(message)
        for messages in self.messages.values():
            messages.sort(key=lambda message: (message["created_at"], message["event_id"]))
        # When each state of a pull request was first seen: of every version that was read.
        self.sightings = {}
        for version in self.lines(folder, "sessions_insights"):
            for request in version["pull_requests"] or []:
                seen = (version["session_id"], request["pr_url"], request["pr_state"] or "unknown")
                self.sightings[seen] = min(self.sightings.get(seen, math.inf), version["updated_at"])
        self.requests = self.pull_requests()
        self.members = self.newest(folder, "members", ["user_id"], "")
        self.alerts = list(self.newest(folder, "relay_alerts", ["tag"], "last_at").values())
        self.cycles = [(day(one["after"]), day(one["before"])) for one in self.newest(folder, "consumption_cycles", ["id"], "").values()]
        self.periods = list(self.newest(folder, "active_users", ["id"], "").values())
        self.totals = {day(one["date"]): one["acus"] for one in self.newest(folder, "consumption_daily", ["id"], "").values()}
        self.of_members = {(day(one["date"]), one["user_id"]): one["acus"]
                           for one in self.newest(folder, "consumption_daily_users", ["id"], "").values()}  # fmt: skip
        moments = [one[name] for one in self.sessions for name in ("created_at", "updated_at") if one[name]]
        moments += [one["created_at"] for messages in self.messages.values() for one in messages]
        moments += [one["first_at"] / 1000 for one in self.alerts]
        self.days = []
        if moments:
            first, last = day(min(moments)), day(max(moments))
            self.days = [first + datetime.timedelta(days=step) for step in range((last - first).days + 1)]

    @staticmethod
    def lines(folder, stream):
        if not pathlib.Path(folder, f"{stream}.jsonl").exists():
            return []
        with open(pathlib.Path(folder, f"{stream}.jsonl"), encoding="utf-8") as file:
            return [json.loads(line, parse_float=Decimal) for line in file]

    def newest(self, folder, stream, keys, changed_at):
        found = {}
        for record in self.lines(folder, stream):
            key = tuple(record[name] for name in keys)
            if key not in found or (record.get(changed_at) or -1) >= (found[key].get(changed_at) or -1):
                found[key] = record
        return found

    def pull_requests(self):
        created = {one["session_id"]: (one["created_at"], one["session_id"]) for one in self.sessions}
        naming, states, announced = collections.defaultdict(set), collections.defaultdict(list), {}
        for session_id, url, _ in self.sightings:
            naming[url].add(session_id)
        for session in self.sessions:
            for request in session["pull_requests"] or []:
                states[request["pr_url"]].append(request["pr_state"] or "unknown")
        for url, sessions in naming.items():
            link = re.compile(re.escape(url) + r"(?!\d)")
            told = [message["created_at"] for one in sessions for message in self.messages[one]
                    if message["source"] == "devin" and link.search(message["message"])]  # fmt: skip
            announced[url] = min(told, default=None)
        requests = {}
        for url, sessions in naming.items():
            if url not in states:
                continue
            first = lambda wanted: min((at for (_, one, state), at in self.sightings.items() if one == url and wanted(state)), default=None)
            state = min(states[url], key=lambda state: FURTHEST.index(state) if state in FURTHEST else 4)
            state = state if state in FURTHEST else "unknown"
            requested_at, owner = min(created[one] for one in sessions)
            opened = min(at for at in (first(lambda state: True), announced[url]) if at is not None)
            merged = first(lambda state: state == "merged") if state == "merged" else None
            began = min((at for at in (first(lambda state: state != "merged"), announced[url]) if at is not None), default=None)
            open_hours = (merged - began) / 3600 if merged is not None and began is not None and began <= merged else None
            requests[url] = {
                "session_id": owner, "state": state, "opened_at": opened, "merged_at": merged,
                "hours_to_merge": (merged - requested_at) / 3600 if merged is not None else None,
                "hours_from_open_to_merge": open_hours,
            }  # fmt: skip
        return requests

    def of(self, session, state=None):
        return [one for one in self.requests.values() if one["session_id"] == session["session_id"] and state in (None, one["state"])]

    def consumption(self):
        """ACUs and where they are from, by day and user."""
        told = {*self.totals, *(when for when, _ in self.of_members)}
        found = {key: (acus, "consumption_daily_users") for key, acus in self.of_members.items() if acus}
        for when, acus in self.totals.items():
            of_members = [part for (of, _), part in self.of_members.items() if of == when and part]
            if not of_members or sum(of_members) != acus:
                found[when, None] = (acus - sum(of_members), "consumption_daily")
        for session in self.sessions:
            if session["created_at"] and not (told and min(told) <= day(session["created_at"]) <= max(told)):
                key = (day(session["created_at"]), session["user_id"] or session["service_user_id"])
                found[key] = (found.get(key, (0, ""))[0] + (session["acus_consumed"] or 0), "sessions")
        return found

    def minutes_to_pull_request(self, alert):
        job = alert["job"] or {}
        return (job["pr_at"] - job["created_at"]) / 60000 if job.get("pr_at") else None

    def of_devin(self, period, today):
        """The people of the day, or of the last week or month that was over when the day was."""
        longest = {"dau": 1, "wau": 7, "mau": 31}[period]
        over = [(day(one["end_time"] - 1), one["active_users"]) for one in self.periods if one["period"] == period]
        over = [one for one in over if today - datetime.timedelta(days=longest) < one[0] <= today]
        return max(over)[1] if over else None

    def waited(self, session):
        messages = self.messages[session["session_id"]]
        return sum(after["created_at"] - before["created_at"] for before, after in zip(messages, messages[1:])
                   if (before["source"], after["source"]) == ("devin", "user"))  # fmt: skip

    def daily(self):
        """What kpi_daily should say, by day."""
        active = collections.defaultdict(set)
        for session in self.sessions:
            if session["user_id"] and session["created_at"]:
                active[day(session["created_at"])].add(session["user_id"])
        for messages in self.messages.values():
            for message in messages:
                if message["source"] == "user" and message.get("user_id"):
                    active[day(message["created_at"])].add(message["user_id"])
        by_day = collections.defaultdict(list)
        for session in self.sessions:
            by_day[session["created_at"] and day(session["created_at"])].append(session)
        consumed = collections.defaultdict(list)
        for (when, _), (acus, source) in self.consumption().items():
            if source != "sessions":
                consumed[when].append(acus)
        expected = {}
        for today in self.days:
            sessions = by_day[today]
            count = lambda wanted: sum(bool(wanted(session)) for session in sessions)
            ratio = lambda part, whole: float(part) / float(whole) if whole else None
            acus = sum(session["acus_consumed"] or 0 for session in sessions)
            requested = sum(len(self.of(session)) for session in sessions)
            merged = sum(len(self.of(session, "merged")) for session in sessions)
            people = lambda days: len(set().union(*(active[today - datetime.timedelta(days=back)] for back in range(days))))
            merges = [one for one in self.requests.values() if one["merged_at"] is not None and day(one["merged_at"]) == today]
            alerts = [one for one in self.alerts if day(one["first_at"] // 1000) == today]
            told = lambda wanted: sum(bool(wanted(one["job"] or {})) for one in alerts) if self.alerts else None
            waits = [self.minutes_to_pull_request(one) for one in alerts]
            expected[today] = {
                "sessions": len(sessions),
                "ended_sessions": count(has_ended),
                "acus_consumed": acus,
                "acus_per_session": ratio(acus, len(sessions)),
                "acus_per_merged_pull_request": ratio(acus, merged),
                "sessions_with_pull_request": count(self.of),
                "sessions_that_shipped": count(lambda session: self.of(session, "merged")),
                "ended_sessions_that_shipped": count(lambda session: has_ended(session) and self.of(session, "merged")),
                "requested_pull_requests": requested,
                "requested_pull_requests_merged": merged,
                "merge_rate": ratio(merged, requested),
                "pull_requests_opened": sum(day(one["opened_at"]) == today for one in self.requests.values()),
                "pull_requests_merged": len(merges),
                "p50_hours_to_merge": quantile([one["hours_to_merge"] for one in merges], 0.5),
                "p90_hours_to_merge": quantile([one["hours_to_merge"] for one in merges], 0.9),
                "p50_hours_from_open_to_merge": quantile([one["hours_from_open_to_merge"] for one in merges], 0.5),
                "p90_hours_from_open_to_merge": quantile([one["hours_from_open_to_merge"] for one in merges], 0.9),
                "daily_active_users": people(1),
                "weekly_active_users": people(7),
                "monthly_active_users": people(30),
                "stickiness": ratio(people(1), people(30)),
                "automation_share": ratio(count(lambda session: session.get("automation_id") or session.get("origin") == "automation"), len(sessions)),
                "playbook_share": ratio(count(lambda session: session["playbook_id"]), len(sessions)),
                "large_share": ratio(count(lambda session: session.get("session_size") in ("l", "xl")), len(sessions)),
                "blocked_share": ratio(count(is_blocked), len(sessions)),
                "failed_share": ratio(count(lambda one: one["status"] == "error" or (one["status"], one["status_detail"]) == ("suspended", "error")), len(sessions)),
                "messages_per_session": ratio(sum((one["num_user_messages"] or 0) + (one["num_devin_messages"] or 0) for one in sessions), len(sessions)),
                "sessions_at_a_limit": count(lambda one: one["status"] == "suspended" and one["status_detail"] in LIMITS),
                "hours_devin_waited": sum(map(self.waited, sessions)) / 3600,
                "acus_metered": sum(consumed[today]) if consumed[today] else None,
                "active_of_seats": ratio(people(30), len(self.members)),
                "daily_active_users_of_devin": self.of_devin("dau", today),
                "weekly_active_users_of_devin": self.of_devin("wau", today),
                "monthly_active_users_of_devin": self.of_devin("mau", today),
                "stickiness_of_devin": ratio(self.of_devin("dau", today) or 0, self.of_devin("mau", today))
                if self.of_devin("dau", today) is not None else None,
                "sessions_from_alerts": count(is_from_alert),
                "sessions_from_alerts_with_pull_request": count(lambda one: is_from_alert(one) and self.of(one)),
                "alerts": told(lambda job: True),
                "alerts_with_session": told(lambda job: job.get("session_id")),
                "alerts_with_pull_request": told(lambda job: job.get("pr_url")),
                "alerts_with_merged_pull_request": told(lambda job: self.requests.get(job.get("pr_url"), {}).get("state") == "merged"),
                "p50_minutes_from_alert_to_pull_request": quantile(waits, 0.5),
                "p90_minutes_from_alert_to_pull_request": quantile(waits, 0.9),
            }  # fmt: skip
        return expected

    def categories(self):
        groups = collections.defaultdict(list)
        for session in self.sessions:
            analyzed = ((session["analysis"] or {}).get("classification") or {}).get("category")
            groups[session["category"] or analyzed or "(not classified)"].append(session)
        return {
            name: {
                "sessions": len(group),
                "acus_consumed": sum(session["acus_consumed"] or 0 for session in group),
                "ended_sessions": sum(map(has_ended, group)),
                "merged_pull_requests": sum(len(self.of(session, "merged")) for session in group),
            }
            for name, group in groups.items()
        }

    def users(self):
        names = {}
        for messages in self.messages.values():
            for message in messages:
                if message.get("user_id") and message.get("username"):
                    names[message["user_id"]] = max(names.get(message["user_id"], (-1, "")), (message["created_at"], message["username"]))
        groups = collections.defaultdict(list)
        for session in self.sessions:
            if session["user_id"] or session["service_user_id"]:
                groups[session["user_id"] or session["service_user_id"]].append(session)
        metered = collections.defaultdict(list)
        for (_, user), acus in self.of_members.items():
            metered[user].append(acus)
        named = lambda user: (self.members.get((user,)) or {}).get("name") or (self.members.get((user,)) or {}).get("email")
        return {
            user: {
                "name": named(user) or (names[user][1] if user in names else user),
                "is_member": (user,) in self.members,
                "acus_metered": sum(metered[user]) if user in metered else None,
                "sessions": len(groups[user]),
                "acus_consumed": sum(session["acus_consumed"] or 0 for session in groups[user]),
            }
            for user in {*groups, *names, *(user for (user,) in self.members), *metered}
        }

    def forecast(self):
        if not self.days:
            return None
        today = self.days[-1]
        first = today.replace(day=1)
        cycles = [cycle for cycle in self.cycles if cycle[0] <= today < cycle[1]]
        first, after = max(cycles) if cycles else (first, (first + datetime.timedelta(days=32)).replace(day=1))
        by_day, sources = collections.Counter(), set()
        for (when, _), (acus, source) in self.consumption().items():
            if self.days[0] <= when <= today:
                by_day[when] += acus
            if first <= when <= today:
                sources.add("sessions" if source == "sessions" else "consumption")
        recent = [float(by_day[when]) for when in self.days if 0 < (today - when).days <= 28]
        left = (after - today).days - 1
        rate = statistics.mean(recent) if recent else None
        spread = 1.96 * statistics.stdev(recent) * math.sqrt(left) if len(recent) > 1 else None
        so_far = float(sum(acus for when, acus in by_day.items() if when >= first))
        return {
            "cycle_start": first.isoformat(),
            "cycle_end": after.isoformat(),
            "cycle_source": "consumption_cycles" if cycles else "calendar month",
            "acus_source": " and ".join(sorted(sources)) or "sessions",
            "days_left": left,
            "acus_so_far": so_far,
            "acus_per_day": rate,
            "forecast_acus": so_far + rate * left if rate is not None else None,
            "forecast_low": so_far + max(0, rate * left - spread) if spread is not None else None,
            "forecast_high": so_far + rate * left + spread if spread is not None else None,
        }


def day(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).date()


def has_ended(session):
    return session["status"] in ("exit", "error", "suspended") or session["status_detail"] == "finished"


def is_from_alert(session):
    return any(tag.lower() == "alert-relay" for tag in session.get("tags") or [])


def is_blocked(session):
    return session["status"] not in ("exit", "error", "suspended") and session["status_detail"] in ("waiting_for_user", "waiting_for_approval")


def quantile(values, part):
    values = sorted(value for value in values if value is not None)
    if not values:
        return None
    place = part * (len(values) - 1)
    low = math.floor(place)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (place - low)


class Analytics(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.base = pathlib.Path(temporary.name)

    def organization(self, sessions, seed):
        """A folder with the records of an organization; read once, as nothing changes them."""
        path = self.base / f"organization-{sessions}-{seed}"
        if not path.exists():
            path.mkdir()
            read(path, sessions, seed)
        return path

    def written(self, name, records):
        path = self.base / name
        path.mkdir(exist_ok=True)
        for stream in dict.fromkeys([*STREAMS, *records]):
            lines = records.get(stream, [])
            (path / f"{stream}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    def same(self, found, expected, where):
        for name, right in expected.items():
            value = found[name]
            if right is None or value is None or isinstance(right, str):
                value = value.isoformat() if isinstance(value, datetime.date) else value
                self.assertEqual(value, right, f"{where}: {name}")
            else:
                self.assertTrue(math.isclose(value, right, rel_tol=1e-9, abs_tol=1e-9), f"{where}: {name} is {value}, not {right}")

    def agree(self, built, folder=None):
        """Every figure is what plain Python makes of the records."""
        known = Organization(folder or built.folder)
        daily = known.daily()
        found = {row["day"]: row for row in built.rows("select * from kpi_daily")}
        self.assertEqual(set(found), set(daily))
        self.assertTrue(not daily or set(next(iter(found.values()))) - set(next(iter(daily.values()))) == {"day", "cost"})
        for when, row in daily.items():
            self.same(found[when], row, f"{built.database} {when}")
        for table, key, right in [("kpi_by_category", "category", known.categories()), ("dim_users", "user_id", known.users())]:
            found = {row[key]: row for row in built.rows(f"select * from {table}")}
            self.assertEqual(set(found), set(right), table)
            for name, row in right.items():
                self.same(found[name], row, f"{built.database} {table} {name}")
        requests = {row["pr_url"]: row for row in built.rows("select * from fct_pull_requests")}
        self.assertEqual(set(requests), set(known.requests))
        for url, row in known.requests.items():
            self.same(requests[url], {name: row[name] for name in ("session_id", "state", "hours_to_merge", "hours_from_open_to_merge")}, url)
        consumed = {(row["day"], row["user_id"]): (row["acus"], row["source"]) for row in built.rows("select * from fct_consumption_daily")}
        expected = known.consumption()
        self.assertEqual(set(consumed), set(expected))
        for key, (acus, source) in expected.items():
            self.same(dict(zip(("acus", "source"), consumed[key])), {"acus": acus, "source": source}, f"{built.database} {key}")
        alerts = {row["alert_tag"]: row for row in built.rows("select * from fct_alerts")}
        self.assertEqual(set(alerts), {one["tag"] for one in known.alerts})
        for one in known.alerts:
            self.same(alerts[one["tag"]], {"minutes_to_pull_request": known.minutes_to_pull_request(one),
                                           "session_id": (one["job"] or {}).get("session_id"), "severity": one["severity"]}, one["tag"])  # fmt: skip
        right = known.forecast()
        rows = built.rows("select * from forecast")
        self.assertEqual(len(rows), 1 if right else 0)
        if right:
            self.same(rows[0], right, f"{built.database} forecast")

    def test_every_figure_is_that_of_plain_python(self):
        for database in DATABASES:
            with self.subTest(database=database):
                self.agree(Built(self.organization(36, 3), database).load().dbt("build"))

    def test_both_databases_give_the_same_report_and_twice_the_same(self):
        folder = self.organization(600, 1)
        built = {database: Built(folder, database).load().dbt() for database in DATABASES}
        self.agree(built["duckdb"])
        report = built["duckdb"].report()
        self.assertEqual(report, built["postgres"].report())
        self.dashboard_shows_something(built["postgres"])
        self.assertEqual(report, built["duckdb"].dbt().report())

    def dashboard_shows_something(self, built):
        """Every panel of Grafana's dashboard is told what it shows and in which unit, and its query gives rows with a value."""
        dashboard = json.loads((PACKAGE / "grafana/devin.json").read_text(encoding="utf-8"))
        self.assertGreater(len(dashboard["panels"]), 15)
        self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))
        taken = set()
        for panel in dashboard["panels"]:
            with self.subTest(panel=panel["title"]):
                self.assertTrue(panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"])
                place = panel["gridPos"]
                covered = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
                self.assertTrue(not covered & taken and max(x for x, _ in covered) < 24, "lies on another panel, or beside the grid")
                taken |= covered
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"], "${DS_DEVIN}")
                    query = target["rawSql"].replace("${schema}", "devin")
                    query = re.sub(r"\$__timeFilter\(([\w.]+)\)", r"\1 BETWEEN '2025-12-01T00:00:00Z' AND '2026-06-01T00:00:00Z'", query)
                    self.assertNotIn("$", query)
                    rows = built.rows(query)
                    self.assertTrue(any(value is not None for row in rows for name, value in row.items() if name != "time"), query)
                    if target["format"] == "time_series":
                        times = [row["time"] for row in rows]
                        self.assertTrue(times == sorted(times) and all(isinstance(time, datetime.datetime) for time in times), query)
                        values = [value for row in rows for name, value in row.items() if name != "time"]
                        self.assertTrue(all(value is None or isinstance(value, (int, float, Decimal)) for value in values), query)

    def test_an_organization_without_sessions_is_no_error(self):
        for database in DATABASES:
            built = Built(self.organization(0, 1), database).load().dbt()
            self.agree(built)
            self.assertIn("There is no session in the data yet.", built.report())

    def test_records_that_come_twice_count_once(self):
        source = self.organization(36, 3)
        folder = self.base / "twice"
        folder.mkdir()
        for file in source.glob("*.jsonl"):
            (folder / file.name).write_bytes(file.read_bytes() * 2)
        self.agree(Built(folder, "duckdb").load().dbt(), source)

    def test_a_merge_that_the_destination_has_forgotten_keeps_its_day(self):
        link = "https://git.example/a/b/pull/7"
        monday = int(datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc).timestamp())

        def version(updated_at, state):
            return session("a", monday, updated_at, pull_requests=[{"pr_url": link, "pr_state": state}])

        opened, merged, later = version(monday + 3600, "open"), version(monday + 7200, "merged"), version(monday + 90000, "merged")
        for database in DATABASES:
            with self.subTest(database=database):
                # Each load replaces what was there, as a destination that keeps one row a session does.
                for at, loaded in enumerate([[opened], [merged], [later]]):
                    built = Built(self.written("forgotten", {"sessions_insights": loaded}), database).load(anew=at == 0).dbt()
                row = built.rows("select * from fct_pull_requests")[0]
                self.assertEqual((row["hours_to_merge"], row["hours_from_open_to_merge"]), (2, 1))
        whole = Built(self.written("whole", {"sessions_insights": [opened, merged, later]}), "duckdb").load().dbt()
        self.assertEqual(whole.rows("select hours_to_merge, hours_from_open_to_merge from fct_pull_requests"),
                         [{"hours_to_merge": 2, "hours_from_open_to_merge": 1}])  # fmt: skip

    def test_odd_records(self):
        monday = int(datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc).timestamp())
        link = "https://git.example/a/b/pull/"

        def named(number, state="merged"):
            return [{"pr_url": f"{link}{number}", "pr_state": state, "a_new_field": 1}]

        def message(session_id, event_id, source, text, created_at, **more):
            return {"session_id": session_id, "event_id": event_id, "source": source, "message": text, "created_at": created_at} | more

        folder = self.written("odd", {
            "sessions_insights": [
                # Told again with the same updated_at: the later record holds.
                session("a", acus_consumed=1, status="running", status_detail="working"),
                session("a", acus_consumed=2.5, pull_requests=named(1), user_id="u|1"),
                # An older record that comes later does not.
                session("b", acus_consumed=4, pull_requests=named(12), service_user_id="s-1"),
                session("b", updated_at=monday + 60, acus_consumed=3),
                # Nothing known; a status of tomorrow; a playbook that is gone.
                session("c", status="dreaming", status_detail="deeply", playbook_id="playbook-gone"),
                # The last second of a week, and the first pull request of two sessions at once, named twice.
                session("d", created_at=monday - 1, acus_consumed=0.25, pull_requests=named(12) + named(12, "open")),
                session("e", created_at=monday, status="suspended", status_detail="solar_flare", acus_consumed=1,
                        pull_requests=named(13, None), analysis={"classification": {"category": "security"}}),
                session("f", acus_consumed=2, pull_requests=named(14, "a state of tomorrow"), analysis={"classification": None}),
                session("g", acus_consumed=2, pull_requests=named(15) + named(16, "closed"), parent_session_id="f"),
                session("h", created_at=None, updated_at=None, acus_consumed=1),
                session("i", pull_requests=[]),
            ],
            "session_messages": [
                message("a", "1", "user", f"Look at {link}1", monday + 10),
                message("a", "2", "devin", f"Not {link}12 either, U+0000 is \0", monday + 20),
                message("a", "3", "devin", f"It is {link}1.", monday + 3605),
                message("a", "4", "user", "Thanks", monday + 3665, user_id="u|2", username='Zoë "Z" <b>'),
                message("b", "1", "devin", f"{link}12", monday + 1805),
            ],
        })  # fmt: skip
        for database in DATABASES:
            with self.subTest(database=database):
                # The package's own tests take most of a build: they pass over each of the odd sets in one of the databases.
                built = Built(folder, database).load().dbt("build" if database == "duckdb" else "run")
                self.agree(built)
                self.assertEqual([row["title"] for row in built.rows("select title from dim_playbooks")], ["(not listed)"])
                self.assertEqual(built.rows("select sum(waited_seconds) as waited from fct_messages"), [{"waited": 60}])

    def test_consumption_members_and_alerts(self):
        monday = int(datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc).timestamp())
        at = lambda days, hours=8: monday + days * 86400 + hours * 3600
        link = "https://git.example/a/b/pull/1"

        def alert(number, first_at, **job):
            known = {"rule": "default", "phase": "settled", "held": None, "started_at": None, "pr_at": None, "settled_at": None,
                     "session_id": None, "pr_url": None, "result": None}  # fmt: skip
            return {"tag": f"ar-{number:026x}", "dedupe_key": f"generic:{number}", "route": "generic", "title": f"Alert {number}", "severity": None,
                    "state": "firing", "first_at": first_at * 1000, "last_at": first_at * 1000 + 1, "responder": None, "job": known | job if job else None}  # fmt: skip

        day_of = lambda number, days, acus, **more: {"id": f"org/{days}{more}", "date": at(days), "acus": acus, "number": number} | more
        folder = self.written("metered", {
            "sessions_insights": [
                # Before the first day that consumption tells of, within, on a day of which it says nothing, and after it.
                session("a", at(0, 1), at(0, 2), acus_consumed=1, user_id="u|1"),
                session("b", at(0, 23), at(3, 2), acus_consumed=2, tags=["Alert-Relay", f"AR-{1:026X}", "ar-a-" + "0" * 26, "ar-ended"]),
                session("c", at(2), at(3), acus_consumed=4, user_id="u|1", tags=["ar-t-" + "0" * 24, "oncall"]),
                session("d", at(3), at(4), acus_consumed=8, service_user_id="s|1"),
                session("e", at(6), at(6, 9), acus_consumed=16.5, user_id="u|2", tags=["alert-relay", f"ar-{2:026x}"],
                        pull_requests=[{"pr_url": link, "pr_state": "merged"}]),
            ],
            "session_messages": [{"session_id": "a", "event_id": "1", "source": "user", "message": "", "created_at": at(0, 1), "user_id": "u|1",
                                  "username": "A name of old"}],
            "members": [{"user_id": "u|1", "name": "Zoë", "email": "z@x.example"}, {"user_id": "u|3", "name": None, "email": "y@x.example"},
                        {"user_id": "u|4", "name": None, "email": None}],
            # The newer row of a day holds.
            "consumption_daily": [day_of(0, 2, 99), day_of(1, 2, 5.5), day_of(2, 3, 3), day_of(3, 4, 0), day_of(4, 5, 1)],
            "consumption_daily_users": [day_of(0, 2, 5, user_id="u|1"), day_of(1, 2, 0, user_id="u|3"), day_of(2, 3, 4, user_id="u|gone"),
                                        day_of(3, 5, 1, user_id="u|1")],
            "consumption_cycles": [{"id": "0", "after": at(-30), "before": at(-1)}, {"id": "1", "after": at(-1), "before": at(29)}],
            "active_users": [{"id": f"{period}{first}", "period": period, "start_time": at(first, 0), "end_time": at(last, 0), "active_users": people}
                             for period, first, last, people in [("dau", 0, 1, 2), ("dau", 5, 6, 1), ("wau", -7, 0, 3), ("wau", -1, 6, 2), ("mau", -28, 3, 8)]],
            "relay_alerts": [
                alert(1, at(0), created_at=at(0) * 1000 + 250, session_id="b", phase="watching"),
                # It came again two days later, which is what its job is of.
                alert(2, at(4), created_at=at(6) * 1000, pr_at=at(6, 9) * 1000 + 500, session_id="e", pr_url=link, result="pr_opened"),
                alert(3, at(6), created_at=at(6) * 1000, phase="received", held={"gate": "quota"}),
                # Suppressed: no job; and one that comes after everything else.
                alert(4, at(6)), alert(5, at(7)),
            ],
        })  # fmt: skip
        for database in DATABASES:
            with self.subTest(database=database):
                built = Built(folder, database).load().dbt("build" if database == "postgres" else "run")
                self.agree(built)
                self.assertEqual(
                    sorted((str(row["day"]), row["user_id"] or "", float(row["acus"]), row["source"]) for row in built.rows("select * from fct_consumption_daily")),
                    [("2026-03-02", "", 2, "sessions"), ("2026-03-02", "u|1", 1, "sessions"),
                     ("2026-03-04", "", 0.5, "consumption_daily"), ("2026-03-04", "u|1", 5, "consumption_daily_users"),
                     ("2026-03-05", "", -1, "consumption_daily"), ("2026-03-05", "u|gone", 4, "consumption_daily_users"),
                     ("2026-03-06", "", 0, "consumption_daily"), ("2026-03-07", "u|1", 1, "consumption_daily_users"),
                     ("2026-03-08", "u|2", 16.5, "sessions")])  # fmt: skip
                self.assertEqual(
                    [(row["user_id"], row["name"]) for row in built.rows("select * from dim_users where is_member or user_id = 'u|gone' order by user_id")],
                    [("u|1", "Zoë"), ("u|3", "y@x.example"), ("u|4", "u|4"), ("u|gone", "u|gone")])  # fmt: skip
                tagged = built.rows("select session_id, alert_tag from fct_sessions where is_from_alert order by session_id")
                self.assertEqual([(row["session_id"], row["alert_tag"]) for row in tagged], [("b", f"ar-{1:026x}"), ("e", f"ar-{2:026x}")])
                self.assertEqual([row["held_by"] for row in built.rows("select held_by from fct_alerts where held_by is not null")], ["quota"])
                row = built.rows("select cycle_start, days_left, acus_source, acus_so_far from forecast")[0]
                self.assertEqual((str(row["cycle_start"]), row["days_left"], row["acus_source"], float(row["acus_so_far"])),
                                 ("2026-03-01", 21, "consumption and sessions", 29))  # fmt: skip
                page = built.report()
                self.assertIn("Of 5 alerts, 1 has a pull request", page)
                off = dict.fromkeys(["devin_using_alerts", "devin_using_consumption", "devin_using_consumption_users", "devin_using_members"], False)
        built.dbt(**off)
        self.assertEqual(built.rows("select max(alerts) as alerts, max(acus_metered) as metered, max(active_of_seats) as seats from kpi_daily"),
                         [{"alerts": None, "metered": None, "seats": None}])  # fmt: skip
        self.assertEqual({row["source"] for row in built.rows("select source from fct_consumption_daily")}, {"sessions"})

    def test_the_columns_of_alerts_are_those_of_the_api(self):
        described = json.loads((ROOT / "schemas/relay-api.json").read_text(encoding="utf-8"))["components"]["schemas"]
        loader = {"__name__": "loader"}
        exec(compile((PACKAGE / "load").read_text(encoding="utf-8"), "load", "exec"), loader)  # It is no module: it has no suffix.
        self.assertEqual(set(loader["ALERTS"]), set(described["Alert"]["properties"]))
        wanted = set(re.findall(r"devin_text\('job', '(\w+)'\)", (PACKAGE / "models/staging/stg_devin__alerts.sql").read_text(encoding="utf-8")))
        self.assertTrue(wanted and wanted <= set(described["Job"]["properties"]), wanted)

    def test_the_settings_reach_the_figures(self):
        folder = self.written("settings", {"sessions_insights": [
            session("a", acus_consumed=2, user_id="u'1"), session("b", acus_consumed=3, user_id="u2"), session("c", acus_consumed=5)]})  # fmt: skip
        values = {"devin_acu_price": 2.5, "devin_teams": {"u'1": "Team O'One"}, "devin_seats": 4, "devin_cycle_acus": 100}
        for database in DATABASES:
            built = Built(folder, database).load().dbt(**values)
            teams = {row["team"]: float(row["cost"]) for row in built.rows("select team, cost from kpi_by_team")}
            self.assertEqual(teams, {"Team O'One": 5.0, "(no team)": 20.0})
            self.assertEqual(built.rows("select max(active_of_seats) as seats from kpi_daily"), [{"seats": 0.5}])
            self.assertEqual(float(built.rows("select cycle_acus from forecast")[0]["cycle_acus"]), 100)
            self.assertIn("Team O&#x27;One", built.report())

    def test_what_is_not_read_is_left_out(self):
        folder = self.written("sessions_only", {"sessions_insights": [session("a", playbook_id="p", user_id="u")]})
        for stream in ("session_messages", "playbooks"):
            (folder / f"{stream}.jsonl").unlink()
        built = Built(folder, "duckdb").load().dbt("build")
        self.assertEqual(built.rows("select sessions, daily_active_users as dau from kpi_daily"), [{"sessions": 1, "dau": 1}])

    def test_the_report_is_one_file_that_asks_nobody_and_runs_nothing(self):
        title, link = '<script>alert(1)</script> & "x"', "javascript:alert(1)"
        folder = self.written("hostile", {"sessions_insights": [
            session("a", status="running", status_detail="waiting_for_user", title=title, url=link, user_id="<i>u</i>"),
            session("b", status="running", status_detail="waiting_for_approval", title=title, url="https://app.devin.ai/sessions/b")]})  # fmt: skip
        page = Built(folder, "duckdb").load().dbt().report()
        tags, places = [], []

        class Reader(html.parser.HTMLParser):
            def handle_starttag(self, tag, attributes):
                tags.append(tag)
                places.extend(value for name, value in attributes if name in ("src", "href", "action", "srcset"))

        Reader().feed(page)
        self.assertFalse({"script", "i", "img", "iframe", "link", "form"} & (set(tags) - {"i"}))
        self.assertNotIn("<i>u</i>", page)
        self.assertEqual(places, ["https://app.devin.ai/sessions/b"])
        self.assertNotIn("url(", page)

    def test_every_column_is_described_and_defined(self):
        described = (PACKAGE / "models/marts/_models.yml").read_text(encoding="utf-8")
        built = Built(self.organization(36, 3), "duckdb").load().dbt()
        defined = (ROOT / "docs/metrics.md").read_text(encoding="utf-8") + (ROOT / "docs/analytics.md").read_text(encoding="utf-8")
        for model in sorted((PACKAGE / "models/marts").glob("*.sql")):
            part = re.search(rf"- name: {model.stem}\n.*?(?=\n  - name: |\Z)", described, re.DOTALL)
            self.assertTrue(part, f"{model.stem} is not described")
            self.assertTrue(model.stem in defined or model.stem == "days", f"docs say nothing of {model.stem}")
            columns = [row["name"] for row in built.rows(
                f"select column_name as name from information_schema.columns where table_name = '{model.stem}'")]  # fmt: skip
            self.assertEqual(sorted(columns), sorted(re.findall(r"^      - name: (\w+)", part[0], re.MULTILINE)), model.stem)

    def test_what_cannot_be_loaded_is_said(self):
        empty = self.base / "nothing"
        empty.mkdir()
        for arguments, reason in [
            (["load", self.base / "missing", "--duckdb", "x"], "is not a folder"),
            (["load", empty, "--duckdb", "x"], "has no file of a stream"),
            (["load", empty, "--duckdb", "x", "--program", "nobody"], "there is no program nobody"),
            (["report", "--duckdb", empty / "none.duckdb"], "there is no database"),
        ]:
            done = subprocess.run([sys.executable, PACKAGE / arguments[0], *arguments[1:]], capture_output=True, encoding="utf-8")
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(reason, done.stderr)
            self.assertNotIn("Traceback", done.stderr)


def session(session_id, created_at=1772409605, updated_at=1772416800, **fields):
    known = dict.fromkeys(["status_detail", "user_id", "service_user_id", "playbook_id", "parent_session_id", "category",
                           "structured_output", "pull_requests", "analysis", "acus_consumed"])  # fmt: skip
    told = {"session_id": session_id, "status": "exit", "created_at": created_at, "updated_at": updated_at,
            "num_user_messages": 1, "num_devin_messages": 0, "a_new_field": [{}]}  # fmt: skip
    return known | told | fields


if __name__ == "__main__":
    unittest.main(verbosity=2)
