"""Draws the pictures of docs/analytics.md from the SQL in that page.

python3 docs/analytics/draw.py DATABASE FOLDER

DATABASE is the DuckDB file that the page's blocks have filled, FOLDER gets one SVG per picture. The program duckdb must
be on the PATH. The same data and the same matplotlib give the same bytes.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parent.parent / "analytics.md"
ACCENT, GREY, INK, PALE_INK = "#0072b2", "#c4c9ce", "#1f2328", "#59636e"
WIDTH, LINE = 8.0, 0.30

# Whatever this machine's own settings are.
matplotlib.rcdefaults()
plt.rcParams.update({
    # Text stays text: small files, every script, and the viewer's own font. It is measured in a wider one, so it fits.
    "svg.fonttype": "none",
    "svg.hashsalt": "source-devin-ai",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": PALE_INK,
    "xtick.color": PALE_INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": GREY,
})
# The font that measures lacks some scripts; the viewer's will do.
warnings.filterwarnings("ignore", message="Glyph .* missing from font")


def queries(page):
    """The page's SQL blocks that begin with a name, without the dot commands of the shell."""
    blocks = re.findall(r"^```sql\n-- (\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return {name: re.sub(r"^\..*\n", "", sql, flags=re.MULTILINE) for name, sql in blocks}


def rows(database, sql):
    """What a query answers, as a list of dictionaries."""
    command = ["duckdb", "-readonly", "-json", database]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"duckdb: {done.stderr}")
    answer = json.loads(done.stdout.strip() or "[]")
    # Decimals come as text.
    return [{name: float(value) if name.startswith("acus") else value for name, value in row.items()} for row in answer]


def day(text):
    date = datetime.date.fromisoformat(text[:10])
    return f"{date.day} {date:%b}"


def canvas(title, subtitle, plot_height, left=0.25, bottom=0.35, panels=1):
    """A figure with its title and what its numbers mean above the plot; lengths in inches."""
    top = 0.85
    height = top + plot_height + bottom
    figure, axes = plt.subplots(1, panels, figsize=(WIDTH, height), sharey=True, squeeze=False)
    figure.subplots_adjust(left=left / WIDTH, right=1 - 0.25 / WIDTH, bottom=bottom / height, top=1 - top / height,
                           wspace=0.08)
    fit(figure.text(0.2 / WIDTH, 1 - 0.35 / height, title, fontsize=13.5, fontweight="bold"))
    fit(figure.text(0.2 / WIDTH, 1 - 0.63 / height, subtitle, color=PALE_INK))
    return figure, axes[0]


def fit(text):
    """Makes a text that would leave the picture smaller; letters grow with their size, so once is enough."""
    figure = text.get_figure()
    box = text.get_window_extent()
    room = figure.bbox.width - box.x0 - 0.2 * figure.dpi
    if box.width > room:
        text.set_fontsize(text.get_fontsize() * room / box.width)


def shorten(label):
    return label if len(label) <= 30 else label[:27] + "…"


def bars(title, subtitle, labels, values, notes, colors, behind=None):
    """Horizontal bars from the top down, each with its number; `behind` are paler ones below them."""
    labels = [shorten(label) for label in labels]
    # Room for the words on both sides, by the width of a letter.
    left = 0.4 + 0.088 * max(len(label) for label in labels)
    right = 0.15 + 0.088 * max(len(note) for note in notes)
    figure, (axis,) = canvas(title, subtitle, LINE * len(values), left=left, bottom=0.15)
    places = range(len(values))
    if behind:
        axis.barh(places, behind, color=GREY, height=0.72)
    axis.barh(places, values, color=colors, height=0.72)
    longest = max([*values, *(behind or []), 0.001])
    for place, note in enumerate(notes):
        end = max(values[place], behind[place] if behind else 0)
        axis.text(end + longest * 0.012, place, note, va="center", color=PALE_INK)
    axis.set(xlim=(0, longest / (1 - right / (WIDTH - left - 0.25))), xticks=[], ylim=(len(values) - 0.5, -0.5))
    axis.set_yticks(places, labels)
    axis.spines["bottom"].set_visible(False)
    return figure


def ranking(data, label, of_what):
    """Bars by ACUs; the accent goes to the largest that together make at least half."""
    reached = count = 0
    while count < len(data) and reached < 50:
        reached += data[count]["percent"] or 0
        count += 1
    title = f"{count} {of_what[0]} accounts" if count == 1 else f"{count} {of_what[1]} account"
    colors = [ACCENT] * count + [GREY] * (len(data) - count)
    values = [row["acus"] for row in data]
    return bars(f"{title} for {reached:.0f} % of the ACUs", "ACUs of their sessions", [row[label] for row in data],
                values, [f"{value:,.0f}" for value in values], colors)


def acus_per_week(data):
    values = [row["acus"] for row in data]
    late, early = sum(values[-4:]), sum(values[-8:-4])
    title = f"The last four weeks used {late:,.0f} ACUs"
    if early:
        title += f", {abs(late / early - 1) * 100:.0f} % {'more' if late >= early else 'less'} than the four before"
    figure, (axis,) = canvas(title, "ACUs by the week (UTC) in which their sessions were created", 2.5, bottom=0.45)
    axis.bar(range(len(data)), values, color=[GREY] * (len(data) - 4) + [ACCENT] * min(4, len(data)), width=0.74)
    for place, value in enumerate(values):
        axis.annotate(f"{value:,.0f}", (place, value), (0, 3), textcoords="offset points", ha="center", color=PALE_INK)
    axis.set_xticks(range(len(data)), [day(row["week"]) for row in data], fontsize=9.5)
    axis.set(yticks=[], xlim=(-0.6, len(data) - 0.4), ylim=(0, max([*values, 1]) * 1.12))
    return figure


def acus_per_user(data):
    return ranking(data, "user", ("user", "users"))


def acus_per_category(data):
    return ranking(data, "category", ("category", "categories"))


def acus_per_playbook(data):
    values = [row["acus"] for row in data]
    without = sum(row["acus"] for row in data if row["playbook"] == "(no playbook)")
    title = f"{100 * (1 - without / sum(values)) if sum(values) else 0:.0f} % of the ACUs follow a playbook"
    notes = [f"{row['acus']:,.0f} ({row['acus_per_session']:.1f} per session)" for row in data]
    colors = [GREY if row["playbook"] == "(no playbook)" else ACCENT for row in data]
    labels = [row["playbook"] for row in data]
    return bars(title, "ACUs of the sessions with each playbook", labels, values, notes, colors)


def merged_per_week(data):
    ended = sum(row["ended"] for row in data)
    merged = sum((row["percent_merged"] or 0) * row["ended"] for row in data) / ended if ended else 0
    title = f"In {len(data)} weeks, {merged:.0f} % of the sessions ended in a merged pull request"
    subtitle = "% of the sessions that have ended, by the week (UTC) of their creation; the newest are still in review"
    figure, (axis,) = canvas(title, subtitle, 2.7, left=0.6, bottom=0.55)
    lines = [("opened one", "percent_with_pr", GREY, PALE_INK), ("merged", "percent_merged", ACCENT, ACCENT)]
    labels = []
    for name, column, color, ink in lines:
        values = [float("nan") if row[column] is None else row[column] for row in data]
        axis.plot(range(len(data)), values, color=color, marker="o", markersize=5, linewidth=2.2, clip_on=False)
        told = [(place, value) for place, value in enumerate(values) if value == value]
        if told:
            labels.append((name, *told[-1], ink))
    # Names stand beside the ends of their lines, apart from each other and above the weeks. The second line is never
    # above the first.
    floor = 3
    for name, place, value, ink in reversed(labels):
        height = min(max(value, floor), 88 + floor)
        axis.annotate(name, (place, height), (9, 0), textcoords="offset points", va="center", color=ink,
                      fontweight="bold")
        floor = height + 9
    axis.set_xticks(range(len(data)), [f"{day(row['week'])}\nof {row['ended']}" for row in data], fontsize=8.5)
    axis.set(ylim=(0, 100), yticks=[0, 25, 50, 75, 100], xlim=(-0.4, len(data) + 1.2))
    axis.set_yticklabels(["0", "25", "50", "75", "100 %"], color=PALE_INK)
    axis.grid(axis="y", color="#e7eaed", linewidth=0.8)
    axis.set_axisbelow(True)
    return figure


def merged_per_playbook(data):
    overall = next((row["percent_merged"] for row in data if row["playbook"] == "(all sessions)"), None)
    title = f"{overall or 0:.0f} % of all ended sessions led to a merged pull request"
    notes = [f"{row['percent_merged'] or 0:.0f} % of {row['ended']}" for row in data]
    colors = [INK if row["playbook"] == "(all sessions)" else ACCENT for row in data]
    return bars(title, "% of the sessions that have ended: merged, and in gray those that opened one",
                [row["playbook"] for row in data], [row["percent_merged"] or 0 for row in data], notes, colors,
                behind=[row["percent_with_pr"] or 0 for row in data])


def acus_per_merged_pr(data):
    overall = next((row["acus_per_merged_pr"] for row in data if row["category"] == "(all sessions)"), None)
    title = f"A merged pull request costs {overall or 0:.1f} ACUs"
    notes = [f"{row['acus_per_merged_pr']:.1f} ({row['merged_prs']} merged)" for row in data]
    colors = [INK if row["category"] == "(all sessions)" else ACCENT for row in data]
    return bars(title, "ACUs of all sessions of a category, per merged pull request", [row["category"] for row in data],
                [row["acus_per_merged_pr"] for row in data], notes, colors)


def time_to_pr(data):
    data = [row for row in data if row["hours_to_announcement"] is not None]
    if not data:
        return None
    percents = [row["percent"] for row in data]
    half = next(row for row in data if row["percent"] == 50)
    title = f"Half of the announced pull requests came within {half['hours_to_announcement']:.1f} hours"
    subtitle = "% of the sessions whose messages hold the link, by hours since their creation"
    figure, (axis,) = canvas(title, subtitle, 2.9, left=0.6, bottom=0.5)
    for name, column, color in [
        ("link in a message", "hours_to_announcement", ACCENT),
        ("last change of the session (upper bound)", "hours_to_last_change", "#9aa2aa"),
    ]:
        hours = [row[column] for row in data]
        axis.plot(hours, percents, color=color, marker="o", markersize=5, linewidth=2.2, label=name)
    # Where hours are many, both lines are high: this corner is free.
    axis.legend(loc="lower right", frameon=False)
    axis.set(xlim=(0, max(row["hours_to_last_change"] for row in data) * 1.04), ylim=(0, 100), xlabel="hours")
    axis.set_yticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"], color=PALE_INK)
    axis.grid(color="#e7eaed", linewidth=0.8)
    axis.set_axisbelow(True)
    return figure


def messages_per_session(data):
    def median(column):
        half, reached = sum(row[column] for row in data) / 2, 0
        for row in data:
            reached += row[column]
            if reached >= half:
                return row["messages"]

    panels = [("from people", "sessions_by_users_messages", GREY),
              ("from Devin", "sessions_by_devins_messages", ACCENT)]
    title = "Half of the sessions take at most {} messages from people, {} from Devin".format(
        *(median(column) for _, column, _ in panels))
    figure, axes = canvas(title, "Sessions by how many messages they hold", 2.4, bottom=0.5, panels=2)
    for axis, (name, column, color) in zip(axes, panels):
        values = [row[column] for row in data]
        axis.bar(range(len(data)), values, color=color, width=0.8)
        for place, value in enumerate(values):
            if value:
                axis.annotate(str(value), (place, value), (0, 2), textcoords="offset points", ha="center",
                              color=PALE_INK, fontsize=9)
        axis.set_xticks(range(len(data)), [row["messages"].replace(" or more", "+") for row in data], fontsize=7.5)
        axis.set(yticks=[], xlabel=f"messages {name}")
    return figure


def waiting_now(data):
    blocked = [row["for_approval"] + row["for_an_answer"] for row in data]
    done = [row["has_a_result"] for row in data]
    title = f"{sum(blocked)} sessions wait for a person, {sum(blocked[3:])} of them for more than a day"
    both = [one + other for one, other in zip(blocked, done)]
    notes = [f"{one} waiting{f', {other} with a result' if other else ''}" if one + other else "none"
             for one, other in zip(blocked, done)]
    return bars(title, "Sessions by how long they have waited; in gray those that already have a result",
                [row["wait"] for row in data], blocked, notes, [ACCENT] * len(data), behind=both)


def suspended_by_reason(data):
    everything = sum(row["sessions"] for row in data)
    data = [row for row in data if row["kind"] != "asleep"]
    if not data:
        return None
    limits = sum(row["sessions"] for row in data if row["kind"] == "limit")
    title = f"{limits} of {everything} suspended sessions were stopped by a limit or by billing"
    colors = [ACCENT if row["kind"] == "limit" else GREY for row in data]
    return bars(title, "Sessions by reason, without those that just fell asleep", [row["reason"] for row in data],
                [row["sessions"] for row in data], [f"{row['sessions']}" for row in data], colors)


PICTURES = [acus_per_week, acus_per_user, acus_per_playbook, acus_per_category, merged_per_week, merged_per_playbook,
            acus_per_merged_pr, time_to_pr, messages_per_session, waiting_now, suspended_by_reason]


def main(database, folder):
    if not rows(database, "SELECT session_id FROM sessions_latest LIMIT 1"):
        sys.exit("there are no sessions, so there is nothing to draw")
    sql = queries(PAGE.read_text(encoding="utf-8"))
    os.makedirs(folder, exist_ok=True)
    for draw in PICTURES:
        name = draw.__name__
        data = rows(database, sql[name])
        figure = draw(data) if data else None
        if figure is None:
            print(f"{name}: no data, no picture", file=sys.stderr)
            continue
        path = pathlib.Path(folder, f"{name}.svg")
        figure.savefig(path, metadata={"Date": None, "Creator": None, "Title": figure.texts[0].get_text()})
        plt.close(figure)
        text = path.read_text(encoding="utf-8")
        fonts = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
        path.write_text(text.replace("'DejaVu Sans', sans-serif", fonts), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
