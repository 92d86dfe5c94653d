"""Checks docs/analytics.md: its blocks run on several organizations, its answers are worked out a second time in plain
Python, and its results and pictures are the committed ones. Started by tests/analytics/run."""

import collections
import datetime
import decimal
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "analytics.md"
PICTURES = ROOT / "docs" / "analytics"
STREAMS = ["sessions_insights", "session_messages", "playbooks"]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Half of the last digit that the page shows, and a little for binary fractions.
CLOSE = 0.0501


def blocks(language):
    return [body for kind, body in FENCE.findall(PAGE.read_text(encoding="utf-8")) if kind == language]


def name_of(block):
    found = re.match(r"-- (\w+)\n", block)
    return found[1] if found else None


def run(command, folder, text="", **more):
    """What a program prints; a failure or a word on stderr is an error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DEVIN_")}
    done = subprocess.run(command, cwd=folder, input=text, capture_output=True, encoding="utf-8", check=False,
                          env=clean | more.pop("environment", {}))
    if done.returncode != 0 or (command[0] == "duckdb" and done.stderr):
        raise AssertionError(f"{command} gave {done.returncode}: {done.stderr}\n{text}")
    return done.stdout


def read(folder, sessions, seed):
    """The page's own commands, with another organization."""
    script = blocks("sh")[0]
    assert "--sessions 600 " in script, "the page starts another sandbox than this test knows"
    script = script.replace("--sessions 600 ", f"--sessions {sessions} --seed {seed} ")
    run(["sh", "-eu"], folder, script)


def ask(folder, **environment):
    """All SQL blocks in order: what each named one prints."""
    # One process for all: each would take a while to start.
    script = "".join(f".print == {name_of(block) or ''}\n{block}" for block in blocks("sql"))
    parts = run(["duckdb", "devin.duckdb"], folder, script, environment=environment).split("== ")[1:]
    return {name: answer for name, _, answer in (part.partition("\n") for part in parts) if name}


def table(printed):
    """A printed table as dictionaries, numbers as numbers."""
    def value(text):
        if text == "NULL":
            return None
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text

    # A bar within a cell is escaped.
    lines = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
             for line in printed.splitlines()]
    return [dict(zip(lines[0], map(value, line))) for line in lines[2:]]


def draw(folder, into):
    command = [sys.executable, str(PICTURES / "draw.py"), "devin.duckdb", str(into)]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


def texts(picture):
    """The texts of a picture: each one with its left and right end and its base line, and the picture's width."""
    svg = "{http://www.w3.org/2000/svg}"
    root = xml.etree.ElementTree.fromstring(picture)
    found = []
    for text in root.iter(f"{svg}text"):
        style = dict(part.split(": ", 1) for part in text.get("style").split("; "))
        # As wide as the font that the pictures are laid out with, which is wider than most.
        font = FontProperties("DejaVu Sans", weight=style.get("font-weight", "normal"))
        path = TextPath((0, 0), text.text, size=float(style["font-size"].removesuffix("px")), prop=font)
        width = path.get_extents().width
        # Those of several lines are moved, the others turned by nothing.
        x, y = map(float, re.findall(r"-?[\d.]+", text.get("transform"))[-2:])
        left = x - {"start": 0, "middle": width / 2, "end": width}[style.get("text-anchor", "start")]
        found.append((text.text, left, left + width, y))
    return found, float(root.get("width").removesuffix("pt"))


class Organization:
    """The same records, read without SQL."""

    def __init__(self, folder):
        self.sessions = list(self.newest(folder, "sessions_insights", "session_id").values())
        self.playbooks = self.newest(folder, "playbooks", "playbook_id")
        self.messages = collections.defaultdict(dict)
        for message in self.lines(folder, "session_messages"):
            self.messages[message["session_id"]][message["event_id"]] = message
        self.now = max((session["updated_at"] for session in self.sessions), default=None)

    @staticmethod
    def lines(folder, stream):
        with open(pathlib.Path(folder, f"{stream}.jsonl"), encoding="utf-8") as file:
            return [json.loads(line, parse_float=decimal.Decimal) for line in file]

    def newest(self, folder, stream, key):
        found = {}
        for record in self.lines(folder, stream):
            if record[key] not in found or record["updated_at"] >= found[record[key]]["updated_at"]:
                found[record[key]] = record
        return found

    def grouped(self, key, sessions=None):
        groups = collections.defaultdict(list)
        for session in self.sessions if sessions is None else sessions:
            groups[key(session)].append(session)
        return groups

    def weeks(self):
        def week(session):
            day = datetime.datetime.fromtimestamp(session["created_at"], datetime.timezone.utc).date()
            return day - datetime.timedelta(days=day.weekday())

        groups = self.grouped(week)
        if not groups:
            return {}
        days = [max(groups) - datetime.timedelta(days=7 * back) for back in range(12, -1, -1)]
        return {str(day): groups.get(day, []) for day in days}

    def user(self, session):
        if session["user_id"]:
            names = [(message["created_at"], message["username"]) for conversation in self.messages.values()
                     for message in conversation.values()
                     if message.get("user_id") == session["user_id"] and message.get("username")]
            return max(names)[1] if names else session["user_id"]
        return session["service_user_id"] or "(unknown)"

    def playbook(self, session):
        if session["playbook_id"] is None:
            return "(no playbook)"
        known = self.playbooks.get(session["playbook_id"])
        return known["title"] if known else f"(not listed) {session['playbook_id']}"

    @staticmethod
    def category(session):
        analysed = ((session["analysis"] or {}).get("classification") or {}).get("category")
        return session["category"] or analysed or "(not classified)"

    @staticmethod
    def acus(sessions):
        return sum(session["acus_consumed"] or 0 for session in sessions)

    @staticmethod
    def links(session, state=None):
        return {pr["pr_url"] for pr in session["pull_requests"] or [] if state in (None, pr["pr_state"])}

    def ended(self):
        over = ("exit", "error", "suspended")
        return [one for one in self.sessions if one["status"] in over or one["status_detail"] == "finished"]

    def shares(self, sessions):
        if not sessions:
            return [0, None, None]
        opened = sum(bool(session["pull_requests"]) for session in sessions)
        merged = sum(bool(self.links(session, "merged")) for session in sessions)
        return [len(sessions), 100 * opened / len(sessions), 100 * merged / len(sessions)]

    def announced(self):
        """Pairs of hours: to Devin's first message with a link of the session's, and to the session's last change."""
        found = []
        for session in self.sessions:
            # A link ends where neither the number goes on.
            links = [re.compile(re.escape(link) + r"(?!\d)") for link in self.links(session)]
            times = [message["created_at"] for message in self.messages[session["session_id"]].values()
                     if message["source"] == "devin" and any(link.search(message["message"]) for link in links)]
            if times:
                since = session["created_at"]
                found.append(((min(times) - since) / 3600, (session["updated_at"] - since) / 3600))
        return found

    def answers(self):
        """What each query should say: its first column, or all if there is one row, with the other columns."""
        of_all = self.acus(self.sessions)
        size = lambda sessions: [len(sessions), self.acus(sessions)]
        each = lambda sessions: self.acus(sessions) / len(sessions)
        share = lambda sessions: 100 * self.acus(sessions) / of_all if of_all else None
        ended = set(map(id, self.ended()))
        is_ended = lambda sessions: [session for session in sessions if id(session) in ended]
        children = self.grouped(lambda session: session["parent_session_id"])
        parents = [session for session in self.sessions if session["session_id"] in children]
        below = [one for one in parents if self.acus([one]) < self.acus(children[one["session_id"]])]
        total = lambda sessions: self.acus(sessions) if sessions else None

        def merged(sessions):
            count = len(set().union(*(self.links(session, "merged") for session in sessions)))
            return [self.acus(sessions), count, self.acus(sessions) / count] if count >= 5 else None

        def kind(reason):
            return {"inactivity": "asleep", "user_request": "asleep", "error": "failed"}.get(
                reason, "limit" if re.search("limit|quota|credits|payment|contract", reason) else "other")

        costs = {name: merged(group) for name, group in self.grouped(self.category).items()}
        costs["(all sessions)"] = merged(self.sessions)
        announced = self.announced()
        spread = [statistics.quantiles(column, n=10, method="inclusive") for column in zip(*announced)] \
            if len(announced) > 1 else None
        waits = collections.Counter()
        bounds = {"under 1 hour": 1, "1 to 4 hours": 4, "4 to 24 hours": 24, "1 to 7 days": 24 * 7,
                  "7 to 30 days": 24 * 30, "over 30 days": float("inf")}
        for session in self.sessions:
            if session["status_detail"] in ("waiting_for_user", "waiting_for_approval"):
                hours = (self.now - session["updated_at"]) / 3600
                bound = next(name for name, limit in bounds.items() if hours < limit)
                has_result = bool(session["pull_requests"]) or session["structured_output"] is not None
                approval = session["status_detail"] == "waiting_for_approval"
                waits[bound, "approval" if approval else "result" if has_result else "answer"] += 1
        counts = [collections.Counter(min(session[name], 14) for session in self.sessions)
                  for name in ("num_user_messages", "num_devin_messages")]
        suspended = [session for session in self.sessions if session["status"] == "suspended"]
        reasons = self.grouped(lambda session: session["status_detail"] or "(no reason)", suspended)
        return {
            "acus_per_week": {week: size(group) for week, group in self.weeks().items()},
            "acus_per_user": {user: [*size(group), share(group)] for user, group in self.grouped(self.user).items()},
            "acus_per_playbook": {
                name: [*size(group), each(group)] for name, group in self.grouped(self.playbook).items()},
            "acus_per_category": {
                name: [*size(group), each(group), share(group)] for name, group in self.grouped(self.category).items()},
            "acus_of_families": [total(self.sessions), total(children[None]), len(parents), len(below)],
            "merged_per_week": {week: self.shares(is_ended(group)) for week, group in self.weeks().items()},
            "merged_per_playbook": {"(all sessions)": self.shares(self.ended())} | {
                name: self.shares(group) for name, group in self.grouped(self.playbook, self.ended()).items()},
            "acus_per_merged_pr": {name: cost for name, cost in costs.items() if cost},
            "pr_announcements": [sum(bool(one["pull_requests"]) for one in self.sessions), len(announced)],
            "time_to_pr": {10 * step: [column[step - 1] for column in spread] if spread else [None, None]
                           for step in range(1, 10)},
            "messages_per_session": {
                "14 or more" if number == 14 else number: [count[number] for count in counts] for number in range(15)},
            "waiting_now": {
                name: [waits[name, "approval"], waits[name, "answer"], waits[name, "result"]] for name in bounds},
            "suspended_by_reason": {name: [kind(name), *size(group)] for name, group in reasons.items()},
        }


class Analytics(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.base = pathlib.Path(cls.temporary.name)

    def folder(self, name):
        path = self.base / name
        path.mkdir()
        return path

    def organization(self, sessions, seed):
        """A folder with the records of an organization; read once, as nothing changes them."""
        path = self.base / f"organization-{sessions}-{seed}"
        if not path.exists():
            path.mkdir()
            read(path, sessions, seed)
        return path

    def copy(self, source, name):
        path = self.folder(name)
        for stream in STREAMS:
            path.joinpath(f"{stream}.jsonl").write_bytes(source.joinpath(f"{stream}.jsonl").read_bytes())
        return path

    def same(self, name, printed, expected):
        """A printed answer is the expected one, in whichever order; at most 15 rows, and those the largest."""
        rows = [list(row.values()) for row in table(printed)]
        if isinstance(expected, list):
            rows, expected = [[name, *rows[0]]], {name: expected}
        self.assertLessEqual(len(rows), 15, name)
        self.assertEqual(len(rows), min(len(expected), 15), f"{name}: rows of\n{printed}")
        for label, *values in rows:
            self.assertIn(label, expected, f"{name}\n{printed}")
            for value, right in zip(values, expected[label], strict=True):
                if isinstance(right, str) or right is None or value is None:
                    self.assertEqual(value, right, f"{name}: {label}\n{printed}")
                else:
                    self.assertAlmostEqual(value, float(right), delta=CLOSE, msg=f"{name}: {label}\n{printed}")

    def agree(self, folder):
        printed, expected = ask(folder), Organization(folder).answers()
        self.assertEqual(set(printed), set(expected), "the page and this test know different queries")
        for name, right in expected.items():
            with self.subTest(query=name):
                self.same(name, printed[name], right)
        return printed

    def test_the_answers_are_those_of_plain_python(self):
        for sessions, seed in [(600, 1), (36, 1), (1000, 7)]:
            with self.subTest(sessions=sessions, seed=seed):
                self.agree(self.organization(sessions, seed))

    def test_an_empty_organization_is_no_error(self):
        folder = self.organization(0, 1)
        self.assertEqual((folder / "sessions_insights.jsonl").read_bytes(), b"")
        self.agree(folder)
        self.assertIn("nothing to draw", draw(folder, folder / "pictures").stderr)

    def test_the_page_shows_what_its_queries_print(self):
        folder = self.organization(600, 1)
        printed = ask(folder)
        shown = dict(re.findall(r"```sql\n-- (\w+)\n.*?^<!-- prints -->\n```text\n(.*?)^```$",
                                PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
        self.assertEqual(shown, printed, "tests/analytics/run --update writes them anew")

    def test_the_pictures_are_those_of_the_page_s_queries(self):
        folder = self.organization(600, 1)
        ask(folder)
        done = draw(folder, folder / "pictures")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        drawn = {path.name: path.read_bytes() for path in (folder / "pictures").iterdir()}
        committed = {path.name: path.read_bytes() for path in PICTURES.glob("*.svg")}
        self.assertEqual(set(drawn), set(committed))
        for name, picture in drawn.items():
            self.assertTrue(picture == committed[name], f"{name} differs: tests/analytics/run --update draws it anew")
            self.assertLess(len(picture), 60_000, name)
            self.assertIn(f"(analytics/{name})", PAGE.read_text(encoding="utf-8"))

    def test_no_text_leaves_its_picture_or_touches_another(self):
        folders = {"600": self.organization(600, 1), "1000": self.organization(1000, 7), "36": self.organization(36, 1)}
        for name, folder in folders.items():
            ask(folder)
            draw(folder, folder / "laid_out")
            for picture in sorted((folder / "laid_out").iterdir()):
                with self.subTest(organization=name, picture=picture.name):
                    found, width = texts(picture.read_text(encoding="utf-8"))
                    for text, left, right, _ in found:
                        self.assertGreaterEqual(left, 5, text)
                        self.assertLessEqual(right, width - 5, text)
                    for (text, _, right, line), (after, left, _, next_line) in zip(found, found[1:]):
                        if line == next_line and right <= left + 100:
                            self.assertGreater(left - right, 1.5, f"{text!r} touches {after!r}")

    def test_records_that_come_twice_count_once(self):
        source = self.organization(600, 1)
        folder = self.copy(source, "twice")
        for stream in STREAMS:
            path = folder / f"{stream}.jsonl"
            path.write_bytes(path.read_bytes() * 2)
        self.assertEqual(ask(folder), ask(source))
        # No query of the page counts messages; those of readers will.
        count = ".mode csv\nSELECT count(*), count(DISTINCT session_id || event_id) FROM messages_latest;"
        read_once = len(Organization.lines(source, "session_messages"))
        self.assertIn(f"\n{read_once},{read_once}\n", run(["duckdb", "devin.duckdb"], folder, count).replace("\r", ""))

    def test_the_insights_count_the_messages_that_the_sandbox_has(self):
        organization = Organization(self.organization(600, 1))
        for session in organization.sessions:
            sources = collections.Counter(
                message["source"] for message in organization.messages[session["session_id"]].values())
            self.assertEqual((sources["user"], sources["devin"]),
                             (session["num_user_messages"], session["num_devin_messages"]))

    def test_the_second_read_of_the_page_s_loop_changes_nothing(self):
        folder = self.folder("again")
        read(folder, 36, 1)
        first, length = ask(folder), (folder / "sessions_insights.jsonl").stat().st_size
        read(folder, 36, 1)
        self.assertGreaterEqual((folder / "sessions_insights.jsonl").stat().st_size, length)
        self.assertEqual(ask(folder), first)

    def test_the_time_zone_of_the_machine_does_not_matter(self):
        folder = self.organization(600, 1)
        self.assertEqual(ask(folder, TZ="Pacific/Auckland"), ask(folder, TZ="UTC"))

    def test_odd_records(self):
        folder = self.folder("odd")
        monday = int(datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc).timestamp())
        link = "https://git.example/a/b/pull/"

        def session(session_id, created_at=monday + 5, updated_at=monday + 7200, **fields):
            known = dict.fromkeys(["status_detail", "user_id", "service_user_id", "playbook_id", "parent_session_id",
                                   "category", "structured_output", "pull_requests", "analysis", "acus_consumed"])
            told = {"session_id": session_id, "status": "exit", "created_at": created_at, "updated_at": updated_at,
                    "num_user_messages": 1, "num_devin_messages": 0, "a_new_field": [{}]}
            return known | told | fields

        def merged(number, state="merged"):
            return [{"pr_url": f"{link}{number}", "pr_state": state, "a_new_field": 1}]

        def message(session_id, event_id, source, text, created_at):
            return {"session_id": session_id, "event_id": event_id, "source": source, "message": text,
                    "created_at": created_at}

        records = {
            "sessions_insights": [
                # Told again with the same updated_at: the later record holds.
                session("a", acus_consumed=1, status="running", status_detail="working"),
                session("a", acus_consumed=2.5, pull_requests=merged(1), user_id="u|1"),
                # An older record that comes later does not.
                session("b", acus_consumed=4, pull_requests=merged(12), service_user_id="s-1"),
                session("b", updated_at=monday + 60, acus_consumed=3),
                # Nothing known; a status of tomorrow; a playbook that is gone.
                session("c", status="dreaming", status_detail="deeply", playbook_id="playbook-gone"),
                # The last second of a week, and the first pull request of two sessions at once.
                session("d", created_at=monday - 1, acus_consumed=0.25, pull_requests=merged(12)),
                session("e", created_at=monday, status="suspended", status_detail="solar_flare", acus_consumed=1,
                        pull_requests=merged(13, None), analysis={"classification": {"category": "security"}}),
                session("f", acus_consumed=2, pull_requests=merged(14), analysis={"classification": None}),
                session("g", acus_consumed=2, pull_requests=merged(15) + merged(16), parent_session_id="f"),
            ],
            "session_messages": [
                message("a", "1", "user", f"Look at {link}1", monday + 10),
                message("a", "2", "devin", f"Not {link}12 either", monday + 20),
                message("a", "3", "devin", f"It is {link}1.", monday + 3605),
                message("b", "1", "devin", f"{link}12", monday + 1805),
            ],
            "playbooks": [],
        }
        for stream, lines in records.items():
            (folder / f"{stream}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        printed = self.agree(folder)
        weeks = {row["week"]: (row["sessions"], row["acus"]) for row in table(printed["acus_per_week"])}
        self.assertEqual((weeks["2026-02-23"], weeks["2026-03-02"]), ((1, 0.3), (6, 11.5)))
        self.assertEqual(len(weeks), 13)
        self.assertIn("(not listed) playbook-gone", printed["acus_per_playbook"])
        self.assertIn("(unknown)", printed["acus_per_user"])
        self.assertIn("security", printed["acus_per_category"])
        self.assertRegex(printed["acus_per_merged_pr"], r"\(all sessions\) +\| 11.8 +\| 5 +\|")
        self.assertRegex(printed["pr_announcements"], r"\| 6 +\| 2 +\|")
        self.assertRegex(printed["time_to_pr"], r"\| 50 +\| 0.8 +\|")
        self.assertRegex(printed["suspended_by_reason"], r"solar_flare +\| other +\| 1 ")
        self.assertEqual(table(printed["merged_per_playbook"])[0]["ended"], 6)
        self.assertEqual(draw(folder, folder / "pictures").stderr, "")

    def test_fields_that_are_null_everywhere_are_no_error(self):
        folder = self.copy(self.organization(36, 1), "bare")
        path = folder / "sessions_insights.jsonl"
        kept = ("session_id", "status")
        bare = [{name: value if name in kept else None for name, value in json.loads(line).items()}
                for line in path.read_text(encoding="utf-8").splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in bare))
        self.assertRegex(ask(folder)["acus_of_families"], r"\| 0.0 +\| 0.0 +\| 0 +\|")
        done = draw(folder, folder / "pictures")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("acus_per_week: no data, no picture", done.stderr)


def update():
    """Writes the results into the page, and draws the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        read(folder, 600, 1)
        printed = ask(folder)
        page = PAGE.read_text(encoding="utf-8")
        for name, answer in printed.items():
            block = rf"(```sql\n-- {name}\n.*?^<!-- prints -->\n```text\n).*?(^```$)"
            page, count = re.subn(block, lambda found: found[1] + answer + found[2], page, count=1,
                                  flags=re.MULTILINE | re.DOTALL)
            assert count == 1, f"{name} has no place for its result"
        PAGE.write_text(page, encoding="utf-8")
        done = draw(folder, PICTURES)
        sys.exit(done.stderr or 0)


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    unittest.main(verbosity=2)
