// What a reader with JavaScript gets beside the page: nothing that the page does not work without.
(() => {
  "use strict";
  const root = document.documentElement;
  // First of all, so that the page is not seen in another style before.
  try { root.dataset.style = localStorage.getItem("nejiboard:style") ?? "auto"; } catch { /* Nothing is kept here. */ }
})();
