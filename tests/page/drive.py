"""The status page in Chromium, promise by promise: drive.py BINARY [--pictures]"""

import statistics
import sys
import tempfile
import time
import urllib.parse
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pictures import take_pictures
from store import fill
from world import ADMIN_TOKEN, READ_TOKEN, World

EVIL = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"

# How long the page may take with 10,000 alerts in the store: more than it takes by far, because machines differ.
SLOWEST_MS = 1500


def says(text: str) -> None:
    print(f"ok: {text}", flush=True)


@contextmanager
def browser():
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


def sign_in(page: Page, world: World, token: str, to: str = "/") -> None:
    page.goto(f"{world.url}{to}")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in")).to_be_visible()


def act(page: Page, label: str) -> None:
    """Opens an action, reads what it will do, and does it."""
    page.locator("details.act summary", has_text=label).first.click()
    form = page.locator("details.act[open] form")
    assert form.locator("p").inner_text(), f"{label} says what it will do"
    form.get_by_role("button", name=label).click()


def row(page: Page, title: str):
    return page.locator("tbody", has=page.locator("a.title", has_text=title))


def open_alert(page: Page, world: World, title: str) -> None:
    page.goto(f"{world.url}/?q={urllib.parse.quote(title)}")
    page.locator("a.title", has_text=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)


def check_signing_in(chromium: Browser, world: World) -> None:
    for path in ("/", "/alerts/ar-1", "/events"):
        status, text = world.ask(path)
        assert status in (303, 401) and "alertmanager" not in text, f"{path}: {status}"
    page = chromium.new_context().new_page()
    page.goto(f"{world.url}/?state=waiting")
    page.get_by_label("Token").fill("no-such-token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not one of the tokens")
    page.get_by_label("Token").fill(READ_TOKEN)
    page.get_by_role("button", name="Sign in").click()
    assert page.url == f"{world.url}/?state=waiting", f"the page that was asked for comes back: {page.url}"
    assert page.locator("details.act").count() == 0, "a reader is shown no action"
    cookie = page.context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and READ_TOKEN not in cookie["value"], cookie
    says("nothing is shown without a token; a read token shows all and acts on nothing")
    headers = {"cookie": f"{cookie['name']}={cookie['value']}", "content-type": "application/x-www-form-urlencoded"}
    assert world.ask("/actions/stop-all", b"form_token=x", headers)[0] == 403
    page.get_by_role("link", name="Sign in to act").click()
    page.get_by_label("Token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in as on-call")).to_be_visible()
    form_token = page.locator("input[name=form_token]").first.get_attribute("value")
    cookie = page.context.cookies()[0]
    good = {"cookie": f"{cookie['name']}={cookie['value']}", "content-type": "application/x-www-form-urlencoded"}
    form = f"form_token={form_token}".encode()
    refused = {
        "without its form token": world.ask("/actions/reload", b"form_token=", good)[0],
        "from another origin": world.ask("/actions/reload", form, {**good, "origin": "https://evil.example"})[0],
        "from another site": world.ask("/actions/reload", form, {**good, "sec-fetch-site": "cross-site"})[0],
        "by another host": world.ask("/actions/reload", form, {**good, "host": "evil.example"})[0],
        "without a cookie": world.ask("/actions/reload", form)[0],
    }
    assert set(refused.values()) <= {401, 403}, refused
    assert world.ask("/actions/reload", form, good)[0] == 303
    assert world.ask("/", headers={**good, "host": "evil.example"})[0] == 403
    says(f"an action is refused {', '.join(refused)}")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.context.close()


def check_headers(page: Page, world: World) -> None:
    headers = page.goto(world.url).all_headers()
    policy = headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert part in policy, policy
    assert "unsafe" not in policy, policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    says("a strict policy holds for what the page may load")
    # A chat, for example: the browser keeps the cookie back at first.
    other = page.context.new_page()
    other.set_content(f'<a href="{world.url}/?state=waiting">alert</a>')
    other.get_by_role("link").click()
    expect(other.get_by_text("Signed in as on-call")).to_be_visible()
    other.close()
    says("a link on another site leads whoever is signed in to the page")


def check_life(page: Page, world: World) -> None:
    page.goto(world.url)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    world.fire({"alertname": "CartDown", "service": "checkout", "severity": "critical", "summary": "Cart is down"})
    began = time.monotonic()
    expect(row(page, "Cart is down")).to_be_visible(timeout=1000)
    says(f"an alert is on the page {(time.monotonic() - began) * 1000:.0f} ms after its 202, without a reload")
    link = row(page, "Cart is down").locator(".pr a")
    expect(link).to_be_visible(timeout=30_000)
    assert link.get_attribute("href").startswith("https://"), link.get_attribute("href")
    assert link.get_attribute("rel") == "noopener noreferrer"
    expect(row(page, "Cart is down").locator(".badge")).to_have_text("Pull request")
    says(f"the page leads to the pull request {link.inner_text()}")
    open_alert(page, world, "Cart is down")
    timeline = page.locator("#timeline")
    for text in ("Delivered as firing", "May start", "Session created", "Ended as done"):
        expect(timeline).to_contain_text(text)
    expect(page.locator("#prompt")).to_contain_text("Cart is down")
    says("the page of an alert has its timeline and the prompt as sent")


def check_hostile(page: Page, world: World) -> None:
    world.fire({"alertname": "Evil", "service": "checkout", "summary": EVIL, "url": "javascript:alert(1)"})
    page.goto(f"{world.url}/?q=script")
    expect(page.locator("a.title")).to_contain_text("<script>")
    page.locator("a.title").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")
    assert page.evaluate("window.pwned") is None
    assert page.locator("a[href^='javascript' i]").count() == 0
    says("<script> and javascript: of an alert stay text")


def check_actions(page: Page, world: World) -> None:
    notice = page.locator(".notice[role=status]")
    page.goto(world.url)
    act(page, "Pause rule checkout")
    expect(notice).to_contain_text("The rule checkout is paused")
    world.fire({"alertname": "Slow", "service": "checkout", "summary": "Checkout is slow"})
    expect(row(page, "Checkout is slow").locator(".why")).to_contain_text("Held by paused")
    act(page, "Resume rule checkout")
    expect(notice).to_contain_text("is resumed")
    expect(row(page, "Checkout is slow").locator(".pr a")).to_be_visible(timeout=30_000)
    says("a rule is paused and resumed, and what it held says why")

    act(page, "Pause integration main")
    expect(page.locator("#integrations")).to_contain_text("paused by a person")
    act(page, "Resume integration main")
    expect(notice).to_contain_text("is resumed")
    act(page, "Pause everything")
    expect(page.get_by_role("alert")).to_contain_text("Everything is paused")
    act(page, "Resume everything")
    expect(page.get_by_role("alert")).to_have_count(0)
    says("an integration and the whole bridge are paused and resumed")

    act(page, "Reload the rules file")
    expect(notice).to_contain_text("was read again")
    good = world.rules.read_text()
    world.rules.write_text(good + "nonsense: true\n")
    act(page, "Reload the rules file")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not done")
    expect(page.locator("main")).to_contain_text("nonsense")
    world.rules.write_text(good)
    says("the rules are reloaded, and a file with a mistake is refused with its reason")

    world.fire({"alertname": "Export", "service": "batch", "summary": "Export hangs"})
    page.goto(world.url)
    expect(row(page, "Export hangs").locator(".badge")).to_have_text("Working", timeout=30_000)
    open_alert(page, world, "Export hangs")
    act(page, "End the session")
    expect(notice).to_contain_text("being ended")
    expect(page.locator("#timeline")).to_contain_text("Ended as", timeout=30_000)
    says("a session is ended")

    open_alert(page, world, "Cart is down")
    act(page, "Start again")
    expect(notice).to_contain_text("has a new job")
    act(page, "Suppress")
    expect(notice).to_contain_text("is suppressed")
    act(page, "Stop suppressing")
    expect(notice).to_contain_text("no longer suppressed")
    says("an alert is started again, suppressed, and suppressed no longer")

    # Last, because after a session without quota few others are started for a while.
    world.fire({"alertname": "Invoices", "service": "billing", "summary": "Invoices are late"})
    page.goto(world.url)
    expect(row(page, "Invoices are late").locator(".badge")).to_have_text("Dropped", timeout=30_000)
    page.locator("#warnings").get_by_role("link", name="alert that was stopped").click()
    expect(page.locator("a.title")).to_have_text(["Invoices: Invoices are late"])
    open_alert(page, world, "Invoices are late")
    act(page, "Retry")
    expect(notice).to_contain_text("is retried")
    expect(page.locator("#timeline")).to_contain_text("on-call")
    says("a job that ran out of quota is found from the warning and retried, and the timeline says who did it")
    expect(page.locator("#summary .badge")).to_have_text("Pull request", timeout=30_000)
    page.goto(world.url)
    expect(page.locator("#warnings")).not_to_contain_text("is used up")
    says("when the retry has worked, there is quota again")


def check_filter(page: Page, world: World) -> None:
    page.goto(world.url)
    page.get_by_label("Search in title and key").fill("CART")
    page.get_by_role("button", name="Filter").click()
    assert "q=CART" in page.url
    expect(page.locator("a.title")).to_have_text(["CartDown: Cart is down"])
    page.get_by_label("State").select_option("dropped")
    page.wait_for_url("**state=dropped**")
    expect(page.get_by_text("No alert matches.")).to_be_visible()
    says("search and filters stand in the address")


def check_without_scripts(chromium: Browser, world: World) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, world, ADMIN_TOKEN)
    expect(row(page, "Cart is down")).to_be_visible()
    act(page, "Pause rule rest")
    expect(page.locator(".notice[role=status]")).to_contain_text("The rule rest is paused")
    act(page, "Resume rule rest")
    context.close()
    says("the page is read and acted on without scripts")


def check_looks(chromium: Browser, world: World, alert: str) -> None:
    for scheme in ("light", "dark"):
        for width in (390, 1440):
            context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
            page = context.new_page()
            page.goto(world.url)
            check_page(page, f"sign-in {scheme} {width}")
            sign_in(page, world, ADMIN_TOKEN)
            for path in ("/", alert, "/?q=nothing-like-this"):
                page.goto(world.url + path)
                check_page(page, f"{path} {scheme} {width}")
            context.close()
    says("no page scrolls sideways at 390 px, and axe has no serious finding, light and dark")


def check_page(page: Page, what: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{what} is {wide} px too wide"
    found = Axe().run(page).response["violations"]
    serious = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, f"{what}: {serious}"


def check_many(page: Page, world: World) -> None:
    cookie = page.context.cookies()[0]
    headers = {"cookie": f"{cookie['name']}={cookie['value']}"}
    world.stop_bridge()
    fill(world.folder / "relay.db", 10_000)
    world.start_bridge()
    times = []
    for path in ("/", "/", "/", "/", "/", "/?state=waiting", "/?q=host+44"):
        began = time.monotonic()
        status, _ = world.ask(path, headers=headers)
        times.append((time.monotonic() - began) * 1000)
        assert status == 200
    print(f"with 10,000 alerts: {', '.join(f'{one:.0f}' for one in times)} ms", flush=True)
    assert statistics.median(times) < SLOWEST_MS, times
    page.goto(world.url)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("a.title")).to_have_count(50)
    says(f"the page takes {statistics.median(times):.0f} ms with 10,000 alerts in the store, and has further pages")


def main() -> None:
    binary = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        if "--pictures" in sys.argv:
            take_pictures(chromium, binary, Path(folder))
            return
        world = World(binary, Path(folder))
        try:
            check_signing_in(chromium, world)
            page = chromium.new_context().new_page()
            page.on("dialog", lambda dialog: (_ for _ in ()).throw(AssertionError(dialog.message)))
            problems: list[str] = []
            page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            sign_in(page, world, ADMIN_TOKEN)
            check_headers(page, world)
            check_life(page, world)
            alert = urllib.parse.urlparse(page.url).path
            check_hostile(page, world)
            check_actions(page, world)
            check_filter(page, world)
            check_without_scripts(chromium, world)
            check_looks(chromium, world, alert)
            page.goto(world.url)
            check_many(page, world)
            refused = [problem for problem in problems if "Content Security Policy" in problem]
            assert not refused, refused
            says("the browser refused nothing of the page")
        except BaseException:
            print((Path(folder) / "bridge.log").read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            world.stop()


main()
