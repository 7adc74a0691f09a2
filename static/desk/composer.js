/* The composer of the desk: macros, and what htmx does with it; the words and the files are of writing.js. Without these
   files its buttons and the plain file field do the same. */
"use strict";
(() => {
  const doc = document;
  const one = (css, inside = doc) => inside.querySelector(css);
  const { asked, words, kindOf, choose, area } = Writing;

  class Composer extends Writing {
    get macro() { return { pk: this.part("pk").value, title: this.part("title").textContent, does: this.part("does").textContent }; }
    set macro(chosen) {
      this.part("pk").value = chosen?.pk || "";
      this.part("title").textContent = chosen?.title;
      this.part("does").textContent = chosen?.does;
      this.part("chip").hidden = !chosen?.pk;
    }
    part(name) { return one(`[data-macro-${name}]`, this.form); }
    /* A macro: its words where the caret is; what it does is named beside the text and happens with the sending. */
    async pick(address) {
      const reply = await fetch(address, { headers: asked });
      if (!reply.ok) return;
      const said = await reply.json(), text = area(this.form), inside = (kind) => kind === "note";
      one("[data-macros]", this.form).open = false;
      text.focus();
      if (text.value.trim() && inside(said.kind) !== inside(kindOf(this.form))) return this.say(words(this.form, "mixed"));
      if (!text.value.trim() || said.kind === "question") choose(this.form, said.kind);
      text.setRangeText(said.body, text.selectionStart, text.selectionEnd, "end");
      this.macro = said;
      this.later();
    }
  }

  let composer = null;
  const begin = () => {
    const form = one("#composer[data-composer]");
    if (form && composer?.form === form) return;
    if (composer && !composer.over && !composer.form.isConnected) composer.save(true);  // another ticket was opened
    composer = form ? new Composer(form) : null;
  };
  const mine = (target) => composer && target instanceof Element && composer.form.contains(target);

  doc.addEventListener("input", (event) => {
    if (mine(event.target)) composer.later();
  });
  doc.addEventListener("change", (event) => { if (mine(event.target) && event.target.name === "kind") composer.later(); });
  doc.addEventListener("focusout", (event) => { if (mine(event.target) && event.target.matches("textarea")) composer.save(); });
  addEventListener("pagehide", () => composer?.save(true));
  doc.addEventListener("visibilitychange", () => { if (doc.hidden) composer?.save(true); });

  doc.addEventListener("click", (event) => {
    const macro = event.target.closest?.("[data-macro]");
    if (macro && mine(macro)) { event.preventDefault(); composer.pick(macro.dataset.macro); }
    if (event.target.closest?.("[data-macro-off]") && mine(event.target)) { event.preventDefault(); composer.macro = ""; composer.later(); area(composer.form).focus(); }
  });
  doc.addEventListener("toggle", (event) => {
    if (event.target.matches?.("[data-macros]") && event.target.open) one("#macro-find", event.target)?.focus();
  }, true);

  /* Ctrl+Shift+Enter sends and waits. In capture: app.js sends on Ctrl+Enter, whatever else is held. In a field that is
     no text Enter sends nothing; of the macros it takes the first that was found. */
  doc.addEventListener("keydown", (event) => {
    if (!mine(event.target) || event.key !== "Enter") return;
    if (event.target.matches("input:not([type=file])")) {
      event.preventDefault();
      if (event.target.matches("#macro-find:not(:placeholder-shown)")) one(".cmp-macros li:not([hidden]) a")?.click();
    }
    if (!event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const wait = one("[name=then][value=wait]", composer.form), question = kindOf(composer.form) === "question";
    if (kindOf(composer.form) === "note") return;
    if (question) composer.form.requestSubmit();
    else wait?.click();  // not requestSubmit(wait): htmx learns of the button by its click alone
  }, true);

  doc.addEventListener("submit", (event) => {
    if (!composer || event.target !== composer.form) return;
    if (composer.files.waits(event)) return;
    composer.remember();
  }, true);

  /* Dropped or pasted files. */
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const onto = (event) => composer && hasFiles(event) && event.target.closest?.(".thread");
  doc.addEventListener("dragover", (event) => { if (onto(event)) { event.preventDefault(); composer.form.classList.add("is-over"); } });
  doc.addEventListener("dragleave", (event) => { if (!event.relatedTarget) composer?.form.classList.remove("is-over"); });
  doc.addEventListener("drop", (event) => {
    composer?.form.classList.remove("is-over");
    if (!onto(event)) return;
    event.preventDefault();
    [...event.dataTransfer.files].forEach((file) => composer.files.bring(file));
  });
  doc.addEventListener("paste", (event) => {
    const given = [...(event.clipboardData?.files || [])];
    if (!mine(event.target) || !given.length) return;
    event.preventDefault();
    given.forEach((file) => composer.files.bring(file));
  });

  /* A session that ended: to the door and back, the words wait here. */
  doc.addEventListener("htmx:beforeSwap", (event) => {
    if (!new URL(event.detail.xhr.responseURL || location.href, location.href).pathname.startsWith("/account/login")) return;
    event.detail.shouldSwap = false;
    location.assign(`/account/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
  });
  doc.addEventListener("htmx:beforeRequest", (event) => { if (composer && event.detail.elt === composer.form) composer.end(); });
  doc.addEventListener("htmx:afterRequest", (event) => {
    if (!composer || event.detail.requestConfig.elt !== composer.form) return;
    const landed = new URL(event.detail.xhr.responseURL || location.href, location.href).pathname;
    if (event.detail.successful && !landed.startsWith("/account/")) composer.forget();
    else if (composer.form.isConnected) {
      composer.over = false;
      composer.remember();
      if (!event.detail.xhr.status) composer.hold("offline");
    }
  });
  doc.addEventListener("htmx:afterSettle", begin);
  begin();
})();
