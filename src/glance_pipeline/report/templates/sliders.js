// A slider over each effect strip: one picture of it at a time, and what the classifier calls it.
"use strict";
(() => {
  const cards = JSON.parse(document.getElementById("strips-data").textContent);

  function connect(block, strip, card, picture) {
    const input = block.querySelector("input");
    const image = block.querySelector("img");
    const reading = block.querySelector(".reading");
    const last = strip.frames.length - 1;
    image.src = picture.src;
    image.style.width = `${100 * strip.frames.length}%`;
    const show = () => {
      const [value, probability, other] = strip.frames[input.value];
      const called = other === undefined ? card.answer : other;
      const said = card.numbers ? `${card.figure} ${probability}` : `${card.verb} ${called}`;
      image.style.transform = `translateX(${-100 * input.value / (last + 1)}%)`;
      image.alt = `${strip.concept} ${value}: ${said}`;
      reading.querySelector(".value").textContent = value;
      reading.querySelector(".called").textContent = called;
      reading.querySelector(".probability").textContent = probability;
      reading.classList.toggle("other", other !== undefined);
      input.setAttribute("aria-valuetext",
        card.numbers ? `${value}, ${said}` : `${value}, ${said}, ${card.figure} ${probability}`);
    };
    input.addEventListener("input", show);
    show();
  }

  for (const card of cards) {
    const article = document.getElementById(card.id);
    const pictures = article.querySelectorAll("figure.strip img");
    article.querySelectorAll(".slider").forEach((block, number) => {
      connect(block, card.strips[number], card, pictures[number]);
    });
    article.querySelectorAll(".sliders").forEach((sliders) => { sliders.hidden = false; });
    article.querySelector("details.strips").open = false;
  }
})();
