/* Keeps an open page of the workspace true (direction §10): one stream for all tabs, fragments fetched with one's own
   rights, polling while there is no stream. What one reads, writes or points at never moves by itself. */
(() => {
  "use strict";
  const doc = document, body = doc.body, block = doc.getElementById("workspace");
  const words = block && JSON.parse(block.textContent).live;
  if (!words) return;
  const one = (css, inside = doc) => inside.querySelector(css), all = (css, inside = doc) => [...inside.querySelectorAll(css)];
  const me = +body.dataset.person, POLL = 20000, FADES = 45000, BEAT = 15000;
  const plural = new Intl.PluralRules(doc.documentElement.lang);
  const counted = (forms, n) => forms[{ one: 0, few: 1 }[plural.select(parseInt(n))] ?? 2].replace("{n}", n);  // n may be "199+"
  const parsed = (html) => { const box = doc.createElement("template"); box.innerHTML = html; return box.content; };
  const grown = (node) => { window.htmx?.process(node); return node; };
  const say = (text) => { const box = one("#said"); box.textContent = ""; setTimeout(() => { box.textContent = text; }, 50); };
  const open = () => +(location.pathname.match(/^\/w\/t\/(\d+)\/$/)?.[1] || 0);
  /* The queue that the page shows, as `?from=` has it. */
  const tail = () => open() ? new URLSearchParams(location.search).get("from") || "" : (location.pathname.startsWith(words.desk) ? location.pathname.slice(words.desk.length) : "") + location.search;
  const get = async (address, about = {}) => {
    const answer = await fetch(`${words.desk}${address}?${new URLSearchParams({ from: tail(), open: open() || "", ...about })}`);
    if (answer.redirected || !answer.ok) throw new Error(answer.status);
    return answer.status === 204 ? null : answer.text();
  };
  const quietly = (work) => work.catch(() => {});  // the next event or poll asks again

  /* Counters: tabs, rail, the title of the window. Only the words inside the links change: the focus stays. */
  const title = () => {
    const late = one(".lines a[aria-current] .cnt--late")?.lastChild.textContent;
    doc.title = (late ? `(${counted(words.late, late)}) ` : "") + doc.title.replace(/^\(\d+[^)]*\)\s*/, "");
  };
  const count = async () => {
    const fresh = parsed(await get("live/counters/"));
    for (const name of ["lines", "rail"]) for (const link of all(`.${name} a`, fresh)) {
      const shown = all(`.${name} a`).find((other) => other.getAttribute("href") === link.getAttribute("href"));
      if (shown && shown.innerHTML !== link.innerHTML) shown.innerHTML = link.innerHTML;
    }
    title();
  };

  /* Rows. A row changes where it stands; the order changes only while nobody points at the list or is in it. */
  const plain = (node) => node ? node.textContent.replace(/\s+/g, " ") : "\0";
  const text = (row) => plain(row).replace(plain(one(".sla", row)), "");
  const due = (row) => one(".sla time", row)?.dateTime || "9";
  const tint = (row) => { row.classList.add("is-fresh"); setTimeout(() => row.classList.remove("is-fresh"), 260); };
  const swap = (old, fresh) => {
    const inside = old.contains(doc.activeElement), box = one("input[type=checkbox]", old);
    if (box?.checked) { const now = one("input[type=checkbox]", fresh); if (now) now.checked = true; }
    const changed = text(old) !== text(fresh);
    old.replaceWith(fresh);
    grown(fresh);
    if (inside) one(".q__s", fresh)?.focus({ preventScroll: true });
    doc.dispatchEvent(new Event("rows"));
    if (changed) tint(fresh);
    pencils();
  };
  const dues = new Map(all(".rows .q").map((row) => [row.id, due(row)]));
  const refreshRow = async (n) => {
    const html = await get(`t/${n}/row/`), old = doc.getElementById(`row-${n}`);
    if (!old) return;
    old.classList.toggle("is-gone", html === null);
    old.title = html === null ? words.gone : "";
    if (html !== null) swap(old, parsed(html).querySelector(".q"));
  };
  const busy = () => { const rows = one(".rows"); return rows.matches(":hover") || rows.contains(doc.activeElement) || !!one(".rows :checked"); };
  const banner = one("#fresh");
  let waiting = null;
  const apply = (list, asked) => {
    const rows = one(".rows"), at = rows.scrollTop, held = new Set(all(".q", rows).map((row) => row.id));
    const was = rows.contains(doc.activeElement) && doc.activeElement.closest(".q")?.id;
    const ticked = all(".q :checked", rows).map((box) => box.closest(".q").id);
    rows.replaceChildren(...one(".rows", list).childNodes);
    grown(rows);
    for (const id of ticked) one(`#${id} .q__c`)?.click();  // as by hand: queue.js counts them
    rows.scrollTop = asked ? 0 : at;
    if (was) one(`#${was} .q__s`)?.focus({ preventScroll: true });
    else if (asked) rows.focus({ preventScroll: true });
    doc.dispatchEvent(new Event("rows"));
    dues.clear();
    for (const row of all(".q", rows)) { dues.set(row.id, due(row)); if (held.size && !held.has(row.id)) tint(row); }
    waiting = null;
    banner.hidden = true;
    pencils();
  };
  /* Rows under their horizons, as they stand: time alone moves a row from one to the next. */
  const order = (inside) => all(".grp, .q", inside).map((node) => node.id || node.className).join();
  banner?.lastChild.addEventListener("click", () => { if (waiting) apply(waiting, true); });
  const queued = () => open() || /^\/w\/(my\/|l\/\d\/|v\/[^/]+\/)?$/.test(location.pathname);
  const compare = async () => {
    if (!one(".rows") || !queued()) return;
    const list = parsed(await get("live/list/")), rows = all(".rows .q", list), ids = rows.map((row) => row.id);
    const shown = all(".rows .q").map((row) => row.id);
    body.dispatchEvent(new Event("fresh"));  // what to take next (desk/_nearest.html) asks by itself
    for (const row of rows) {  // what changed unheard changes where it stands
      const old = doc.getElementById(row.id);
      if (old && text(old) !== text(row)) swap(old, row.cloneNode(true));
    }
    if (order(one(".rows", list)) === order(one(".rows"))) {
      all(".grp", list).forEach((head, place) => { all(".rows .grp")[place].innerHTML = head.innerHTML; });
      waiting = null;
      banner.hidden = true;
      return;
    }
    if (!busy()) { apply(list); return; }
    waiting = list;
    const fresh = ids.filter((id) => !shown.includes(id)).length, sooner = rows.filter((row) => dues.has(row.id) && due(row) < dues.get(row.id)).length;
    const left = shown.filter((id) => !ids.includes(id)).length;
    const told = [fresh && counted(words.new, fresh), sooner && counted(words.sooner, sooner), left && counted(words.left, left)].filter(Boolean);
    banner.firstChild.textContent = told.join(", ") || words.moved;
    banner.hidden = false;
  };

  /* The open ticket: its head, and what was said since. Composer, focus, selection and open menus are left alone. */
  let headWaits = false;
  const head = async () => {
    const n = open(), old = one(".tk__h");
    if (!old) return;
    if (one("details[open]", old) || old.contains(doc.activeElement)) { headWaits = true; return; }
    headWaits = false;
    const fresh = parsed(await get(`t/${n}/head/`)), used = (node) => !node || one("details[open]", node) || node.contains(doc.activeElement);
    const upto = seen();
    for (const css of open() === n ? [".tk__h", ".ctx"] : []) {
      const shown = one(`.tk ${css}`), now = one(css, fresh), at = shown?.scrollTop;
      if (used(shown) || !now) continue;
      shown.replaceWith(now);
      grown(now).scrollTop = at;
    }
    seenNow(upto);
    dispatchEvent(new Event("link"));  // chips of the moment tick on
    pencils();
  };
  for (const name of ["toggle", "focusout"]) doc.addEventListener(name, () => { if (headWaits) setTimeout(() => { if (headWaits) quietly(head()); }, 200); }, true);
  const scroller = () => all(".msgs, .tk__b, .tk").reverse().find((box) => getComputedStyle(box).overflowY === "auto") || one(".tk");
  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  /* What was really on the screen is read: only so much do the forms say to have seen, and the server is told. */
  const seen = () => +(one("#composer [name=seen]")?.value || 0);
  const seenNow = (upto) => { for (const box of all("#pane [name=seen]:not([data-who])")) if (+box.value !== upto) box.value = upto; };
  const looked = () => {
    const box = scroller(), newest = +(all("[id^=message-]", box).pop()?.id.slice(8) || 0);
    if (doc.visibilityState !== "visible" || newest <= seen() || !atEnd(box)) return;
    seenNow(newest);
    quietly(beat(newest).then(() => refreshRow(open())));
  };
  let unread = 0;
  const pill = () => {
    let box = one("#newer");
    if (!box) {
      one(".msgs").after(parsed('<button id="newer" type="button" class="newer"></button>'));
      box = one("#newer");
      box.addEventListener("click", () => { const place = scroller(); place.scrollTop = place.scrollHeight; unread = 0; box.hidden = true; });
    }
    const composer = one("#composer");  // on a phone it lies over the foot of the messages
    box.style.bottom = composer && getComputedStyle(composer).position === "sticky" ? `${composer.offsetHeight + 6}px` : "6px";
    box.textContent = counted(words.unread, unread) + " ↓";
    box.hidden = !unread;
  };
  doc.addEventListener("scroll", (event) => { if (event.target !== scroller() || !atEnd(event.target)) return; if (unread) { unread = 0; pill(); } looked(); }, true);
  const thread = async () => {
    const n = open(), place = one(".msgs"), last = place && all("[id^=message-]", place).pop();
    if (!n || !place || !last) return;
    const fresh = parsed(await get(`t/${n}/thread/`, { after: last.id.slice(8) }));
    if (open() !== n || !last.isConnected || all("[id^=message-]", place).pop() !== last) return;
    const box = scroller(), end = atEnd(box), opened = new Set(all("details[open]", place).map((one) => one.textContent));
    let after = last;
    while (after.parentElement !== place) after = after.parentElement;
    while (after.nextSibling) after.nextSibling.remove();
    const added = all("[id^=message-]", fresh), by = added.at(-1) && one("header b", added.at(-1))?.textContent;
    for (const fold of all("details", fresh)) if (opened.has(fold.textContent)) fold.open = true;
    place.append(fresh);
    added.forEach((message) => { grown(message); tint(message); });
    if (end) { box.scrollTop = box.scrollHeight; looked(); }
    else unread += added.length;
    if (added.length) { pill(); say(words.message.replace("{name}", by || "")); }
  };

  /* 15 minutes and the moment itself of the open ticket's promises are said once, politely. */
  const said = new Map();
  setInterval(() => {
    for (const lane of all(".tk .lane")) {
      const chip = one(".sla[data-left]", lane), name = one(".lane__k", lane)?.textContent, key = open() + name;
      if (!chip) continue;
      const { left, at, open: until } = chip.dataset, now = (Date.now() + offset) / 1000, rest = left - Math.max(0, Math.min(now - at, until));
      const state = rest <= 0 ? 0 : rest <= 900 ? 15 : 99;
      if (said.has(key) && state < said.get(key)) say(words[`left${state}`].replace("{promise}", name));
      said.set(key, state);
    }
  }, 5000);
  const offset = body.dataset.now ? body.dataset.now * 1000 - Date.now() : 0;

  /* Who is there: told by heartbeats, faded after 45 seconds, never oneself. */
  const people = new Map();  // "number:person": {n, by, state, name, full, until}
  const pencil = () => parsed(`<svg class="ic" aria-hidden="true" focusable="false"><use href="${one("use").getAttribute("href").replace(/#.*/, "#pencil")}"/></svg>`);
  const phrase = (forms, names) => forms[names.length > 1 ? 1 : 0].replace("{name}", names.join(", "));
  const pencils = () => {
    const now = Date.now();
    for (const [key, who] of people) if (who.until < now) people.delete(key);
    const writes = new Map();
    for (const who of people.values()) if (who.state === "writing") writes.set(who.n, [...(writes.get(who.n) || []), who.name]);
    for (const mark of all(".q__pen")) if (!writes.has(+mark.dataset.n)) mark.remove();
    for (const [n, names] of writes) {
      const row = one(`#row-${n} .q__r`), told = phrase(words.writing, names);
      if (!row) continue;
      let mark = one(".q__pen", row);
      if (!mark) {
        row.prepend(parsed(`<span class="q__pen" data-n="${n}"><span class="sr"></span></span>`));
        mark = row.firstChild;
        mark.prepend(pencil());
      }
      mark.title = mark.lastChild.textContent = told;
    }
    const top = one(".tk__top"), at = [...people.values()].filter((who) => who.n === open());
    let box = one("#who");
    if (!box && top && at.length) {
      one(".tk__act", top).before(parsed('<span id="who" class="who"></span>'));
      box = one("#who");
    }
    if (!box) return;
    const told = ["writing", "looking"].map((state) => [state, at.filter((who) => who.state === state)]).filter(([, who]) => who.length);
    const line = told.map(([state, who]) => phrase(words[state], who.map((one) => one.name))).join("; ");
    if (box.textContent !== line) { box.textContent = line; if (told[0]?.[0] === "writing") box.prepend(pencil()); }
    box.title = at.map((who) => who.full).join(", ");
    box.hidden = !line;
  };
  const heard = (who) => {
    if (who.by === me) return;
    const key = `${who.n}:${who.by}`;
    if (who.state === "gone") people.delete(key);
    else people.set(key, { ...who, until: Date.now() + FADES });
    pencils();
  };
  setInterval(pencils, 5000);
  const form = (state, seen = "") => new URLSearchParams({ state, seen, csrfmiddlewaretoken: one("[name=csrfmiddlewaretoken]").value });
  let lastTyped = 0, told = { n: 0, state: "" };
  const gone = () => { if (told.n) navigator.sendBeacon(`${words.desk}t/${told.n}/presence/`, form("gone")); told = { n: 0, state: "" }; };
  const beat = async (upto) => {
    const n = open();
    if (told.n !== n) gone();
    if (!n || doc.visibilityState !== "visible" || linked === false && !navigator.onLine) return;
    const state = Date.now() - lastTyped < BEAT ? "writing" : "looking";
    told = { n, state };
    const answer = await fetch(`${words.desk}t/${n}/presence/`, { method: "POST", body: form(state, upto) });
    if (answer.ok && !linked) (await answer.json()).here.forEach(heard);
  };
  doc.addEventListener("input", (event) => {
    if (!event.target.closest?.("#composer")) return;
    lastTyped = Date.now();
    if (told.state !== "writing") { told.state = "writing"; quietly(beat()); }
  });
  addEventListener("pagehide", gone);
  setInterval(() => quietly(beat()), BEAT);
  doc.addEventListener("htmx:pushedIntoHistory", () => setTimeout(() => { unread = 0; quietly(beat()); pencils(); }, 0));
  doc.addEventListener("htmx:afterSettle", () => { pencils(); title(); });
  doc.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.elt.id !== "composer" || !event.detail.successful) return;
    lastTyped = 0;
    quietly(beat());
  });
  doc.addEventListener("visibilitychange", () => { quietly(beat()); if (open()) looked(); });

  /* Many events at once are one look: counters at once, the list not more often than every three seconds. */
  const heap = new Set();
  let soon, compared = 0, later;
  const look = () => {
    soon = 0;
    const numbers = [...heap];
    heap.clear();
    quietly(count());
    for (const n of numbers.slice(0, 8)) {
      if (doc.getElementById(`row-${n}`)) quietly(refreshRow(n));
      if (n === open()) { quietly(thread()); quietly(head()); }
    }
    clearTimeout(later);
    later = setTimeout(() => { compared = Date.now(); quietly(compare()); }, Math.max(300, compared + 3000 - Date.now()));
  };
  const happened = (event) => { heap.add(event.n); soon ||= setTimeout(look, 150); };
  const everything = () => { if (open()) heap.add(open()); look(); };

  /* One stream in one tab, by a lock; it passes what it hears on to the others. */
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(`live-${me}`) : null;
  let linked = null, since = Date.now(), lastId = body.dataset.now ? `${(body.dataset.now - 2) * 1000}-0` : "", stream = null, beaten = Date.now();
  const take = ({ kind, id, data }) => {
    beaten = since = Date.now();
    if (id) lastId = id;
    if (!linked) link(true);
    if (kind === "ticket") happened(data);
    if (kind === "here") heard(data);
    if (kind === "reload") everything();
  };
  const found = () => { if ("lost" in body.dataset) { delete body.dataset.lost; dispatchEvent(new Event("link")); } };
  const link = (there) => {
    const was = linked;
    linked = there;
    if (there) found();
    if (there && was === false) everything();
  };
  if (channel) channel.onmessage = ({ data }) => take(data);
  const tellAll = (message) => { take(message); channel?.postMessage(message); };
  const listen = () => {
    stream?.close();
    stream = new EventSource(`${words.stream}?last=${encodeURIComponent(lastId)}`);
    for (const kind of ["ticket", "here", "reload", "hello", "beat"]) {
      stream.addEventListener(kind, (event) => tellAll({ kind, id: event.lastEventId, data: event.data ? JSON.parse(event.data) : null }));
    }
    stream.onerror = () => { if (linked !== false) link(false); };
  };
  if (navigator.locks && channel) navigator.locks.request(`live-${me}`, () => { listen(); return new Promise(() => {}); });
  else listen();

  /* No word for 35 seconds is no stream, whatever the browser thinks. Then the page asks by itself, and says so where
     even that has failed for 20 seconds. */
  const poll = async () => {
    if (Date.now() - beaten > 35000 && linked !== false) link(false);
    if (linked) return;
    if (stream && (stream.readyState === EventSource.CLOSED || Date.now() - beaten > 60000)) listen();
    try {
      await count();
      since = Date.now();
      found();
      await Promise.all([compare(), thread(), head()]);
    } catch { /* said below, once it lasts */ }
  };
  setInterval(() => quietly(poll()), POLL);
  setInterval(() => {
    if (linked || Date.now() - since < POLL || "lost" in body.dataset) return;
    quietly(count().then(() => { since = Date.now(); }, () => { body.dataset.lost = since; dispatchEvent(new Event("link")); }));
  }, 5000);
  setInterval(() => quietly(compare()), 60000);  // time goes on where nothing happens
  addEventListener("online", () => quietly(poll()));
  quietly(beat());
  title();
})();
