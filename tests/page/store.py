"""A store that looks as if the bridge had run for long: rows that are there, over and over, at other times."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

DAY_MS = 86_400_000


def age(path: Path) -> None:
    """Gives the store a fortnight of jobs that have ended, made of those that are there."""
    drawn = random.Random(7)
    with closing(sqlite3.connect(path)) as store, store:
        jobs = ended(store)
        # It is long ago that the quota was used up, and holds nothing back any more.
        store.execute("UPDATE jobs SET settled_at = settled_at - ? WHERE result = 'quota_exceeded'", [DAY_MS // 12])
        for days in range(1, 14):
            for number in range(drawn.randint(3, 14)):
                began = drawn.randint(0, DAY_MS // 2)
                add_job(store, drawn.choice(jobs), f"aged-{days}-{number}", days * DAY_MS - began, drawn)


def fill(path: Path, count: int) -> None:
    """Gives the store so many more alerts, each with a job that has ended, within the last month."""
    drawn = random.Random(8)
    with closing(sqlite3.connect(path)) as store, store:
        jobs = ended(store)
        alerts = {row["tag"]: dict(row) for row in store.execute("SELECT * FROM alerts")}
        for number in range(count):
            job = drawn.choice(jobs)
            earlier = drawn.randint(0, 30 * DAY_MS)
            alert = alerts[job["alert"]]
            title = f"Host {number} has too little space"
            moved = {"tag": f"ar-filled-{number}", "title": title, "dedupe_key": f"filled:{number}"}
            times = {"first_at": alert["first_at"] - earlier, "last_at": alert["last_at"] - earlier}
            add(store, "alerts", {**alert, **moved, **times})
            add_job(store, job, f"filled-{number}", earlier, drawn)


def ended(store: sqlite3.Connection) -> list[dict]:
    store.row_factory = sqlite3.Row
    return [dict(row) for row in store.execute("SELECT * FROM jobs WHERE settled_at IS NOT NULL AND session_id IS NOT NULL")]


def add_job(store: sqlite3.Connection, job: dict, name: str, earlier_ms: int, drawn: random.Random) -> None:
    began = job["created_at"] - earlier_ms
    ended_at = began + drawn.randint(4, 40) * 60_000
    moved = {
        "id": f"job-{name}",
        "alert": f"ar-{name}",
        "session_id": f"session-{name}",
        "created_at": began,
        "started_at": began,
        "settled_at": ended_at,
        "pr_at": ended_at if job["pr_url"] else None,
        "acus_consumed": round(drawn.uniform(0.5, 8), 2),
        "look_at": None,
    }
    add(store, "jobs", {**job, **moved})


def add(store: sqlite3.Connection, table: str, row: dict) -> None:
    store.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
