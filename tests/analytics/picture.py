"""Draws the picture of docs/analytics.md: the upper part of the report of a simulated organization. Started by
tests/analytics/run --picture."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from check import ROOT, Built, read

browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if browser is None:
    sys.exit("no Chromium here: apt-get install chromium")
with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary, "pictured")
    folder.mkdir()
    read(folder, 600, 1)
    page = folder / "report.html"
    page.write_text(Built(folder, "duckdb").load().dbt().report(), encoding="utf-8")
    subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,1000",
                    f"--screenshot={ROOT / 'docs/analytics/report.png'}", page.as_uri()], check=True, stderr=subprocess.DEVNULL)  # fmt: skip
