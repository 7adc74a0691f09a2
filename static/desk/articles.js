// Articles in the composer: found when the list is opened, put where the cursor stood in the answer.
(() => {
  "use strict";
  document.addEventListener("toggle", (event) => {
    const list = event.target;
    if (!list.matches?.("[data-articles]") || !list.open) return;
    const field = list.querySelector("[data-articles-q]");
    field.focus();
    if (window.htmx) window.htmx.trigger(field, "articles");
  }, true);
  document.addEventListener("change", (event) => {
    // An answer and a note see different articles: a list that stands open is asked for again.
    const field = event.target.matches?.("#composer [name=kind]") && document.querySelector("[data-articles][open] [data-articles-q]");
    if (field && window.htmx) window.htmx.trigger(field, "articles");
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-article]");
    if (!button) return;
    const list = button.closest("[data-articles]");
    const text = button.closest("form")?.querySelector("textarea");
    if (!list || !text) return;
    const before = text.value.slice(0, text.selectionStart);
    const gap = before && !before.endsWith("\n") ? "\n\n" : "";
    text.setRangeText(`${gap}${button.dataset.article}\n`, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true })); // the draft is kept
    list.open = false;
    text.focus();
  });
})();
