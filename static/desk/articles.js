// Articles in the composer: found when the list is opened, put where the cursor stood in the answer.
(() => {
  "use strict";
  const doc = document, one = (css, inside = doc) => inside.querySelector(css);
  /* An answer and a note see different articles: a list that stands open is asked for again. */
  const ask = () => {
    const field = one("[data-articles][open] [data-articles-q]");
    if (field) window.htmx?.trigger(field, "articles");
    return field;
  };
  doc.addEventListener("toggle", (event) => { if (event.target.matches?.("[data-articles]")) ask()?.focus(); }, true);
  doc.addEventListener("change", (event) => { if (event.target.matches?.("#composer [name=kind]")) ask(); });
  doc.addEventListener("click", (event) => {
    const button = event.target.closest("[data-article]");
    if (!button) return;
    const list = button.closest("[data-articles]"), text = one("textarea", button.closest("form"));
    const before = text.value.slice(0, text.selectionStart);
    const gap = before && !before.endsWith("\n") ? "\n\n" : "";
    text.setRangeText(`${gap}${button.dataset.article}\n`, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true })); // the draft is kept
    list.open = false;
    text.focus();
  });
})();
