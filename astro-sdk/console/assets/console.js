// What pages do beside what HTML does by itself: times in the reader's zone, rows that change in place,
// counting what is ticked, copying, keys. It has no state of its own: what the server sends is the state.

const here = document.querySelector("script[type=module]");
const main = document.getElementById("main");

// ── Markup of the server is the only text that becomes markup. ──

const plain = { createHTML: (text) => text };
const policy = globalThis.trustedTypes?.createPolicy("astro", plain) ?? plain;

/** @param {string} html @returns {DocumentFragment} */
function markup(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content;
}

// ── Times. ──

const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** @param {ParentNode} within */
function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const utc = time.title || time.textContent;
    const local = short.format(at);
    if (time.classList.contains("exact")) {
      time.textContent = local;
      time.title = utc;
    } else {
      time.title = `${local} · ${utc}`;
    }
  }
}

// ── Rows that are ticked. ──

function countChosen() {
  for (const form of document.querySelectorAll("form.rows")) {
    const ticks = [...form.querySelectorAll(".pick input:not([data-all])")];
    const elsewhere = form.querySelectorAll("input[type=hidden][name=item]").length;
    const chosen = ticks.filter((tick) => tick.checked).length + elsewhere;
    const said = form.querySelector("[data-chosen]");
    if (said) {
      said.dataset.nothing ??= said.textContent;
      const words = chosen === 1 ? said.dataset.one : said.dataset.many.replace("{}", String(chosen));
      said.textContent = chosen === 0 ? said.dataset.nothing : words;
    }
    const all = form.querySelector("[data-all]");
    if (all) {
      all.hidden = false;
      all.checked = chosen > 0 && chosen === ticks.length;
      all.indeterminate = chosen > 0 && chosen < ticks.length;
    }
  }
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-all]")) {
    for (const tick of target.form.querySelectorAll(".pick input")) tick.checked = target.checked;
  }
  if (target.matches("[data-submits]")) target.form.requestSubmit();
  countChosen();
});

// ── Forms: a button that was pressed says so, and is not pressed twice. ──

/** Whether a form was sent: the page makes way, and what it hears of itself meanwhile does not matter. */
let leaving = false;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post") return;
  form.dataset.sent = "yes";
  leaving = true;
  event.submitter?.setAttribute("aria-busy", "true");
});

// A page that comes back from the browser's memory can be used again.
addEventListener("pageshow", () => {
  leaving = false;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  countChosen();
});

// ── Copying. ──

document.addEventListener("click", async ({ target }) => {
  const source = target.closest?.("[data-copy]");
  if (!source || !getSelection()?.isCollapsed || !navigator.clipboard) return;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
  } catch {
    return;
  }
  const before = source.title;
  source.title = here.dataset.copied;
  source.classList.add("fresh");
  setTimeout(() => {
    source.title = before;
    source.classList.remove("fresh");
  }, 1500);
});

// ── Live: one stream while the page is visible, none while it is not. ──

const lamp = document.getElementById("lamp");
const more = document.querySelector(".more");
const pause = document.querySelector("[data-pause]");
let stream = null;
let wait = 3000;
let paused = false;
const elsewhere = new Set();

/** @param {boolean} on */
function light(on) {
  lamp.hidden = false;
  lamp.classList.toggle("on", on);
  lamp.textContent = on ? lamp.dataset.live : lamp.dataset.waits;
}

/** @param {string} id */
function tellMore(id) {
  elsewhere.add(id);
  const count = elsewhere.size;
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = count === 1 ? more.dataset.one : more.dataset.many.replace("{}", String(count));
  more.replaceChildren(link);
  more.hidden = false;
}

/** Puts a thing in the place of what stands there; a tick and the focus stay. */
function replace(old, fresh) {
  if (old.dataset.at ? old.dataset.at === fresh.dataset.at : old.textContent === fresh.textContent) return;
  const tick = old.querySelector(".pick input");
  const next = fresh.querySelector(".pick input");
  if (tick && next) next.checked = tick.checked;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  if (focused?.matches("input:not([type=checkbox]), textarea, select")) return tellMore(old.id);
  const path = focused?.getAttribute("href") ?? focused?.getAttribute("name");
  localTimes(fresh);
  old.replaceWith(fresh);
  fresh.classList.add("fresh");
  if (path) {
    const again = [...fresh.querySelectorAll("a, input")];
    again.find((it) => (it.getAttribute("href") ?? it.name) === path)?.focus();
  }
}

/** @param {MessageEvent} message */
function changed(message, fits) {
  const old = document.getElementById(`row-${message.lastEventId}`);
  const fresh = markup(message.data).firstElementChild;
  if (old && old.tagName === "LI") return tellMore(message.lastEventId);
  if (old && fresh?.tagName === old.tagName) return replace(old, fresh);
  if (!old && fits) tellMore(message.lastEventId);
}

function added(message) {
  const body = main.querySelector("tbody");
  if (!body || document.getElementById(`row-${message.lastEventId}`)) return;
  if (paused || scrollY > 200) return tellMore(message.lastEventId);
  const fresh = markup(message.data).firstElementChild;
  localTimes(fresh);
  fresh.classList.add("fresh");
  body.prepend(fresh);
  while (body.rows.length > 200) body.rows[body.rows.length - 1].remove();
}

/** What happened while the page was asleep: it is asked for once, and its rows are compared. */
async function catchUp() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (answer?.redirected && new URL(answer.url).pathname === "/sign-in") return signInAgain();
  if (!answer?.ok || answer.redirected) return;
  const page = markup(await answer.text());
  for (const fresh of page.querySelectorAll("[id^=row-]")) {
    const old = document.getElementById(fresh.id);
    if (old) replace(old, fresh);
    else tellMore(fresh.id.slice(4));
  }
}

/** The session is over: whoever signs in again comes back here. */
function signInAgain() {
  if (leaving) return;
  const back = new URLSearchParams({ back: location.pathname + location.search, ended: "yes" });
  location.replace(`/sign-in?${back}`);
}

function open() {
  if (stream || document.hidden || !main?.dataset.live) return;
  light(false);
  stream = new EventSource(main.dataset.live);
  stream.addEventListener("ready", () => {
    light(true);
    // Between the page and the first word of its stream something may have happened as well.
    catchUp();
    wait = 3000;
  });
  stream.addEventListener("row", (message) => changed(message, true));
  stream.addEventListener("gone", (message) => changed(message, false));
  stream.addEventListener("add", added);
  stream.addEventListener("stale", () => tellMore("stale"));
  for (const name of ["away", "error"]) {
    stream.addEventListener(name, () => {
      light(false);
      if (stream?.readyState !== EventSource.CLOSED && name === "error") return;
      close();
      // A server that refuses is asked less and less; the page finds out whether the session is over.
      catchUp();
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 60_000);
    });
  }
}

function close() {
  stream?.close();
  stream = null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);

if (pause) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? pause.dataset.goOn : pause.dataset.pause;
    if (!paused && elsewhere.size > 0) location.reload();
  });
}

// ── Keys, outside fields only; a reader can switch them off. ──

let before = "";

/** @param {number} step */
function move(step) {
  const rows = [...document.querySelectorAll("main tbody tr[id]")];
  const next = rows[rows.findIndex((row) => row.classList.contains("at")) + step] ?? rows[0];
  for (const row of rows) row.classList.toggle("at", row === next);
  next?.scrollIntoView({ block: "nearest" });
  next?.querySelector("a")?.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  const plainKey = !(event.ctrlKey || event.metaKey || event.altKey);
  const inField = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (!here.dataset.keys || !plainKey || inField) return;
  const go = (path) => document.querySelector(`#menu a[href^="${path}"]`)?.click();
  const chord = before === "g" ? `g${event.key}` : event.key;
  before = event.key;
  const does = {
    "/": () => document.querySelector(".search input")?.focus(),
    "?": () => go("/help"),
    n: () => document.querySelector("[data-new]")?.click(),
    gi: () => go("/items"),
    ga: () => go("/assignments"),
    ge: () => go("/events"),
    j: () => move(1),
    k: () => move(-1),
    x: () => document.querySelector("tr.at .pick input")?.click(),
  }[chord];
  if (!does) return;
  event.preventDefault();
  does();
});

localTimes(document);
countChosen();
open();
