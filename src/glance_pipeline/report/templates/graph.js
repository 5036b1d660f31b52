// Draws the causal graph and shows the evidence behind what is pointed at or chosen.
"use strict";
(() => {
  const graph = JSON.parse(document.getElementById("graph-data").textContent);
  const section = document.getElementById("explore");
  const holder = document.getElementById("drawing");
  const panel = d3.select("#evidence");
  const strips = d3.select("#graph-strips");
  const PIXELS = 76; // an inch of the layout
  const MARK = 11; // between the end of a line and a box, for a mark
  const LINE_HEIGHT = 15;

  const TITLE = 26; // above the columns
  const edgesToDraw = graph.edges.slice().sort((a, b) => a.line.order - b.line.order);
  const longest = d3.max(edgesToDraw.filter((edge) => edge.line.arc), (edge) => edge.line.rows) || 0;
  let chosen = null; // a node or an edge that was clicked

  section.hidden = false;
  document.getElementById("static-graph").hidden = true;
  const svg = d3.select(holder).append("svg").attr("role", "group")
    .attr("aria-label", "Causal graph. Boxes are concepts and answers, lines are edges.");

  const touches = (edge, node) => graph.nodes[edge.source] === node || graph.nodes[edge.target] === node;
  const top = (y) => TITLE + (graph.height - y) * PIXELS;
  const isNode = (one) => one !== null && one.lines !== undefined;

  // Horizontal measures depend on the width there is; heights come from the layout.
  function columns(width) {
    const narrow = width < 560;
    const concept = narrow ? 108 : 140;
    const sink = narrow ? 76 : 104;
    const arcs = longest ? Math.min(0.2 * width, 60 + 18 * longest) : 2;
    const gap = Math.min(width - arcs - concept - sink - 4, 460);
    return { arcs, concept, sink, gap, right: arcs + concept + gap };
  }

  function boxOf(node, shape) {
    const sink = node.kind === "prediction";
    return {
      x: sink ? shape.right : shape.arcs,
      y: top(node.y) - node.height * PIXELS / 2,
      width: sink ? shape.sink : shape.concept,
      height: node.height * PIXELS,
    };
  }

  // The four corners of an edge's Bézier curve, between the boxes.
  function corners(edge, shape) {
    const [one, other] = edge.line.ends.map(top);
    if (edge.line.arc) {
      const reach = (shape.arcs - 8) / 0.75 * (0.3 + 0.7 * edge.line.rows / longest);
      const x = shape.arcs;
      return [[x, one], [x - reach, one], [x - reach, other], [x, other]];
    }
    const [left, right] = [shape.arcs + shape.concept, shape.right];
    const bend = 0.4 * shape.gap;
    return [[left, one], [left + bend, one], [right - bend, other], [right, other]];
  }

  const outward = (edge, end) => (edge.line.arc || end === 1 ? -1 : 1);
  const hasMark = (edge, end) => edge.line.marks[end] !== "tail" || edge.line.settled;

  function curve(edge, shape) {
    const [a, b, c, d] = corners(edge, shape);
    const inset = [0, 1].map((end) => (hasMark(edge, end) ? MARK * outward(edge, end) : 0));
    const path = d3.path();
    path.moveTo(a[0] + inset[0], a[1]);
    path.bezierCurveTo(...b, ...c, d[0] + inset[1], d[1]);
    return path.toString();
  }

  // The path of a mark that stands beside a box, around (0, 0), its tip towards the box.
  function mark(kind, direction) {
    if (kind === "circle") return "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z";
    if (kind === "tail") return "M-2,-4H2V4H-2Z";
    return `M${-direction * 5},0L${direction * 5},-5V5Z`;
  }

  // A dotted arrow beside an edge: a direction that is suggested only.
  function suggestion(edge, shape) {
    const [a, b, c, d] = corners(edge, shape);
    const side = edge.line.arc ? -9 : 9;
    const at = (t) => [0, 1].map((k) => (1 - t) ** 3 * a[k] + 3 * t * (1 - t) ** 2 * b[k]
      + 3 * t ** 2 * (1 - t) * c[k] + t ** 3 * d[k] + (k === 0 ? side : 0));
    const points = d3.range(0.3, 0.71, 0.05).map(at);
    if (edge.line.suggested === "backwards") points.reverse();
    const [tip, before] = [points[points.length - 1], points[points.length - 2]];
    const angle = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
    const head = [2.6, -2.6].map((turn) => [tip[0] + 7 * Math.cos(angle + turn), tip[1] + 7 * Math.sin(angle + turn)]);
    return d3.line()(points) + d3.line()([head[0], tip, head[1]]);
  }

  function drawEdges(shape) {
    const groups = svg.select("g.edges").selectAll("g.edge").data(edgesToDraw);
    const made = groups.enter().append("g")
      .attr("class", (edge) => `edge ${edge.line.sign}`)
      .classed("extra", (edge) => edge.line.extra)
      .classed("dashed", (edge) => edge.line.dashed)
      .classed("dotted", (edge) => edge.line.dotted)
      .classed("settled", (edge) => edge.line.settled)
      .attr("role", "img")
      .attr("aria-label", (edge) => `${edge.name}. ${edge.words}`);
    made.append("path").attr("class", "hit");
    made.append("path").attr("class", "line")
      .attr("stroke-width", (edge) => edge.line.width * 1.3)
      .attr("stroke-opacity", (edge) => edge.line.opacity);
    made.append("path").attr("class", "suggested");
    [0, 1].forEach((end) => made.filter((edge) => hasMark(edge, end)).append("path")
      .attr("class", (edge) => `mark ${edge.line.marks[end]} end-${end}`));
    listen(made);
    const all = made.merge(groups);
    all.selectAll(".hit, .line").attr("d", (edge) => curve(edge, shape));
    all.select(".suggested").attr("d", (edge) => (edge.line.suggested ? suggestion(edge, shape) : null));
    [0, 1].forEach((end) => all.select(`.end-${end}`)
      .attr("d", (edge) => mark(edge.line.marks[end], outward(edge, end)))
      .attr("transform", (edge) => {
        const [x, y] = corners(edge, shape)[end ? 3 : 0];
        return `translate(${x + outward(edge, end) * MARK / 2},${y})`;
      }));
  }

  function drawNodes(shape) {
    const groups = svg.select("g.nodes").selectAll("g.node").data(graph.nodes);
    const made = groups.enter().append("g")
      .attr("class", (node) => `node ${node.kind}`)
      .attr("tabindex", 0)
      .attr("role", "button")
      .attr("aria-pressed", "false")
      .attr("aria-label", (node) => {
        const count = graph.edges.filter((edge) => touches(edge, node)).length;
        return `${node.label}, ${node.about}, ${count} edge${count === 1 ? "" : "s"}`;
      });
    made.append("rect").attr("rx", (node) => (node.kind === "latent" ? 9 : 1));
    const text = made.append("text").attr("text-anchor", "middle");
    text.selectAll("tspan").data((node) => node.lines).enter().append("tspan").text((line) => line);
    listen(made);
    const all = made.merge(groups);
    all.attr("transform", (node) => `translate(${boxOf(node, shape).x},${boxOf(node, shape).y})`);
    all.select("rect").attr("width", (node) => boxOf(node, shape).width)
      .attr("height", (node) => boxOf(node, shape).height);
    all.each(function (node) {
      const box = boxOf(node, shape);
      const first = box.height / 2 - (node.lines.length - 1) * LINE_HEIGHT / 2;
      d3.select(this).selectAll("tspan").attr("x", box.width / 2)
        .attr("y", (line, number) => first + number * LINE_HEIGHT).attr("dy", "0.35em");
    });
  }

  function draw() {
    const shape = columns(Math.max(holder.clientWidth, 300));
    const [width, height] = [shape.right + shape.sink + 4, TITLE + graph.height * PIXELS];
    svg.attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
    const titles = [["Concepts", shape.arcs + shape.concept / 2], ["Answers", shape.right + shape.sink / 2]];
    const written = svg.selectAll("text.title").data(titles);
    written.enter().append("text").attr("class", "title").attr("text-anchor", "middle").attr("y", 16)
      .text((title) => title[0]).merge(written).attr("x", (title) => title[1]);
    drawEdges(shape);
    drawNodes(shape);
  }

  function listen(groups) {
    groups.on("pointerenter focus", show)
      .on("pointerleave blur", () => show(chosen))
      .on("click", (one) => choose(one === chosen ? null : one))
      .on("keydown", (one) => {
        if (d3.event.key !== "Enter" && d3.event.key !== " ") return;
        d3.event.preventDefault();
        choose(one === chosen ? null : one);
      });
  }

  // Says in the panel what is behind a node or an edge; null brings the hint back.
  function show(one) {
    markRelated(one);
    panel.select(".hint").attr("hidden", one === null ? null : "");
    const said = panel.select(".said").html("");
    if (one === null) return;
    said.append("h3").text(isNode(one) ? one.label : one.name);
    if (!isNode(one)) {
      said.append("p").text(one.words);
      return;
    }
    said.append("p").attr("class", "quiet").text(`${one.about}.`);
    const edges = graph.edges.filter((edge) => touches(edge, one));
    if (edges.length === 0) said.append("p").text("No edge was found.");
    const items = said.append("ul").selectAll("li").data(edges).enter().append("li");
    items.append("b").text((edge) => edge.name);
    items.append("span").text((edge) => ` ${edge.words}`);
  }

  function markRelated(one) {
    const related = (edge) => edge === one || (isNode(one) && touches(edge, one));
    svg.classed("chosen", one !== null);
    svg.selectAll("g.edge").classed("related", related);
    svg.selectAll("g.node").classed("related", (node) => node === one
      || edgesToDraw.some((edge) => related(edge) && touches(edge, node)));
  }

  function choose(one) {
    chosen = one;
    svg.selectAll("g.node").attr("aria-pressed", (node) => String(node === one));
    // Edges of the box chosen last can be reached with Tab; all of them would be too many.
    if (one === null || isNode(one)) {
      svg.selectAll("g.edge").attr("tabindex", (edge) => (one && touches(edge, one) ? 0 : null));
    }
    show(one);
    showStrips(isNode(one) && one.kind !== "prediction" ? one : null);
  }

  // Shows the strips of one concept in all images, copied from the images' cards.
  function showStrips(concept) {
    strips.attr("hidden", concept ? null : "");
    const list = strips.select(".list").html("");
    strips.select("h3").text(concept ? `${concept.label} moved, image by image` : "");
    if (!concept) return;
    const found = Array.from(document.querySelectorAll("article figure.strip"))
      .filter((figure) => figure.dataset.node === concept.name);
    if (found.length === 0) list.append("p").text("It has no effect on the picture, so there are no strips.");
    found.forEach((figure) => {
      const card = figure.closest("article");
      const item = list.append("div");
      item.append("a").attr("href", `#${card.id}`).text(card.querySelector(".title").textContent);
      item.node().append(figure.cloneNode(true));
    });
  }

  svg.append("g").attr("class", "nodes");
  svg.append("g").attr("class", "edges");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose(null);
  });
  new ResizeObserver(draw).observe(holder);
  draw();
})();
