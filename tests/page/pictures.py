"""The pictures of the documents: the status page over a simulated organization in which something has happened."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from store import age
from world import ADMIN_TOKEN, World

DOCS = Path(__file__).parents[2] / "docs"

ALERTS = [
    ("CheckoutLatencyHigh", "checkout", "critical", "Checkout takes 4.2 s at the 99th percentile"),
    ("CartErrors", "checkout", "high", "The cart answers 500 to 7 % of requests"),
    ("InvoiceQueueStuck", "billing", "high", "No invoice has been sent for 20 minutes"),
    ("SearchReindexFailed", "search", "medium", "The nightly reindex failed: mapping conflict in products"),
    ("ExportSlow", "batch", "low", "The export to the warehouse takes three hours"),
    ("CertificateExpires", "rest", "medium", "The certificate of api.example.com expires in 6 days"),
]


def take_pictures(chromium: Browser, binary: str, folder: Path) -> None:
    world = World(binary, folder, seconds="4")
    try:
        world.fire(*({"alertname": name, "service": service, "severity": severity, "summary": summary} for name, service, severity, summary in ALERTS))
        page = sign_in(chromium, world, "light", 1280, 1000)
        for tone, count in (("bad", 1), ("good", 3), ("warn", 1)):
            expect(page.locator(f".badge.{tone}")).to_have_count(count, timeout=150_000)
        world.stop_bridge()
        age(folder / "relay.db")
        world.start_bridge()
        world.fire(*({"alertname": "VolumeFull", "service": "storage", "severity": "high", "node": f"node-{number}", "summary": f"The volume of node-{number} is full"} for number in range(7)))
        for name, width, height in (("page", 1200, 820), ("phone", 390, 780)):
            page = sign_in(chromium, world, "light", width, height)
            expect(page.locator(".storm").first).to_be_visible()
            page.screenshot(path=DOCS / f"status-{name}.png")
        page = sign_in(chromium, world, "dark", 1200, 900)
        page.locator("#charts").screenshot(path=DOCS / "status-charts.png")
        page.locator("a.title", has_text="Checkout takes 4.2 s").click()
        expect(page.locator("#timeline")).to_be_visible()
        page.screenshot(path=DOCS / "status-alert.png")
    finally:
        world.stop()


def sign_in(chromium: Browser, world: World, scheme: str, width: int, height: int):
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(world.url)
    page.get_by_label("Token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    return page
