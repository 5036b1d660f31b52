// Unfolds the card that a link leads to, and everything for print.
"use strict";
(() => {
  const unfold = (link) => {
    const card = document.getElementById(decodeURIComponent(link.slice(1)));
    if (card && card.matches("article")) card.querySelector("details").open = true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) unfold(link.getAttribute("href"));
  });
  unfold(location.hash);

  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = Array.from(document.querySelectorAll("details:not([open])"));
    unfolded.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => {
    unfolded.forEach((part) => { part.open = false; });
  });
})();
