/* What may be meant by what stands in the portal's search field so far. Without this file one presses Find. */
(() => {
  "use strict";
  const field = document.querySelector("[data-suggest]"), list = document.getElementById("suggest");
  let pause, asked = 0;
  field.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(async () => {
      const mine = ++asked;
      const answer = await fetch(`${field.dataset.suggest}?q=${encodeURIComponent(field.value)}`).catch(() => null);
      const html = answer?.ok && !answer.redirected ? await answer.text() : "";
      if (mine === asked) list.innerHTML = html;
    }, 200);
  });
})();
