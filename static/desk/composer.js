/* The composer of the desk: macros, and what htmx does with it; the words and the files are of writing.js. Without these
   files its buttons and the plain file field do the same. */
"use strict";
(() => {
  const doc = document;
  const one = (css, inside = doc) => inside.querySelector(css), all = (css, inside = doc) => [...inside.querySelectorAll(css)];
  const { asked, words, kindOf, choose, area } = Writing;

  class Composer extends Writing {
    /* A macro: its words where the caret is; what it does is named beside the text and happens with the sending. */
    async macro(address) {
      const reply = await fetch(address, { headers: asked });
      if (!reply.ok) return;
      const said = await reply.json(), text = area(this.form), inside = (kind) => kind === "note";
      one("[data-macros]", this.form).open = false;
      text.focus();
      if (text.value.trim() && inside(said.kind) !== inside(kindOf(this.form))) return this.say(words(this.form, "mixed"));
      if (!text.value.trim() || said.kind === "question") choose(this.form, said.kind);
      text.setRangeText(said.body, text.selectionStart, text.selectionEnd, "end");
      putMacro(this.form, said);
      this.later();
    }
  }

  let composer = null;
  const begin = () => {
    const form = one("#composer[data-composer]");
    if (form && composer?.form === form) return;
    if (composer && !composer.over && !composer.form.isConnected) composer.save(true);  // another ticket was opened
    composer = form ? new Composer(form) : null;
    if (composer) one("[data-macro-off]", form).hidden = false;
    const rule = one("#new"), msgs = one(".msgs");
    if (rule && msgs) msgs.scrollTop += rule.getBoundingClientRect().top - msgs.getBoundingClientRect().top - 24;
  };
  const mine = (target) => composer && target instanceof Element && composer.form.contains(target);

  doc.addEventListener("input", (event) => {
    if (event.target.matches?.("#macro-find")) {
      const wanted = event.target.value.trim().toLowerCase();
      all(".cmp-macros li").forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
    } else if (mine(event.target)) composer.later();
  });
  doc.addEventListener("change", (event) => { if (mine(event.target) && event.target.name === "kind") composer.later(); });
  doc.addEventListener("focusout", (event) => { if (mine(event.target) && event.target.matches("textarea")) composer.save(); });
  addEventListener("pagehide", () => composer?.save(true));
  doc.addEventListener("visibilitychange", () => { if (doc.hidden) composer?.save(true); });

  doc.addEventListener("click", (event) => {
    const macro = event.target.closest?.("[data-macro]");
    if (macro && mine(macro)) { event.preventDefault(); composer.macro(macro.dataset.macro); }
    if (event.target.closest?.("[data-macro-off]") && mine(event.target)) { putMacro(composer.form, null); composer.later(); area(composer.form).focus(); }
  });
  doc.addEventListener("toggle", (event) => {
    if (event.target.matches?.("[data-macros]") && event.target.open) one("#macro-find", event.target)?.focus();
  }, true);

  /* Ctrl+Shift+Enter sends and waits. In capture: app.js sends on Ctrl+Enter, whatever else is held. */
  doc.addEventListener("keydown", (event) => {
    if (!mine(event.target) || event.key !== "Enter" || !event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const wait = one("[name=then][value=wait]", composer.form), question = kindOf(composer.form) === "question";
    if (kindOf(composer.form) === "note") return;
    if (question) composer.form.requestSubmit();
    else wait?.click();  // not requestSubmit(wait): htmx learns of the button by its click alone
  }, true);

  /* Enter in a field of the composer that is no text sends nothing: of the macros it takes the first that was found. */
  doc.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !mine(event.target) || !event.target.matches("input:not([type=file])")) return;
    event.preventDefault();
    if (event.target.id === "macro-find" && event.target.value.trim()) one(".cmp-macros li:not([hidden]) [data-macro]", composer.form)?.click();
  });

  doc.addEventListener("submit", (event) => {
    if (!composer || event.target !== composer.form) return;
    if (composer.files.waits(event)) return;
    composer.sent = composer.now;
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
  doc.addEventListener("htmx:afterSettle", () => { begin(); all("[data-find]").forEach((row) => { row.hidden = false; }); });
  begin();
})();
