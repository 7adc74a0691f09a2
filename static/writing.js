/* What somebody writes: the words kept on the server, the files that come in meanwhile. For the composer of the desk and
   the forms of the portal. Without this file their buttons and the plain file field do the same. */
"use strict";
(() => {
  const doc = document, body = doc.body;
  const one = (css, inside = doc) => inside.querySelector(css);
  const local = (() => { try { return window.localStorage; } catch { return null; } })();  // it may be forbidden
  const offset = body.dataset.now ? body.dataset.now * 1000 - Date.now() : 0;  // ms: moments are the server's
  const now = () => Date.now() + offset;
  const EVERY = 2000;  // ms between two savings while somebody types

  const token = (form) => one("[name=csrfmiddlewaretoken]", form).value;
  const asked = { Accept: "application/json" };
  const answer = (text) => { try { return JSON.parse(text) || {}; } catch { return {}; } };
  const words = (form, name) => (one(`[data-w=${name}]`, form) || one(`[data-w=${name}]`)).textContent;
  const kindOf = (form) => one("[name=kind]:checked", form)?.value || "";
  const choose = (form, kind) => { const radio = kind && one(`[name=kind][value=${kind}]`, form); if (radio) radio.checked = true; };
  const area = (form) => one("textarea[name=body]", form);
  const clock = (form, at) => new Date(at).toLocaleTimeString("ru", { hour: "2-digit", minute: "2-digit", timeZone: form.dataset.zone || "Europe/Moscow" });

  /* Why nothing was sent, at the button, apart from what is said of the draft; "" once it is put right. */
  const held = (form, why, name = "") => {
    let box = one("[data-held]", form);
    if (!box && !why) return;
    if (!box) {
      box = doc.createElement("p");
      box.className = "err held";
      box.setAttribute("role", "alert");
      one(".btn--p", form).closest(".reply__f, .row").after(box);
    }
    box.dataset.held = why;
    box.hidden = !why;
    box.textContent = why && words(form, why).replace("{name}", name);
  };
  addEventListener("online", () => doc.querySelectorAll("[data-held=offline]").forEach((box) => held(box.closest("form"), "back")));

  /* Files: each comes in by itself, with its progress; the message is sent with those that are in. */
  class Files {
    constructor(form) {
      this.form = form;
      const field = one("[type=file]", form);
      field.addEventListener("change", () => { const given = [...field.files]; field.value = ""; given.forEach((file) => this.bring(file)); });
      const list = one("[data-files]", this.form);
      list.addEventListener("click", (event) => {
        const button = event.target.closest("[data-remove]");
        if (!button) return;
        event.preventDefault();
        const row = button.closest("li");
        fetch(button.getAttribute("formaction"), { method: "POST", headers: { ...asked, "X-CSRFToken": token(this.form) } }).then((reply) => { if (reply.ok || reply.status === 404) this.drop(row); });
      });
    }
    drop(row) { row.remove(); held(this.form, ""); const list = one("[data-files]", this.form); list.hidden = !list.children.length; area(this.form).focus(); }
    bring(file) {
      const list = one("[data-files]", this.form), row = doc.createElement("li");
      const name = file.name || `${words(this.form, "pasted")}.png`;
      const make = (tag, text, kind = "") => { const node = doc.createElement(tag); node.textContent = text; node.className = kind; row.append(node); return node; };
      const label = make("span", name, "cmp-files__n"), bar = make("progress", ""), state = make("span", "", "muted"), retry = make("button", words(this.form, "retry"), "linkb"), stop = make("button", "✕", "iconbtn");
      bar.max = 1; bar.value = 0; bar.setAttribute("aria-label", name);
      for (const button of [retry, stop]) button.type = "button";
      stop.setAttribute("aria-label", `${words(this.form, "remove")} ${name}`);
      retry.hidden = true;
      list.append(row);
      list.hidden = false;
      let request = null;
      const failed = (why) => { row.dataset.state = "failed"; bar.hidden = true; state.textContent = why || words(this.form, "broken"); state.className = "err"; retry.hidden = !!why; };  // refused: not what broke off
      const start = () => {
        if (file.size > +this.form.dataset.max) { failed(words(this.form, "big")); return; }  // not after minutes of sending
        const sent = new FormData();
        sent.append("file", file, name);
        row.dataset.state = "coming"; bar.hidden = false; bar.value = 0; state.className = "muted"; state.textContent = "0 %"; retry.hidden = true;
        request = new XMLHttpRequest();
        request.open("POST", this.form.dataset.uploadsUrl);
        request.setRequestHeader("Accept", "application/json");
        request.setRequestHeader("X-CSRFToken", token(this.form));
        request.upload.onprogress = (event) => { if (event.lengthComputable) { bar.value = event.loaded / event.total; state.textContent = `${Math.round(bar.value * 100)} %`; } };
        request.onerror = () => failed();
        request.onload = () => {
          const said = answer(request.responseText);
          if (request.status !== 201) { failed(said.detail); return; }
          delete row.dataset.state;
          held(this.form, "");
          bar.remove(); state.remove(); retry.remove();
          label.textContent = said.name;
          const key = doc.createElement("input");
          Object.assign(key, { type: "hidden", name: "pending", value: said.pk });
          row.prepend(key);
          stop.setAttribute("formaction", `${this.form.dataset.uploadsUrl}${said.pk}/removal/`);
          stop.dataset.remove = "";
        };
        request.send(sent);
      };
      stop.addEventListener("click", (event) => { if ("remove" in stop.dataset) return; event.stopPropagation(); request?.abort(); this.drop(row); });
      retry.addEventListener("click", start);
      start();
    }
    /* Nothing is sent without a file that was chosen, nor without a link; whether it was held back. */
    waits(event) {
      const failed = one("[data-files] [data-state=failed]", this.form), coming = one("[data-files] [data-state=coming]", this.form);
      const why = failed ? (one(".linkb:not([hidden])", failed) ? "lost" : "refused") : coming ? "wait" : navigator.onLine ? "" : "offline";
      held(this.form, why, failed && one(".cmp-files__n", failed).textContent);
      if (!why) return false;
      event.preventDefault();
      event.stopImmediatePropagation();
      delete this.form.dataset.busy;  // app.js hears of it first and holds the form for an answer that never comes
      event.submitter?.removeAttribute("aria-busy");
      try { sessionStorage.removeItem("sent"); } catch { /* it may be forbidden */ }
      if (failed) one("button:not([hidden])", failed).focus();
      return true;
    }
  }

  class Writing {
    constructor(form) {
      this.form = form;
      this.base = form.dataset.draftAt || "";  // the draft that this window knows
      this.kept = this.now;
      this.key = `draft:${body.dataset.person || ""}:message-${form.dataset.composer}`;
      this.over = false;  // sent: what comes late is no draft
      this.held = false;  // another window's draft waits for a decision
      this.own = [area(form).value];  // what this window began from and sent: on the server it is no other draft
      this.files = new Files(form);
      this.restore();
      if (form.hasAttribute("data-refused")) this.later();
    }
    /* The macro that the words came with, where there are macros (desk/composer.js): what it does belongs to the draft. */
    get macro() { return ""; }
    set macro(chosen) {}
    get now() { return [kindOf(this.form), this.macro.pk, area(this.form).value].join("\n"); }
    get here() { return { kind: kindOf(this.form), body: area(this.form).value, macro: this.macro, at: now() }; }
    hold(why) { held(this.form, why); }
    say(text) { one("[data-status]", this.form).textContent = text; }

    /* This browser as the second net: only what the server has not taken yet lies there. */
    remember() { local?.setItem(this.key, JSON.stringify({ ...this.here, base: this.base, sent: this.own.at(-1) })); }
    forget() { local?.removeItem(this.key); }
    restore() {
      const there = answer(local?.getItem(this.key) || "");
      if (!there.body) return;
      this.own.push(there.body);  // it may arrive only now: sent with the last breath of the page before
      if (there.body === area(this.form).value && there.macro?.pk === this.macro.pk) return;
      const other = { ...this.here, at: 0 }, refused = this.form.hasAttribute("data-refused");
      const mine = !refused && (there.base === this.base || there.sent === other.body);  // written on from the very draft shown
      if (!mine && (refused || (this.base && there.at < Date.parse(this.base)))) return this.offer(there);
      this.put(there);  // the newer one; the older one can be opened
      if (other.body && !mine) this.offer(other);
      this.later();
    }
    put(draft) { choose(this.form, draft.kind); area(this.form).value = draft.body; this.macro = draft.macro; }
    offer(draft) {
      const button = one("[data-other]", this.form);
      button.textContent = words(this.form, "other") + (draft.at ? ` (${clock(this.form, draft.at)})` : "");
      button.hidden = false;
      button.onclick = () => {
        const { here } = this;
        this.put(draft);
        if (here.body) this.offer(here);
        this.take();
      };
    }
    take() { this.held = false; one("[data-mine]", this.form).hidden = true; this.later(); }

    later() {
      if (this.over || this.now === this.kept) return;
      this.remember();
      if (!this.held) this.timer ??= setTimeout(() => this.save(), EVERY);
    }
    async save(leaving = false) {
      clearTimeout(this.timer);
      this.timer = undefined;
      const text = this.now;
      if (this.over || this.held || text === this.kept || (this.busy && !leaving)) return;
      this.own = [...this.own.slice(-7), area(this.form).value];
      const sent = new URLSearchParams({ kind: kindOf(this.form), body: area(this.form).value, key: one("[name=key]", this.form).value, macro: this.macro.pk || "", base: this.base, csrfmiddlewaretoken: token(this.form) });
      this.busy = true;
      try {
        const reply = await fetch(this.form.dataset.draftUrl, { method: "POST", body: sent, headers: asked, redirect: "manual", keepalive: sent.toString().length < 60000 });
        const said = answer(await reply.text());
        if (this.over) return;
        if (reply.status === 409) {
          if (!this.own.includes(said.body)) return this.elsewhere(said);
          this.base = said.at;  // our own words, which we did not know to have arrived: once more from there
          return;
        }
        if (!reply.ok) throw new Error(reply.status);
        this.kept = text;
        this.base = said.at;
        if (this.now === text) this.forget();
        this.say(said.clock ? `${words(this.form, "saved")} ${said.clock}` : "");
      } catch {
        if (!this.over) this.say(words(this.form, "local"));
      } finally {
        this.busy = false;
        if (this.now !== this.kept) this.later();
      }
    }
    elsewhere(said) {
      this.held = true;
      this.base = said.at;
      this.say(words(this.form, "elsewhere"));
      this.offer({ ...said, at: Date.parse(said.at) });
      const mine = one("[data-mine]", this.form);
      mine.hidden = false;
      mine.onclick = () => { one("[data-other]", this.form).hidden = true; this.take(); };
    }
    end() { this.over = true; clearTimeout(this.timer); }
  }

  Object.assign(Writing, { asked, words, kindOf, choose, area });
  Object.assign(window, { Files, Writing });
})();
