/* Makes the pages pleasant; every page works without it. No eval, no inline code (strict CSP).
   Parts: theme, chips and clocks, menus, confirm, one submit at a time, drafts, keys, htmx. */
(() => {
  "use strict";
  const doc = document, root = doc.documentElement, body = doc.body;
  const all = (css, inside = doc) => [...inside.querySelectorAll(css)];
  const store = (kind) => { try { return window[kind]; } catch { return null; } };  // storage may be forbidden
  const local = store("localStorage"), session = store("sessionStorage");

  /* Theme: at once here, and kept by the form's own address. */
  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-form]") || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    root.dataset.theme = theme;
    doc.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    const sent = new FormData(form);
    sent.set("theme", theme);
    fetch(form.action, { method: "POST", body: sent, redirect: "manual", keepalive: true }).catch(() => {});
    all(theme === "dark" ? ".to-light" : ".to-dark", form)[0]?.focus();
  });

  /* Chips count from the server's numbers, by the server's clock; never past the hour when service closes. */
  const offset = body.dataset.now ? body.dataset.now * 1000 - Date.now() : 0;
  const seconds = () => (Date.now() + offset) / 1000;
  const [H, MIN, WD, D, UP] = (body.dataset.units || "h|min|w.d.|d|time is up").split("|");
  const span = (minutes, day) => {
    const whole = day ? day / 60 : 1440;
    if (minutes >= whole) {
      const hours = Math.floor((minutes % whole) / 60);
      return `${Math.floor(minutes / whole)} ${day ? WD : D}${hours ? ` ${hours} ${H}` : ""}`;
    }
    const hours = Math.floor(minutes / 60), rest = minutes % 60;
    return hours ? `${hours} ${H}${rest ? ` ${rest} ${MIN}` : ""}` : `${rest} ${MIN}`;
  };
  const icons = { soon: "clock-alert", crit: "timer", late: "siren" };
  const tick = () => {
    if (body.classList.contains("is-offline")) return 30;
    let next = 30;
    for (const chip of all(".sla[data-left]")) {
      const { left, at, open, soon, crit, day } = chip.dataset;
      const gone = Math.max(0, Math.min(seconds() - at, +open)), rest = left - gone;
      const state = rest <= 0 ? "late" : rest <= crit ? "crit" : rest <= soon ? "soon" : "ok";
      if (rest < 600 && rest > -60) next = 1;
      const minutes = rest > 0 ? Math.ceil(rest / 60) : Math.floor(-rest / 60);
      const words = rest > 0 ? span(minutes, +day) : minutes ? `−${span(minutes, +day)}` : UP;
      const value = chip.querySelector("time") || chip.querySelector(".sla__v");
      if (value.textContent === words) continue;
      const said = chip.querySelector(".sr");
      said.textContent = said.textContent.split(":")[0] + ": " + words;
      value.textContent = words;
      for (const name of ["ok", "soon", "crit", "late"]) chip.classList.toggle(`sla--${name}`, name === state);
      const use = chip.querySelector("use");
      if (icons[state]) use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#" + icons[state]));
    }
    for (const clock of all("time[data-clock]")) {
      clock.textContent = new Intl.DateTimeFormat("ru", { timeZone: clock.dataset.clock, hour: "2-digit", minute: "2-digit" }).format(seconds() * 1000);
    }
    return next;
  };
  let timer;
  const ticking = () => { clearTimeout(timer); timer = setTimeout(ticking, tick() * 1000); };
  ticking();
  doc.addEventListener("visibilitychange", () => doc.hidden || ticking());
  const online = () => {
    body.classList.toggle("is-offline", !navigator.onLine);
    const strip = doc.getElementById("offline"), place = doc.getElementById("messages");
    if (strip) { strip.hidden = navigator.onLine; if (place && !strip.hidden) place.prepend(strip); }
    ticking();
  };
  addEventListener("offline", online);
  addEventListener("online", online);

  /* Menus close on a click elsewhere and on Escape, which gives the focus back. */
  doc.addEventListener("click", (event) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  doc.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && doc.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  /* What cannot be undone is asked once: data-confirm on the form or its button. Capture: before htmx sees it. */
  const dialog = doc.getElementById("confirm");
  doc.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    const question = button?.dataset.confirm || form.dataset.confirm;
    if (!question || !dialog?.showModal || form.dataset.sure) { delete form.dataset.sure; return; }
    event.preventDefault();
    event.stopImmediatePropagation();
    const yes = dialog.querySelector("[value=yes]");
    dialog.querySelector("h2").textContent = question;
    yes.textContent = button?.dataset.confirmYes || form.dataset.confirmYes || yes.dataset.plain;
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return button?.focus();
      form.dataset.sure = "1";
      form.requestSubmit(button?.form === form ? button : undefined);
    };
    dialog.returnValue = "";
    dialog.showModal();
  }, true);

  /* One submit at a time: the button says that it is busy; coming back wakes it. */
  const wake = (form) => { delete form.dataset.busy; all("[aria-busy]", form).forEach((b) => b.removeAttribute("aria-busy")); };
  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.matches("[data-theme-form]")) return;
    if (form.dataset.busy) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    form.dataset.busy = "1";
    event.submitter?.setAttribute("aria-busy", "true");
    if (form.matches("[data-forget]")) Object.keys(local || {}).filter((key) => key.startsWith("draft:")).forEach((key) => local.removeItem(key));
    else if (draftKey(form) && !form.hasAttribute("hx-post")) session?.setItem("sent", draftKey(form));
  }, true);
  addEventListener("pageshow", () => all("form[data-busy]").forEach(wake));

  /* Drafts: what was typed stays on this device until it is sent. <form data-draft="reply-10471">. */
  function draftKey(form) { return form.dataset?.draft ? `draft:${body.dataset.person || ""}:${form.dataset.draft}` : ""; }
  const typed = (form) => all("textarea, input[type=text]", form).filter((field) => field.name);
  const restore = () => {
    if (!local) return;
    for (const form of all("form[data-draft]:not([data-drafted])")) {
      form.dataset.drafted = "1";
      let kept = {};
      try { kept = JSON.parse(local.getItem(draftKey(form)) || "{}"); } catch { local.removeItem(draftKey(form)); }
      let found = false;
      for (const field of typed(form)) {
        if (kept[field.name] && !field.value) { field.value = kept[field.name]; found = true; }
      }
      const note = form.querySelector("[data-draft-note]");
      if (note && found) note.hidden = false;
    }
  };
  const sent = session?.getItem("sent");
  if (sent) {
    /* A page reached by going on after sending, without an error, means that it arrived. */
    const nav = performance.getEntriesByType("navigation")[0] || {};
    if (nav.type === "navigate" && !(nav.responseStatus >= 400) && !doc.querySelector(".esum")) local?.removeItem(sent);
    session.removeItem("sent");
  }
  restore();
  let keeping;
  doc.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!local || !form?.dataset?.draft) return;
    clearTimeout(keeping);
    keeping = setTimeout(() => {
      const kept = {};
      for (const field of typed(form)) if (field.value && field.value !== field.defaultValue) kept[field.name] = field.value;
      if (Object.keys(kept).length) local.setItem(draftKey(form), JSON.stringify(kept));
      else local.removeItem(draftKey(form));
    }, 400);
  });

  /* Keys of the workspace: the Latin letter as typed, else the physical key, so they work on ЙЦУКЕН. */
  const switcher = doc.querySelector("[data-act=keys]");
  const keysOn = () => local?.getItem("keys") !== "off";
  const showKeys = () => {
    switcher.setAttribute("aria-pressed", keysOn());
    const word = switcher.querySelector("[data-on]");
    word.textContent = keysOn() ? word.dataset.on : word.dataset.off;
  };
  if (switcher && body.classList.contains("ws") && local) {
    switcher.hidden = false;
    showKeys();
    switcher.addEventListener("click", () => { local.setItem("keys", keysOn() ? "off" : "on"); showKeys(); });
  }
  doc.addEventListener("keydown", (event) => {
    const on = event.target;
    const typing = on.isContentEditable || /^(TEXTAREA|SELECT)$/.test(on.tagName) || (on.tagName === "INPUT" && !/^(checkbox|radio)$/.test(on.type));
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && on.tagName === "TEXTAREA" && on.form) {
      event.preventDefault();
      on.form.requestSubmit();
      return;
    }
    if (typing || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !body.classList.contains("ws") || !keysOn() || dialog?.open) return;
    const key = /^[a-z]$/i.test(event.key) ? event.key.toUpperCase() : event.code.replace(/^Key/, "");
    let target;
    if (key === "J" || key === "K") {
      const rows = all(".q__s"), here = rows.findIndex((row) => row === doc.activeElement || (row.closest(".q.is-open") && !rows.includes(doc.activeElement)));
      target = rows[here < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, here + (key === "J" ? 1 : -1)))];
    } else if (/^[A-Z]$/.test(key)) target = doc.querySelector(`[data-key=${key}]`);
    if (!target) return;
    event.preventDefault();
    if (target.matches("input[type=radio]")) { target.click(); target = target.form.querySelector("textarea") || target; }
    if (target.matches("summary")) target.parentElement.open = true;
    target.focus();
    target.scrollIntoView({ block: "nearest" });
  });

  /* A page with errors starts at their summary; a conversation starts at its end. */
  doc.querySelector(".esum")?.focus();
  const settle = (inside) => {
    const msgs = inside.querySelector?.(".msgs");
    if (msgs && msgs.scrollHeight > msgs.clientHeight) msgs.scrollTop = msgs.scrollHeight;
  };
  settle(doc);

  /* htmx: new parts get what the page got; a failed request says so and keeps the text. */
  doc.addEventListener("htmx:afterSettle", (event) => { restore(); ticking(); settle(event.target); event.target.querySelector?.(".esum")?.focus(); });
  doc.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (form.matches?.("form")) wake(form);
    if (event.detail.successful && form.matches?.("form[data-draft]")) local?.removeItem(draftKey(form));
  });
  const failed = () => {
    const place = doc.getElementById("messages"), strip = doc.createElement("p");
    if (!place) return;
    strip.className = "flash flash--error";
    strip.textContent = body.dataset.failed || "";
    place.prepend(strip);
  };
  doc.addEventListener("htmx:responseError", failed);
  doc.addEventListener("htmx:sendError", failed);
})();
