/* On a phone the customers' menu is wider than the page: where one is stands in sight. */
(() => {
  "use strict";
  const here = document.querySelector(".pnav [aria-current]"), menu = here?.parentNode;
  if (here) menu.scrollLeft += here.getBoundingClientRect().right - menu.getBoundingClientRect().right;
})();
