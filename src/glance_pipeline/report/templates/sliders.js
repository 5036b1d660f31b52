// A slider over each effect strip: one picture of it at a time, and what the classifier calls it.
"use strict";
(() => {
  const cards = JSON.parse(document.getElementById("strips-data").textContent);

  function connect(block, strip, answer, picture) {
    const input = block.querySelector("input");
    const image = block.querySelector("img");
    const reading = block.querySelector(".reading");
    const last = strip.frames.length - 1;
    image.src = picture.src;
    image.style.width = `${100 * strip.frames.length}%`;
    const show = () => {
      const [value, probability, other] = strip.frames[input.value];
      const called = other === undefined ? answer : other;
      image.style.transform = `translateX(${-100 * input.value / (last + 1)}%)`;
      image.alt = `${strip.concept} ${value}: called ${called}`;
      reading.querySelector(".value").textContent = value;
      reading.querySelector(".called").textContent = called;
      reading.querySelector(".probability").textContent = probability;
      reading.classList.toggle("other", other !== undefined);
      input.setAttribute("aria-valuetext",
        `${value}, called ${called}, probability of ${answer} ${probability}`);
    };
    input.addEventListener("input", show);
    show();
  }

  for (const card of cards) {
    const article = document.getElementById(card.id);
    const pictures = article.querySelectorAll("figure.strip img");
    article.querySelectorAll(".slider").forEach((block, number) => {
      connect(block, card.strips[number], card.answer, pictures[number]);
    });
    article.querySelectorAll(".sliders").forEach((sliders) => { sliders.hidden = false; });
    article.querySelector("details.strips").open = false;
  }
})();
