/* Makes the pages pleasant; every page works without it. No eval, no inline code (strict CSP). */
(() => {
  "use strict";
  const doc = document, root = doc.documentElement, body = doc.body, on = (name, act, capture) => doc.addEventListener(name, act, capture);
  const one = (css, inside = doc) => inside.querySelector?.(css), all = (css, inside = doc) => [...inside.querySelectorAll(css)];
  const store = (kind) => { try { return window[kind]; } catch { return null; } };  // storage may be forbidden
  const local = store("localStorage"), session = store("sessionStorage");

  /* Theme: at once here; the form's own address keeps it without this script. */
  on("submit", (event) => {
    const form = event.target, theme = event.submitter?.value;
    if (!form.matches("[data-theme-form]") || !theme) return;
    event.preventDefault();
    root.dataset.theme = theme;
    doc.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    one(theme === "dark" ? ".to-light" : ".to-dark", form).focus();
  });

  /* Chips count on from the server's numbers by the server's clock, never past the hour when service closes. */
  const offset = body.dataset.now ? body.dataset.now * 1000 - Date.now() : 0;
  const seconds = () => (Date.now() + offset) / 1000;
  const [H, MIN, WD, D, UP] = (body.dataset.units || "||||").split("|");
  const span = (minutes, day) => {
    const whole = day ? day / 60 : 1440, days = Math.floor(minutes / whole);
    const hours = Math.floor((minutes % whole) / 60), rest = minutes % 60;
    if (days) return `${days} ${day ? WD : D}` + (hours ? ` ${hours} ${H}` : "");
    return hours ? `${hours} ${H}` + (rest ? ` ${rest} ${MIN}` : "") : `${rest} ${MIN}`;
  };
  const icons = { ok: "clock", soon: "clock-alert", crit: "timer", late: "siren" };
  // No link for a while: no number is shown that may be a lie, but when it was true last (desk/live.js says so too).
  const lost = () => !navigator.onLine || "lost" in body.dataset;
  let known = Date.now();
  const wall = (at) => new Intl.DateTimeFormat("ru", { timeZone: one("time[data-clock]")?.dataset.clock, hour: "2-digit", minute: "2-digit" }).format(at);
  const stale = (chip) => {
    const use = one("use", chip), value = one("time", chip) || one(".sla__v", chip), said = one(".sr", chip);
    chip.dataset.icons ??= use.getAttribute("href").replace(/#.*/, "");
    value.textContent = wall(known);
    said.textContent = `${said.textContent.split(":")[0]}: ${body.dataset.stale} ${wall(known)}`;
    use.setAttribute("href", "#cloud-off");  // drawn in the page (_defs.html): there is nothing to fetch it by
  };
  const tick = () => {
    let next = 30;
    if (lost()) all(".sla[data-left]").forEach(stale);
    for (const chip of lost() ? [] : all(".sla[data-left]")) {
      const { left, at, open, soon, crit, day } = chip.dataset;
      const rest = left - Math.max(0, Math.min(seconds() - at, open));
      const state = rest <= 0 ? "late" : rest <= crit ? "crit" : rest <= soon ? "soon" : "ok";
      if (rest < 600 && rest > -60) next = 1;
      const minutes = rest > 0 ? Math.ceil(rest / 60) : Math.floor(-rest / 60);
      const words = rest > 0 ? span(minutes, +day) : minutes ? "−" + span(minutes, +day) : UP;
      const value = one("time", chip) || one(".sla__v", chip), said = one(".sr", chip), use = one("use", chip);
      if (value.textContent === words) continue;
      value.textContent = words;
      said.textContent = `${said.textContent.split(":")[0]}: ${words}`;
      for (const name in icons) chip.classList.toggle("sla--" + name, name === state);
      use.setAttribute("href", (chip.dataset.icons ?? use.getAttribute("href").replace(/#.*/, "")) + "#" + icons[state]);
    }
    for (const clock of all("time[data-clock]")) {
      const as = { timeZone: clock.dataset.clock, hour: "2-digit", minute: "2-digit" };
      clock.textContent = new Intl.DateTimeFormat("ru", as).format(seconds() * 1000);
    }
    return next;
  };
  let timer;
  const ticking = () => { clearTimeout(timer); timer = setTimeout(ticking, tick() * 1000); };
  ticking();
  on("visibilitychange", ticking);
  const link = () => {
    const strip = one("#offline"), when = strip && one("time", strip);
    if (lost() && !body.matches(".is-offline")) known = +body.dataset.lost || Date.now();
    body.classList.toggle("is-offline", lost());
    if (strip && strip.nextElementSibling?.id !== "messages") one("#messages")?.before(strip);  // beside it: an answer takes its place
    if (strip) strip.hidden = !lost();
    if (when) when.textContent = wall(known);
    ticking();
  };
  ["offline", "online", "link"].forEach((name) => addEventListener(name, link));

  /* What was done is said over the desk's page (app.css) and leaves by itself, later for whom points at it or is in it;
     what went wrong stays until it is closed. */
  const left = (message) => {
    if (message.matches(":hover") || message.contains(doc.activeElement)) setTimeout(left, 2000, message);
    else message.hidden = true;
  };
  const told = () => {
    for (const message of all("#messages > .flash:not([data-told])")) {
      message.dataset.told = "";
      message.append(one("#close-message").content.cloneNode(true));
      if (message.matches(".ws *") && !message.matches(".flash--error, .flash--warning")) setTimeout(left, Math.min(15000, 5000 + 50 * message.textContent.length), message);
    }
  };
  on("click", (event) => { const close = event.target.closest("[data-close]"); if (close) close.closest(".flash").hidden = true; });
  told();

  /* Menus close on a click elsewhere and on Escape, which gives the focus back. */
  on("click", (event) => all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  on("keydown", (event) => {
    const menu = event.key === "Escape" && one("details.menu[open]");
    if (menu) { menu.open = false; one("summary", menu).focus(); }
  });

  /* What a search field or the palette offers is walked through by arrows. */
  on("keydown", (event) => {
    const box = event.target.closest(".tsearch, #palette"), by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!box || !by) return;
    event.preventDefault();
    const stops = all("input, a", box);
    stops[(stops.indexOf(doc.activeElement) + by + stops.length) % stops.length].focus();
  });

  /* What cannot be undone is asked once: data-confirm on the form or its button. In capture: before htmx sees it. */
  const dialog = one("#confirm");
  on("submit", (event) => {
    const form = event.target, button = event.submitter, asks = button?.dataset.confirm ? button : form;
    if (!asks.dataset.confirm || form.dataset.sure || !dialog) { delete form.dataset.sure; return; }
    event.preventDefault();
    event.stopImmediatePropagation();
    const yes = one("[value=yes]", dialog);
    one("h2", dialog).textContent = asks.dataset.confirm;
    yes.textContent = asks.dataset.confirmYes || yes.dataset.plain;
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return button?.focus();
      form.dataset.sure = "1";
      form.requestSubmit(button);
    };
    dialog.returnValue = "";
    dialog.showModal();
  }, true);

  /* One submit at a time: the button says that it is busy; an answer or coming back wakes it. */
  const wake = (form) => { delete form.dataset.busy; all("[aria-busy]", form).forEach((button) => button.removeAttribute("aria-busy")); };
  on("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.matches("[data-theme-form]")) return;
    if (form.dataset.busy) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    form.dataset.busy = "1";
    event.submitter?.setAttribute("aria-busy", "true");
    if (form.matches("[data-forget]")) Object.keys(local || {}).forEach((key) => key.startsWith("draft:") && local.removeItem(key));
    else if (form.dataset.draft && !form.hasAttribute("hx-post")) session?.setItem("sent", keyOf(form));
    else if (form.dataset.again && session?.getItem("unsent")) {  // what did not arrive is sent again, or thrown away
      if (form.dataset.again === "send") session.setItem("sent", session.getItem("unsent"));
      else local?.removeItem(session.getItem("unsent"));
    }
  }, true);
  addEventListener("pageshow", () => all("form[data-busy]").forEach(wake));

  /* Drafts: what was typed stays on this device until it is sent. <form data-draft="reply-10471">. */
  const keyOf = (form) => `draft:${body.dataset.person || ""}:${form.dataset.draft}`;
  const parse = (text) => { try { return JSON.parse(text) || {}; } catch { return {}; } };
  const typed = (form) => all("textarea[name], input[type=text][name]", form);
  const chosen = (form) => all("input[type=radio]:checked", form).map((radio) => [radio.name, radio.value]);
  const restore = () => {
    for (const form of local ? all("form[data-draft]:not([data-drafted])") : []) {
      form.dataset.drafted = "1";
      const kept = parse(local.getItem(keyOf(form)));
      const found = typed(form).filter((field) => kept[field.name] && !field.value);
      found.forEach((field) => { field.value = kept[field.name]; });
      // With the text comes back for whom it was: a note must not return as a reply.
      if (found.length) all("input[type=radio]", form).forEach((radio) => { radio.checked = (kept[radio.name] ?? (radio.checked && radio.value)) === radio.value; });
      if (found.length && one("[data-draft-note]", form)) one("[data-draft-note]", form).hidden = false;
    }
  };
  const sent = session?.getItem("sent");
  if (sent) {  // A page reached by going on after sending, without an error, means that it arrived.
    const nav = performance.getEntriesByType("navigation")[0] || {};
    if (!body.dataset.person || one("[data-again]")) session.setItem("unsent", sent);  // the sign-in page: nothing arrived
    else {
      session.removeItem("unsent");
      if (nav.type === "navigate" && !(nav.responseStatus >= 400) && !one(".esum")) local?.removeItem(sent);
    }
    session.removeItem("sent");
  }
  restore();
  on("input", (event) => {
    const form = event.target.form;
    if (!local || !form?.dataset.draft) return;
    const kept = typed(form).filter((field) => field.value && field.value !== field.defaultValue).map((field) => [field.name, field.value]);
    if (kept.length) local.setItem(keyOf(form), JSON.stringify(Object.fromEntries([...kept, ...chosen(form)])));
    else local.removeItem(keyOf(form));
  });

  on("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "Enter" && event.target.matches("textarea")) event.target.form?.requestSubmit();
  });

  /* A refused form starts at its summary, a conversation at what is new in it, else at its end; what htmx brings in is
     treated alike. By the window's width its own box scrolls, or that of the ticket. */
  const scroller = () => all(".msgs, .tk__b, .tk").reverse().find((box) => getComputedStyle(box).overflowY === "auto");
  const settle = (inside) => {
    const msgs = one(".msgs", inside), box = msgs && scroller(), fresh = one("#new"), edge = (node) => node.getBoundingClientRect();
    if (box && !box.contains(doc.getElementById(location.hash.slice(1)))) {
      if (fresh) box.scrollTop += edge(fresh).top - edge(box).top - 8;
      else box.scrollTop += box === msgs ? box.scrollHeight : edge(msgs.parentElement).bottom - edge(box).bottom;
    }
    one(".esum[tabindex]", inside)?.focus();
  };
  settle(doc);
  on("htmx:afterSettle", (event) => {
    restore(); ticking(); told(); settle(event.target);
    if (!event.detail.requestConfig?.elt.matches?.(".q__s") || !one(".tk")) return;
    one("#pane").focus({ preventScroll: true });  // a ticket opened from the list is read from its top, and named in the tab
    doc.title = `${one(".tk .num").textContent} ${one(".tk__t").textContent} · ${doc.title.split(" · ").pop()}`;
  });
  on("htmx:afterRequest", (event) => {
    const form = event.detail.requestConfig.elt;  // detail.elt is its parent once the form itself was replaced
    if (!form.matches("form")) return;
    wake(form);
    if (event.detail.successful && form.dataset.draft) local?.removeItem(keyOf(form));
  });
  const failed = () => {
    const strip = doc.createElement("p");
    strip.className = "flash flash--error";
    strip.textContent = body.dataset.failed;
    one("#messages")?.replaceChildren(strip);
    told();
  };
  /* A row that comes with an answer is wanted only where it stands in the list. */
  on("htmx:beforeSwap", (event) => {
    const row = /<template>\s*<li [^>]*id="(row-\d+)"[^]*?<\/template>/.exec(event.detail.serverResponse || "");
    if (row && !doc.getElementById(row[1])) event.detail.serverResponse = event.detail.serverResponse.replace(row[0], "");
  });
  /* The row of the ticket that is open beside the list; one that comes late says what was open when it was asked for. */
  for (const now of ["htmx:pushedIntoHistory", "rows"]) on(now, () => {
    for (const link of all(".q .q__s")) {
      const open = link.pathname === location.pathname;
      link.closest(".q").classList.toggle("is-open", open);
      open ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    }
  });
  on("htmx:responseError", failed);
  on("htmx:sendError", failed);
})();
