/* The pages of the portal where one writes: files that come in one by one, the draft of an answer, a ticket that stays
   true while it is open; of a new request also what may answer it first and the promised times as they are now. */
(() => {
  "use strict";
  const doc = document, session = (() => { try { return window.sessionStorage; } catch { return null; } })();
  const fetched = async (address) => {
    try {
      const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
      return answer.ok && !answer.redirected ? await answer.text() : null;
    } catch { return null; } // no link: the page stays as it is
  };
  const left = (key) => { try { return localStorage.getItem(key); } catch { return ""; } };  // app.js takes it away once it arrived
  /* Back to a form that was sent: `clear` takes out what the browser put into it again, unless it did not arrive. */
  const onceSent = (form, key, clear) => {
    form.addEventListener("submit", () => session?.setItem("gone", key));
    addEventListener("pageshow", (event) => {
      const [page] = performance.getEntriesByType("navigation");
      if (session?.getItem("gone") !== key || left(key) !== null || (!event.persisted && page?.type === "navigate")) return;
      if (event.persisted) location.reload();  // its key is used up
      else clear();
    });
  };
  /* Chosen, dropped or pasted; nothing is sent while one is on its way. */
  const withFiles = (form, files) => {
    const bring = (event, from) => {
      const given = [...(from?.files || [])];
      if (given.length) { event.preventDefault(); given.forEach((file) => files.bring(file)); }
    };
    form.addEventListener("paste", (event) => bring(event, event.clipboardData));
    form.addEventListener("dragover", (event) => { if ([...event.dataTransfer.types].includes("Files")) event.preventDefault(); });
    form.addEventListener("drop", (event) => bring(event, event.dataTransfer));
    form.addEventListener("submit", (event) => files.waits(event), true);
  };

  const reply = doc.querySelector("form[data-composer]");
  if (reply) {
    const writing = new Writing(reply);
    withFiles(reply, writing.files);
    reply.addEventListener("input", () => writing.later());
    reply.addEventListener("focusout", () => writing.save());
    addEventListener("pagehide", () => writing.save(true));
    doc.addEventListener("visibilitychange", () => { if (doc.hidden) writing.save(true); });
    reply.addEventListener("submit", () => {
      writing.remember();
      writing.end();
      session?.setItem("sent", writing.key);
    });
    addEventListener("pageshow", () => { writing.over = false; });
    const body = reply.elements.body;
    onceSent(reply, writing.key, () => { body.value = body.defaultValue; writing.kept = writing.now; });
  }

  /* The page of a ticket stays true while it is looked at: what happened makes it fetch itself anew, with its reader's
     rights. What one writes, points at or opened never moves; without a stream it asks every 25 seconds. */
  const live = doc.querySelector("[data-live]");
  if (live) {
    const EVERY = 25000, SILENT = 35000, offset = +doc.body.dataset.now;
    const part = (name, inside = doc) => inside.querySelector(`[data-part=${name}]`);
    const used = (node) => node.contains(doc.activeElement) || node.querySelector("details[open] form, form[data-busy]") !== null
      || [...node.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue)
      || (!getSelection().isCollapsed && node.contains(getSelection().anchorNode));
    const said = () => [...part("talk").querySelectorAll(".msg")];
    const onScreen = (node) => { const box = node?.getBoundingClientRect(); return box && box.bottom > 0 && box.top < innerHeight; };
    /* What was really on the screen is seen: only so much does the form say. */
    const looked = () => {
      const last = said().at(-1), seen = reply?.elements.seen, key = +last?.id.slice(8);
      if (seen && !doc.hidden && onScreen(last) && key > seen.value) seen.value = key;
    };
    const put = (fresh) => {
      const steady = [doc.activeElement, ...said(), reply].find((node) => node !== doc.body && onScreen(node)), at = steady?.getBoundingClientRect().top;
      doc.documentElement.style.overflowAnchor = "none";  // it is held here, in every browser
      for (const name of ["head", "decide", "hint", "side"]) {
        const node = part(name), now = part(name, fresh);
        if (!node || !now || used(node)) { waits ||= !!(node && now); continue; }
        const opened = [...node.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
        for (const one of now.querySelectorAll("details > summary")) if (opened.includes(one.textContent)) one.parentNode.open = true;
        node.replaceChildren(...now.childNodes);
      }
      const added = [...part("talk", fresh).querySelectorAll(".msg")].filter((one) => !doc.getElementById(one.id));
      part("talk").append(...added);
      doc.querySelector("#messages")?.append(...fresh.querySelector("#messages").children);  // they are told once
      const by = steady ? steady.getBoundingClientRect().top - at : 0;
      if (by > 0) doc.body.style.minHeight = `${scrollY + by + innerHeight}px`;  // beside a long side column the page does not grow
      scrollBy({ top: by, behavior: "instant" });
      requestAnimationFrame(() => { doc.documentElement.style.overflowAnchor = ""; });
      if (added.some((one) => one.matches(".msg--us"))) {
        live.textContent = "";
        setTimeout(() => { live.textContent = live.dataset.new; }, 50);  // said again, too
      }
      setTimeout(looked, 1000);
      dispatchEvent(new Event("link"));  // the fresh clocks tick on
    };
    let stream, heard = 0, soon, asking = false, again = false, waits = false, last = offset ? `${(offset - 2) * 1000}-0` : "";
    const renew = async () => {
      soon = 0;
      if (asking) { again = true; return; }
      if (doc.hidden || doc.querySelector("form[data-busy]")) return;  // on its way to another page
      asking = true;
      waits = again = false;
      const text = await fetched(live.dataset.page);
      asking = false;
      if (text && !doc.querySelector("form[data-busy]")) put(new DOMParser().parseFromString(text, "text/html"));
      if (again) happened();
    };
    const happened = () => { soon ||= setTimeout(renew, 200); };
    /* One stream in one tab, by a lock; it passes what it hears on to the others: a browser has few lines. */
    const one = `live-${doc.body.dataset.person}`, channel = "BroadcastChannel" in window ? new BroadcastChannel(one) : null;
    const take = ({ kind, id, data }) => {
      heard = Date.now();
      last = id || last;
      if (kind === "reload" || (kind === "ticket" && JSON.parse(data).n === +live.dataset.n)) happened();
    };
    if (channel) channel.onmessage = ({ data }) => take(data);
    const listen = () => {
      stream?.close();
      stream = new EventSource(`${live.dataset.live}?last=${encodeURIComponent(last)}`);
      for (const kind of ["hello", "beat", "ticket", "reload"]) stream.addEventListener(kind, (event) => {
        const message = { kind, id: event.lastEventId, data: event.data };
        take(message);
        channel?.postMessage(message);
      });
      stream.onerror = () => { heard = 0; };
    };
    const back = () => {
      if (stream && (stream.readyState === EventSource.CLOSED || Date.now() - heard > SILENT)) listen();
      happened();
    };
    setTimeout(() => {  // the page itself comes first; what happens meanwhile is heard then
      heard ||= Date.now();
      if (navigator.locks && channel) navigator.locks.request(one, () => { listen(); return new Promise(() => {}); });
      else listen();
    }, 2500);
    setInterval(() => { if (Date.now() - heard > SILENT) back(); }, EVERY);
    addEventListener("online", back);
    addEventListener("pageshow", (event) => { if (event.persisted) back(); });
    doc.addEventListener("visibilitychange", () => { if (!doc.hidden) back(); });
    for (const name of ["focusout", "toggle"]) doc.addEventListener(name, (event) => { if (waits && !event.target.open) happened(); }, true);
    addEventListener("scroll", looked, { passive: true });
  }

  const form = doc.querySelector("form[data-keep]");
  if (!form) return;
  withFiles(form, new Files(form));
  onceSent(form, `draft:${doc.body.dataset.person || ""}:new`, () => form.reset());
  const into = async (node, address) => {
    node.dataset.asked = address;
    const text = await fetched(address);
    if (text !== null && node.dataset.asked === address) node.innerHTML = text; // a later question has its own answer
  };

  let pause;
  const subject = form.elements.subject, look = doc.querySelector("#look");
  subject.addEventListener("input", () => {
    clearTimeout(pause);
    const words = subject.value.trim();
    if (words.split(/\s+/).length < 3) { look.dataset.asked = ""; look.replaceChildren(); return; }
    pause = setTimeout(() => into(look, `${look.dataset.url}?q=${encodeURIComponent(words)}`), 400);
  });

  const topic = form.elements.topic, said = doc.querySelector("#entitlement");
  topic?.addEventListener("change", () => into(said, `${said.dataset.url}?topic=${encodeURIComponent(topic.value)}`));

  setInterval(async () => {
    const text = doc.hidden ? null : await fetched(form.dataset.promises);
    if (!text) return;
    for (const by of new DOMParser().parseFromString(text, "text/html").querySelectorAll(".by")) {
      by.removeAttribute("hx-swap-oob");
      doc.getElementById(by.id)?.replaceWith(by);
    }
  }, 60000);

  /* Kept every two seconds while it changes; without a link it stays on this device (app.js) and is sent later. */
  let kept = "", sending = false, sent = false, held = false;
  const filled = () => {
    const fields = new FormData(form);
    fields.delete("files");
    return new URLSearchParams(fields);
  };
  kept = filled().toString();
  const note = form.querySelector("[data-kept]");
  const keep = async () => {
    const fields = filled(), now = fields.toString();
    if (sending || sent || held || now === kept) return;
    sending = true;
    try {
      fields.set("base", form.dataset.at);
      const answer = await fetch(form.dataset.keep, { method: "POST", body: fields });
      if (answer.status === 204) { kept = now; form.dataset.at = answer.headers.get("Draft-At"); }
      held = answer.status === 409;  // another window's: what is written here stays on this page and can be sent
      note.textContent = answer.status === 204 ? note.dataset.kept : held ? await answer.text() : note.dataset.here;
    } catch { note.textContent = note.dataset.here; }
    sending = false;
  };
  setInterval(keep, 2000);
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("pageshow", () => { sent = false; });
})();
