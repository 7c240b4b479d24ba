/* SPDX-License-Identifier: MIT */
/* Puts the page together. What is selected is one step, everywhere. */
let data, model, pic, selected, diagram, trace;

function select(step, from) {
  selected = step;
  history.replaceState(null, "", "#" + model.act[step]);
  if (!(from instanceof Chart)) reveal(model.time[step]);
  for (const chart of charts) chart.draw();
  diagram.pick();
  trace.pick();
  showWalk();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  for (const chart of charts) chart.draw();
}

function themes() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  document
    .getElementById("theme")
    .addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  let before;
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    drawAll();
  });
  addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = before;
    drawAll();
  });
}

function redraw() {
  drawAll();
  diagram.draw();
  drawTree();
}

async function begin() {
  data = await unpack();
  model = new Model(data);
  pic = picture(model);
  themes();
  heading();
  budget();
  makeCharts();
  drawAll();
  again();
  states();
  diagram = new Diagram(document.getElementById("diagram"));
  drawTree();
  trace = new Trace(document.getElementById("trace"));
  showWalk();
  const step = model.stepOfAct.get(Number(location.hash.slice(1)));
  if (step !== undefined) select(step);
  let waiting;
  let width = innerWidth;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    if (innerWidth !== width) waiting = setTimeout(redraw, 80);
    width = innerWidth;
  });
  document.documentElement.dataset.ready = "yes";
}

begin().catch((error) => {
  const box = document.getElementById("banner");
  box.hidden = false;
  box.textContent = "This page could not be drawn: " + error + ". Browsers since 2023 can.";
  throw error;
});
