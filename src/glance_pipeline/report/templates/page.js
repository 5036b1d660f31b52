// Unfolds the card that a link leads to, and everything for print.
"use strict";
(() => {
  const unfold = (card) => {
    const folded = card && card.querySelector(":scope > details");
    if (folded) folded.open = true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    const card = document.getElementById(link.getAttribute("href").slice(1));
    unfold(card);
    if (location.protocol !== "blob:") return;
    event.preventDefault(); // the artifact view of mlflow lets no link be followed, not even here
    card.scrollIntoView();
    card.querySelector("summary").focus();
  });
  unfold(document.getElementById(location.hash.slice(1)));

  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = Array.from(document.querySelectorAll("details:not([open])"));
    unfolded.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => {
    unfolded.forEach((part) => { part.open = false; });
  });
})();
