// Follows what happens: on a change, the page is fetched again and what differs takes its place. Without this script, the page
// is the same and stands still.
"use strict";

const SLOWEST_MS = 30_000;
const main = document.getElementById("main");
const badge = document.createElement("span");
badge.className = "live";
badge.textContent = "Live";
badge.title = "This page follows what happens";
badge.hidden = true;
document.querySelector(".top nav").prepend(badge);
let isFetching = false;
let isStale = false;

/** Puts what differs in place, and leaves alone what somebody is about to fill in, and what is open. */
function take(fresh) {
  document.title = fresh.title;
  const next = fresh.getElementById("main");
  const parts = [...main.querySelectorAll("[id]")].filter((part) => part.matches("section, ul, div"));
  const names = (root) => [...root.querySelectorAll("section[id], ul[id], div[id]")].map((part) => part.id).join();
  if (names(main) !== names(next) && !isBusy(main)) {
    replace(main, next);
    return;
  }
  for (const part of parts) {
    const other = next.querySelector("#" + CSS.escape(part.id));
    if (other && !isBusy(part)) replace(part, other);
  }
}

/** Whether a form in it is open, or has the focus. */
function isBusy(part) {
  return part.querySelector("details.act[open]") !== null || part.contains(document.activeElement?.closest("form") ?? null);
}

function replace(part, other) {
  const summaries = (root) => [...root.querySelectorAll("details")];
  const open = new Map(summaries(part).map((one) => [one.querySelector("summary").textContent, one.open]));
  for (const one of summaries(other)) one.open = open.get(one.querySelector("summary").textContent) ?? one.open;
  if (part.innerHTML === other.innerHTML) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  part.replaceChildren(...other.childNodes);
  if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

async function refresh() {
  if (document.hidden || isFetching) {
    isStale = true;
    return;
  }
  isFetching = true;
  isStale = false;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The bridge is away for a moment; the next change or the next half minute tries again.
  }
  isFetching = false;
  if (isStale) refresh();
}

const events = new EventSource(`/events?seen=${main.dataset.seen}`);
events.addEventListener("open", () => { badge.hidden = false; });
events.addEventListener("error", () => { badge.hidden = true; });
events.addEventListener("change", refresh);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
// Ages grow though nothing happens.
setInterval(refresh, SLOWEST_MS);

// Not on each choice: they are replaced with what is around them.
document.addEventListener("change", (event) => {
  if (event.target.matches(".filter select")) event.target.form.requestSubmit();
});
