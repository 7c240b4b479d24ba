/* SPDX-License-Identifier: MIT */
/* All steps as lines, of which only those in sight exist; and one step, with its walk, decisions and causes. */
const ROW_PX = 21;

class Trace {
  constructor(box) {
    this.box = box;
    this.all = Array.from({ length: model.steps }, (_, i) => i);
    this.shown = this.all;
    this.inside = element("div", {});
    box.append(this.inside);
    box.addEventListener("scroll", () => this.draw());
    box.addEventListener("keydown", (e) => this.key(e));
    document.getElementById("find").addEventListener("input", (e) => this.search(e.target.value));
    this.draw();
  }

  key(e) {
    const way = { ArrowDown: 1, ArrowUp: -1 }[e.key],
      at = this.shown.indexOf(selected);
    const next = this.shown[Math.max(0, Math.min(this.shown.length - 1, at + (way || 0)))];
    if (!way || next === undefined) return;
    e.preventDefault();
    select(next);
  }

  /* All words have to be there, in the title, the act or what is told of it. */
  search(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const line = (step) =>
      (
        "#" +
        model.act[step] +
        " " +
        model.title(step) +
        " " +
        model
          .recordsOf(step)
          .map((r) => r.table.name + " " + r.table.word + r.table.text(r.row))
          .join(" ")
      ).toLowerCase();
    this.shown = words.length
      ? this.all.filter((step) => {
          const all = line(step);
          return words.every((word) => all.includes(word));
        })
      : this.all;
    document.getElementById("found").textContent = words.length
      ? number(this.shown.length) + " of " + number(model.steps) + " steps"
      : "";
    this.box.scrollTop = 0;
    this.draw();
  }

  row(step, at) {
    const cause = model.cause[step],
      row = element("div", {
        class: "row" + (step === selected ? " picked" : ""),
        role: "option",
        "aria-selected": step === selected,
        style: "top:" + at * ROW_PX + "px",
        onclick: () => select(step, this),
      });
    row.append(
      element("span", { class: "when" }, model.time[step].toFixed(6).padStart(11) + "  "),
      ("#" + model.act[step]).padEnd(8),
      model.title(step),
      element("span", { class: "when" }, cause ? "   because " + model.actLabel(cause) : ""),
    );
    return row;
  }

  draw() {
    const from = Math.max(0, Math.floor(this.box.scrollTop / ROW_PX) - 10),
      to = Math.min(this.shown.length, from + 45);
    this.inside.style.height = this.shown.length * ROW_PX + "px";
    this.inside.replaceChildren(...this.shown.slice(from, to).map((step, i) => this.row(step, from + i)));
  }

  pick() {
    const at = this.shown.indexOf(selected),
      top = at * ROW_PX;
    if (at >= 0 && (top < this.box.scrollTop || top > this.box.scrollTop + this.box.clientHeight - ROW_PX))
      this.box.scrollTop = top - this.box.clientHeight / 2;
    this.draw();
  }
}

/* ---- one step ------------------------------------------------------------------------------------------------------ */

const MOOD = {
  drop: "bad",
  tcp_end: "bad",
  tcp_rtx: "warn",
  tcp_rto: "warn",
  tcp_lost: "warn",
  tcp_state: "good",
  neigh_state: "good",
};

function told(r) {
  const rule = r.table.rule[r.row];
  return element(
    "li",
    { class: MOOD[r.table.name], title: r.table.doc },
    element("span", { class: "room" }, r.table.room[r.row]),
    element("span", { class: "text" }, r.table.word + r.table.text(r.row)),
    rule ? " " : "",
    rule ? element("span", { class: "rule" }, "[" + rule + "]") : "",
  );
}

function pathList(step) {
  const walk = model.walk(step);
  return (
    walk &&
    element("ol", { class: "path", "aria-label": "rooms" }, ...walk.split(" > ").map((room) => element("li", {}, room)))
  );
}

function showWalk() {
  const box = document.getElementById("walk");
  if (selected === undefined) {
    box.replaceChildren(
      element("h3", {}, "Nothing is selected"),
      element(
        "p",
        { class: "soft" },
        "Click a point, an arrow or a line: " +
          "here stands the walk of that packet, room by room, what was decided on the way, and why.",
      ),
      element(
        "p",
        { class: "soft" },
        "In a chart: drag to move, ",
        element("kbd", {}, "+"),
        " ",
        element("kbd", {}, "\u2212"),
        " zoom, ",
        element("kbd", {}, "0"),
        " all, ",
        element("kbd", {}, "\u2190"),
        " ",
        element("kbd", {}, "\u2192"),
        " next packet; the wheel zooms when a chart has the focus, or with Ctrl.",
      ),
    );
    return;
  }
  const cause = model.cause[selected],
    causeStep = model.stepOfAct.get(cause),
    led = model.ledTo.get(model.act[selected]) || [];
  const links = [];
  if (cause)
    links.push(
      "because of ",
      causeStep === undefined ? model.actLabel(cause) : linkTo(causeStep, model.actLabel(cause)),
    );
  box.replaceChildren(
    element("h3", {}, "#" + model.act[selected] + " " + model.title(selected)),
    element("p", { class: "soft" }, "at " + model.time[selected].toFixed(6) + " s"),
    element("div", { class: "links" }, ...links),
  );
  const path = pathList(selected);
  if (path) box.append(path);
  box.append(element("ul", { class: "told" }, ...model.recordsOf(selected).map(told)));
  if (led.length)
    box.append(
      element("p", { class: "soft" }, "It led to"),
      element(
        "div",
        { class: "links" },
        ...led.slice(0, 12).map((step) => linkTo(step, model.actLabel(model.act[step]))),
        led.length > 12 ? "and " + (led.length - 12) + " more" : "",
      ),
    );
  box.append(
    element(
      "div",
      { class: "links" },
      selected > 0 ? linkTo(selected - 1, "\u2190 before") : "",
      selected + 1 < model.steps ? linkTo(selected + 1, "after \u2192") : "",
    ),
  );
}

function showTip(e, point) {
  const tip = document.getElementById("tip"),
    step = point.step,
    list = model.recordsOf(step).filter((r) => r.table.name !== "tcp_rtt");
  tip.replaceChildren(
    element("b", {}, "#" + model.act[step] + " " + model.title(step)),
    element("br"),
    element("span", { class: "soft" }, "at " + model.time[step].toFixed(6) + " s" + (point.text ? " \u00b7 " : "")),
    point.text || "",
  );
  const segment = model.segment(step);
  for (const r of list.filter((q) => q !== segment).slice(0, 6))
    tip.append(
      element("br"),
      element("span", { class: "soft" }, r.table.room[r.row] + ": "),
      r.table.word + r.table.text(r.row),
    );
  if (model.walk(step)) tip.append(element("br"), element("span", { class: "soft mono" }, model.walk(step)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left =
    Math.max(4, e.clientX + 16 + box.width > innerWidth ? e.clientX - box.width - 12 : e.clientX + 16) + "px";
  tip.style.top = Math.max(4, Math.min(innerHeight - box.height - 4, e.clientY + 14)) + "px";
}

function hideTip() {
  document.getElementById("tip").hidden = true;
}
