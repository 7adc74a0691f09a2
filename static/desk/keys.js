/* Keys of the workspace, the palette and the sheet of keys. The table is tickets/keys.py; a control says data-key="R". */
(() => {
  "use strict";
  const doc = document, block = doc.getElementById("workspace");
  if (!block) return;
  const { keys } = JSON.parse(block.textContent);
  const one = (css, inside = doc) => inside.querySelector(css), all = (css, inside = doc) => [...inside.querySelectorAll(css)];
  const hint = one("#hint"), palette = one("#palette"), sheet = one("#sheet");

  /* The Latin letter as typed, else the physical key: the same keys on ЙЦУКЕН, AZERTY and Dvorak. */
  const pressed = (event) => {
    const { key, code } = event;
    if (/^[a-z]$/i.test(key)) return key.toUpperCase();
    if (/^Key[A-Z]$/.test(code) && key.length === 1) return code.slice(3);
    if (/^(Digit|Numpad)[0-9]$/.test(code)) return code.slice(-1);
    if (code === "Slash" && (key === "." || key === ",")) return event.shiftKey ? "?" : "/";  // ЙЦУКЕН
    return { ArrowDown: "J", ArrowUp: "K", Escape: "Esc" }[key] || key;
  };

  /* The row that one is at: the focused one, else that of the open ticket. */
  const links = () => all(".q__s");
  const here = () => doc.activeElement.closest?.(".q") || one(".q.is-open");
  const show = (node) => { node.focus(); node.scrollIntoView({ block: "nearest" }); };
  const step = (by) => {
    const rows = links(), at = rows.indexOf(here() && one(".q__s", here()));
    const to = rows[Math.max(0, Math.min(at + by, rows.length - 1))];
    if (to) show(to);
    return to;
  };
  const tick = (row, on) => {
    const box = row && one("input[type=checkbox]", row);
    if (box && box.checked !== on) box.click();
  };
  const extend = (by) => { tick(here(), true); tick(step(by)?.closest(".q"), true); };

  /* What a control does when its key is pressed: a menu opens, a choice is made, a field is entered, a button acts. */
  const press = (node) => {
    if (!node) return false;
    for (let up = node.closest("details"); up; up = up.parentElement.closest("details")) {
      if (!node.matches("summary") || up !== node.parentElement) up.open = true;
    }
    if (node.matches("summary")) {
      node.parentElement.open = true;
      show(one("input:not([type=hidden]), select, textarea, button, a", node.parentElement.lastElementChild) || node);
    } else if (node.matches("[type=radio]")) {
      node.click();
      show(one("textarea", node.form) || node);
    } else if (node.matches("button, a, input[type=checkbox]")) {
      node.focus();
      node.click();
    } else show(node);
    return true;
  };
  const control = (key) => one(`[data-key="${CSS.escape(key)}"]`);

  const say = (text) => { hint.textContent = text; hint.hidden = !text; };
  const tell = (text) => { wait(""); say(text); one("#said").textContent = text; timer = setTimeout(say, 5000, ""); };
  let waits = "", timer;
  const wait = (key) => {
    clearTimeout(timer);
    waits = key;
    say(key ? keys.hints[key] : "");
    if (key) timer = setTimeout(() => wait(""), 2500);
  };
  const then = (first, key) => {
    wait("");
    if (first === "G") { if (keys.go[key]) location.assign(keys.go[key]); return true; }
    const line = /^[1-4]$/.test(key) && one(`#act-handover input[name=to_line][value="${key}"]`);
    if (!line) return false;
    press(line);
    return true;
  };

  const back = () => {
    const row = one(".q.is-open .q__s"), link = one(".tk__back");
    if (row?.offsetParent) show(row);
    else if (link) link.click();
  };
  const acts = {
    next: () => step(1),
    previous: () => step(-1),
    "extend-next": () => extend(1),
    "extend-previous": () => extend(-1),
    select: () => { const box = here() && one("input[type=checkbox]", here()); if (box) box.click(); },
    back,
    line: () => { const there = press(control("L")); if (there) wait("L"); return there; },
    context: () => press(control("I") || one(".ctx")),
    search: () => press(control("/") || one("main input[type=search], header input[type=search]")),
    palette: () => openPalette(),
    sheet: () => openSheet(),
  };

  /* A key of a request means the row that one is at: its request is opened, and then the key is pressed there. With
     nothing open and no row, a key says so; only T takes the most urgent. In a list with ticks, what can be done with
     many is done with those. */
  const at = () => { const row = doc.activeElement.closest?.(".q"); return row && numberOf(row) === shown() ? null : row; };
  const numberOf = (row) => row.id.slice("row-".length);
  let meant = null;
  const after = (row, what, act) => {
    meant = { number: numberOf(row), what, act };
    one(".q__s", row).click();
  };
  const shown = () => one(".tk .num")?.textContent.replace(/\D/g, "");
  const refused = (what) => tell(keys.words.cannot.replace("{number}", shown()).replace("{act}", what).replace("{state}", one(".tk__top :is(.stbtn, .status)").textContent.trim()));
  const inRequest = (key) => (keys.acts[key] ? acts[keys.acts[key]]() : press(control(key)));
  const ofRequest = (key) => {
    const many = one(`.rows:focus-within:has(:checked) ~ #bulk [data-many="${key}"]`), row = at();
    if (many) many.click();
    else if (row) after(row, keys.does[key], () => inRequest(key));
    else if (!inRequest(key)) {
      if (one(".tk")) refused(keys.does[key]);
      else if (one(".rows")) tell(keys.words.first);
    }
  };
  doc.addEventListener("htmx:afterSettle", () => {
    if (!meant || shown() !== meant.number) return;
    const { what, act } = meant;
    meant = null;
    setTimeout(() => { if (!act()) refused(what); }, 0);  // once the others have seen what came
  });
  for (const name of ["htmx:responseError", "htmx:sendError"]) doc.addEventListener(name, () => { meant = null; });

  const typing = (node) => node.isContentEditable || node.matches("textarea, select, input:not([type=checkbox], [type=radio])");
  doc.addEventListener("keydown", (event) => {
    const node = event.target, ctrl = event.ctrlKey || event.metaKey;
    if (event.isComposing || event.keyCode === 229 || event.altKey || event.defaultPrevented) return;
    const key = pressed(event);
    if (ctrl && key === "K" && !event.shiftKey) { event.preventDefault(); openPalette(); return; }
    if (one("dialog[open]")) return;
    if (ctrl) return;
    if (key === "Esc") {
      if (waits) wait("");
      else if (typing(node)) { if (node.closest("#pane")) { event.preventDefault(); one("#pane").focus(); } }
      else if (!one("details.menu[open]")) back();
      return;
    }
    if (typing(node) || node.matches("summary") && event.key === " ") return;
    const arrow = event.key.startsWith("Arrow");  // a list one reads in scrolls; rows are walked through
    if (arrow ? node !== doc.body && !node.closest(".rows") || node.matches("[type=radio]") : !keys.on) return;
    if (waits && !event.shiftKey && then(waits, key)) { event.preventDefault(); return; }
    const named = event.shiftKey && /^[A-Z]$/.test(key) ? `Shift+${key}` : key;
    if (keys.go && named === "G") { event.preventDefault(); wait("G"); return; }
    if (!(named in keys.acts) || keys.acts[named] === "native" || arrow && event.shiftKey) return;
    if (keys.request.includes(named)) { event.preventDefault(); ofRequest(named); return; }
    const act = acts[keys.acts[named]];
    if (act) { event.preventDefault(); act(); } else if (press(control(named))) event.preventDefault();
  });

  /* The palette and the sheet: what the page of the same address shows, in a dialog. */
  const fetched = async (address) => {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    return answer.ok && !answer.redirected ? answer.text() : "";
  };
  let from = null;  // the row that the palette was opened at
  const number = () => (from ? numberOf(from) : location.pathname.match(/^\/w\/t\/(\d+)\//)?.[1] || "");
  const field = one("#palette-q"), found = one("#palette-found");
  let asked = 0, pause;
  const ask = async () => {
    const mine = ++asked, html = await fetched(`${keys.palette}?q=${encodeURIComponent(field.value)}&ticket=${number()}`).catch(() => "");
    if (mine === asked) found.innerHTML = html;
  };
  const openPalette = () => {
    if (palette.open) { palette.close(); return; }
    if (one("dialog[open]")) return;
    field.value = "";
    from = at();
    palette.showModal();
    field.focus();
    ask();
  };
  field.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(ask, 120); });
  one("form", palette).addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    clearTimeout(pause);
    await ask();
    one("a", found)?.click();
  });
  found.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { opens, presses, clicks } = link.dataset, path = new URL(link.href).pathname;
    const there = () => (opens ? one(`#${opens} > summary`) : presses && control(presses));
    const row = from?.isConnected && (opens || presses) && new URL(one(".q__s", from).href).pathname === path ? from : null;
    const node = clicks ? all(clicks).find((one) => one.offsetParent) : path === location.pathname && there();
    palette.close();
    if (row) { event.preventDefault(); event.stopPropagation(); after(row, one(".pal__w", link).textContent, () => press(there())); return; }
    if (!node) return;
    event.preventDefault();
    event.stopPropagation();  // a click elsewhere closes menus
    press(node);
  });
  const openSheet = async () => {
    const html = await fetched(keys.sheet).catch(() => "");
    if (!html) { location.assign(keys.sheet); return; }
    one("#sheet-body").innerHTML = html;
    one("#sheet-body [name=next]").value = location.pathname + location.search;
    sheet.showModal();
  };
  doc.addEventListener("click", (event) => {
    if (event.target === palette || event.target === sheet) { event.target.close(); return; }  // beside the dialog
    const link = event.target.closest("[data-sheet]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openSheet();
  });
})();
