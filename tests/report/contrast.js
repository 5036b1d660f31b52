// Returns each text on the page whose contrast to what is behind it is below `least` (WCAG 2.2).
(least) => {
  const numbers = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (front, back) => [0, 1, 2].map((k) => front[k] * front[3] + back[k] * (1 - front[3]));
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (element === null) return [255, 255, 255];
    const style = getComputedStyle(element);
    const rect = element.matches("g.node") ? element.querySelector("rect") : null;
    const colour = numbers(rect ? getComputedStyle(rect).fill : style.backgroundColor);
    if (rect) colour[3] *= Number(getComputedStyle(rect).opacity);
    return colour[3] === 1 ? colour : over(colour, behind(element.parentElement));
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const poor = [];
  let count = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const seen = element.checkVisibility() && !element.closest("script, style, .unseen");
    if (!seen || texts.currentNode.data.trim() === "") continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const front = over(numbers(element.closest("svg") ? style.fill : style.color), back);
    const [low, high] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    count += 1;
    if (contrast < least) poor.push(`${texts.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return [count, poor];
}
