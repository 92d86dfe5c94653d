#!/usr/bin/env python3
"""Runs the recipes of the documents as a reader would paste them.

Every fenced block of sh, python, sql or crontab in README.md, CONTRIBUTING.md and docs/*.md is a recipe. The blocks of a
page run in order, each as a process of its own, in one folder that holds a copy of the repository. DEVIN_API_KEY, DEVIN_ORG_ID and DEVIN_API_URL
reach a simulated organization, and cog_… and org-… in a block stand for the first two.

    <!-- not run: REASON -->   before a block: it cannot run here
    <!-- prints -->            before a text or json block: what the recipe above it prints, to the letter

Usage: tests/recipes/run.py BINARY [PAGE...]
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
TOOLS = TARGET / "tools" / "bin"

RUNNERS = {
    "sh": ["sh", "-e"],
    "python": ["python3"],
    "sql": ["duckdb", "-bail", "devin.duckdb", "-f"],
    "crontab": ["python3", str(Path(__file__).with_name("cron.py"))],
}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# The longest recipe builds the program from nothing.
LIMIT_S = 900


@dataclass
class Recipe:
    """A block that runs. `prints` is None where the page does not say what it prints."""

    page: str
    line: int
    language: str
    text: str
    prints: str | None = None
    not_run: str | None = None


def recipes(page: Path) -> list[Recipe]:
    """The runnable blocks of a page, in order."""
    found: list[Recipe] = []
    fence = language = remark = None
    body: list[str] = []
    name = str(page.relative_to(ROOT))
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        opening = re.match(r"^(```+)(\w*)\s*$", line)
        if fence is None and opening:
            fence, language, body, start = opening[1], opening[2], [], number
        elif fence is not None and line == fence:
            text = "\n".join(body) + "\n"
            if language in RUNNERS:
                reason = re.fullmatch(r"<!-- not run: (.+) -->", remark or "")
                found.append(Recipe(name, start, language, text, not_run=reason and reason[1]))
            elif remark == "<!-- prints -->":
                if not found or found[-1].not_run or found[-1].prints is not None:
                    sys.exit(f"{name}:{start}: no recipe above this block prints it")
                found[-1].prints = text
            fence = remark = None
        elif fence is not None:
            body.append(line)
        elif line.startswith("<!--"):
            remark = line.strip()
        elif line.strip():
            remark = None
    if fence is not None:
        sys.exit(f"{name}: the block of line {start} does not end")
    return found


def stop(process: subprocess.Popen) -> None:
    """Ends a process and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    process.wait()


def sandbox(binary: Path, stack: ExitStack) -> dict[str, str]:
    """Serves a simulated organization; the variables that reach it."""
    # A session that a recipe creates lives shortly, so that watching it takes one look.
    command = [binary, "sandbox", "--session-seconds", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    stack.callback(stop, process)
    settings = json.loads(process.stdout.readline())
    return {
        "DEVIN_API_KEY": settings["api_token"],
        "DEVIN_ORG_ID": settings["org_id"],
        "DEVIN_API_URL": settings["api_url"],
    }


def postgresql(stack: ExitStack) -> dict[str, str]:
    """Serves an empty database on a socket in a folder of its own; the variables that reach it."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    stack.callback(shutil.rmtree, folder)
    be = []
    if os.geteuid() == 0:
        # The server refuses to run as root.
        shutil.chown(folder, "postgres")
        be = ["runuser", "-u", "postgres", "--"]
    environment = {"PATH": os.pathsep.join([*map(str, programs[-1:]), os.environ["PATH"]]), "LC_ALL": "C.UTF-8"}

    def run(*command: object) -> None:
        done = subprocess.run(
            [*be, *map(str, command)], env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode != 0:
            sys.exit(f"{command[0]} failed:\n{done.stdout.decode()}")

    run("initdb", "--pgdata", folder / "data", "--username", "postgres", "--auth", "trust", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "--pgdata", folder / "data", "--log", folder / "log", "--wait", "--options", options, "start")
    stack.callback(run, "pg_ctl", "--pgdata", folder / "data", "--wait", "--mode", "immediate", "stop")
    folder.chmod(0o755)
    return {"PGHOST": str(folder), "PGUSER": "postgres", "PGDATABASE": "postgres"}


def copy_of_the_repository(folder: Path) -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    for name in filter(None, listing.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)


def run_page(found: list[Recipe], binary: Path) -> tuple[int, int]:
    """How many recipes passed and failed. The first one that fails is the last one that runs."""
    with ExitStack() as stack:
        # The same for all pages, so that Cargo finds what it built for the page before.
        folder = TARGET / "recipes" / "repository"
        shutil.rmtree(folder, ignore_errors=True)
        home = folder / "home"
        copy_of_the_repository(folder)
        home.mkdir(parents=True)
        reach = sandbox(binary, stack)
        cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
        rustup = Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup"))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DEVIN_", "PG"))},
            **reach,
            "HOME": str(home),
            "PATH": os.pathsep.join([str(binary.parent), str(TOOLS), os.environ["PATH"]]),
            "CARGO_HOME": str(cargo),
            "RUSTUP_HOME": str(rustup),
            "CARGO_INSTALL_ROOT": str(home / ".cargo"),
            # Not the repository's own: Cargo would take the copy's program for the repository's.
            "CARGO_TARGET_DIR": str(TARGET / "recipes" / "target"),
            # What the recipes build has to work, not to be fast.
            "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
            "CARGO_PROFILE_RELEASE_LTO": "off",
            "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "256",
            "ANALYTICS_VENV": str(TARGET / "tools" / "dbt"),
            # PyAirbyte asks nobody on the network, and reports to nobody.
            "AIRBYTE_OFFLINE_MODE": "1",
            "DO_NOT_TRACK": "1",
        }
        if any("psql" in recipe.text or "--postgres" in recipe.text for recipe in found):
            environment |= postgresql(stack)
        passed = 0
        for recipe in found:
            if recipe.not_run:
                continue
            problem = run_recipe(recipe, folder, environment, stack)
            if problem:
                print(f"\n{recipe.page}:{recipe.line}: {problem}")
                return passed, 1
            passed += 1
        return passed, 0


def run_recipe(recipe: Recipe, folder: Path, environment: dict[str, str], stack: ExitStack) -> str | None:
    """What went wrong, or None."""
    text = recipe.text.replace("cog_…", environment["DEVIN_API_KEY"]).replace("org-…", environment["DEVIN_ORG_ID"])
    # Into files, not pipes: what a recipe leaves running in the background would hold a pipe open.
    with tempfile.NamedTemporaryFile() as script, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        script.write(text.encode())
        script.flush()
        process = subprocess.Popen(
            [*RUNNERS[recipe.language], script.name],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment, start_new_session=True,
        )  # fmt: skip
        stack.callback(stop, process)
        try:
            code = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            return f"has not ended after {LIMIT_S} s:\n{text}"
        out.seek(0)
        err.seek(0)
        printed, told = out.read().decode(), err.read().decode()
    if code != 0:
        return f"exit code {code} of\n{text}\n{printed[-4000:]}{told[-4000:]}"
    if recipe.prints is not None and lines(printed) != lines(recipe.prints):
        return f"the page says that\n{text}\nprints\n{recipe.prints}\nbut it prints\n{printed}{told[-2000:]}"
    return None


def lines(text: str) -> list[str]:
    """The lines without blanks at their ends, which editors remove."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    pages = [Path(name).resolve() for name in sys.argv[2:]] or PAGES
    passed = failed = 0
    with tempfile.TemporaryDirectory() as programs:
        # A name that a reader types, and a file that no recipe's build replaces.
        binary = Path(programs) / "source-devin-ai"
        shutil.copy2(Path(sys.argv[1]), binary)
        for page in pages:
            found = recipes(page)
            if not found:
                continue
            of_page = run_page(found, binary)
            passed, failed = passed + of_page[0], failed + of_page[1]
            left_out = sum(recipe.not_run is not None for recipe in found)
            print(f"{found[0].page}: {of_page[0]} of {len(found)} recipes ran, {left_out} cannot run here", flush=True)
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
