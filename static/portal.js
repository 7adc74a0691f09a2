/* The forms of the portal: files that come in one by one, the draft of an answer, and of a new request also what may
   answer it first and the promised times as they are now. */
(() => {
  "use strict";
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

  const reply = document.querySelector("form[data-composer]");
  if (reply) {
    const writing = new Writing(reply);
    withFiles(reply, writing.files);
    reply.addEventListener("input", () => writing.later());
    reply.addEventListener("focusout", () => writing.save());
    addEventListener("pagehide", () => writing.save(true));
    document.addEventListener("visibilitychange", () => { if (document.hidden) writing.save(true); });
    reply.addEventListener("submit", () => {
      writing.remember();
      writing.end();
      try { sessionStorage.setItem("sent", writing.key); } catch { /* it may be forbidden: the text stays on this device */ }
    });
    addEventListener("pageshow", () => { writing.over = false; });
  }

  const form = document.querySelector("form[data-keep]");
  if (!form) return;
  withFiles(form, new Files(form, (text) => { form.querySelector("[data-status]").textContent = text; }));
  const fetched = async (address) => {
    try {
      const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
      return answer.ok && !answer.redirected ? await answer.text() : null;
    } catch { return null; } // no link: the page stays as it is
  };
  const into = async (node, address) => {
    node.dataset.asked = address;
    const text = await fetched(address);
    if (text !== null && node.dataset.asked === address) node.innerHTML = text; // a later question has its own answer
  };

  let pause;
  const subject = form.elements.subject, look = document.querySelector("#look");
  subject.addEventListener("input", () => {
    clearTimeout(pause);
    const words = subject.value.trim();
    if (words.split(/\s+/).length < 3) { look.dataset.asked = ""; look.replaceChildren(); return; }
    pause = setTimeout(() => into(look, `${look.dataset.url}?q=${encodeURIComponent(words)}`), 400);
  });

  const topic = form.elements.topic, said = document.querySelector("#entitlement");
  topic?.addEventListener("change", () => into(said, `${said.dataset.url}?topic=${encodeURIComponent(topic.value)}`));

  setInterval(async () => {
    const text = document.hidden ? null : await fetched(form.dataset.promises);
    if (!text) return;
    for (const by of new DOMParser().parseFromString(text, "text/html").querySelectorAll(".by")) {
      by.removeAttribute("hx-swap-oob");
      document.getElementById(by.id)?.replaceWith(by);
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
