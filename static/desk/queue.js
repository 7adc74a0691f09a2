/* The queue: how many are ticked, all of the page at once, a span with Shift, and the place of the list kept. */
(() => {
  "use strict";
  const doc = document, one = (css, inside = doc) => inside.querySelector(css), boxes = () => [...doc.querySelectorAll(".q__c")];
  let last = null;

  const count = () => {
    const bar = one("#bulk");
    if (!bar) return;
    const all = boxes(), ticked = all.filter((box) => box.checked).length, master = one("#tick-all"), word = one("[data-n]", bar);
    master.checked = ticked > 0 && ticked === all.length;
    master.indeterminate = ticked > 0 && ticked < all.length;
    word.dataset.plain ??= word.textContent;
    word.textContent = ticked ? `${word.dataset.plain} ${ticked}` : word.dataset.plain;
  };
  doc.addEventListener("click", (event) => {
    const box = event.target;
    if (!box.matches?.(".q__c")) return;
    if (event.shiftKey && last?.isConnected) {
      const all = boxes(), ends = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(ends[0], ends[1] + 1).forEach((between) => { between.checked = box.checked; });
    }
    last = box;
  });
  doc.addEventListener("change", (event) => {
    if (event.target.id === "tick-all") boxes().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches(".q__c, #tick-all")) count();
  });

  /* A row that comes with an answer stays ticked. */
  doc.addEventListener("htmx:oobBeforeSwap", ({ detail: { target, fragment } }) => {
    const box = one(".q__c", fragment);
    if (box) box.checked = one(".q__c", target)?.checked;
  });

  /* More rows came in: the address and those of the rows say how many are shown: coming back shows as many. */
  const rows = () => one(".rows[data-queue]");
  const key = () => `place:${location.pathname}${location.search}`;
  const keep = () => { try { sessionStorage.setItem(key(), rows().scrollTop); } catch { /* no storage, no place */ } };
  doc.addEventListener("htmx:afterSettle", (event) => {
    count();
    if (event.detail.requestConfig?.headers?.["HX-Target"] !== "more" || !one(".list")) return;
    const shown = Math.min(500, Math.ceil(boxes().length / 50) * 50), url = new URL(location.href);
    if (url.searchParams.has("after")) return;
    for (const link of doc.querySelectorAll(".q__s")) {
      for (const name of ["href", "hx-get"]) link.setAttribute(name, longer(new URL(link.getAttribute(name), url), shown));
      window.htmx.process(link);
    }
    if (/\/t\/\d+\/$/.test(url.pathname)) longer(url, shown);
    else url.searchParams.set("show", shown);
    history.replaceState(history.state, "", url);
  });
  /* The way back of a ticket's address leads to as many rows. */
  const longer = (url, shown) => {
    const [path, query] = (url.searchParams.get("from") || "").split("?"), tail = new URLSearchParams(query);
    tail.set("show", shown);
    url.searchParams.set("from", `${path}?${tail}`);
    return url.pathname + url.search;
  };
  if (rows()) {
    try { rows().scrollTop = sessionStorage.getItem(key()) || 0; } catch { /* no storage, no place */ }
    rows().addEventListener("scroll", keep, { passive: true });
  }
  doc.addEventListener("keydown", (event) => {
    const panel = one("#filter-panel form");
    if (event.key !== "Escape" || !panel) return;
    panel.remove();
    one("#filter").focus();
  });
  doc.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target?.id === "filter-panel") one("input:not([type=hidden])", event.detail.target)?.focus(); });

  /* Many choices of a filter, or macros: those that hold what is typed; what is ticked stays in sight. */
  const narrowed = (inside) => inside.querySelectorAll("[data-narrow]").forEach((field) => { field.hidden = false; });
  doc.addEventListener("input", (event) => {
    if (!event.target.matches("[data-narrow]")) return;
    const wanted = event.target.value.trim().toLowerCase().replaceAll("ё", "е");
    for (const choice of event.target.closest("fieldset, div, section").querySelectorAll(".ckl, .cmp-macros li")) {
      choice.hidden = !choice.textContent.toLowerCase().replaceAll("ё", "е").includes(wanted) && !one(":checked", choice);
    }
  });
  doc.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("[data-narrow]")) event.preventDefault(); });
  doc.addEventListener("htmx:afterSettle", (event) => narrowed(event.target));
  narrowed(doc);
  count();
})();
