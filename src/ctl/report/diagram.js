/* SPDX-License-Identifier: MIT */
/* The sequence diagram: packets as arrows, row by row; what is uneventful is folded. */
const ARROW_PX = 24;
const FOLD_FROM = 7;
const OPEN_AT_ONCE = 60;
const ROWS_MAX = 260;

/* Steps that are packets, or a change of state; what is uneventful can be folded. */
function diagramItems() {
  const items = [];
  for (let step = 0; step < model.steps; step++) {
    const records = model.recordsOf(step),
      lane = model.lane[step],
      label = model.label(step);
    const has = (name) => records.some((r) => r.table.name === name);
    const fired = lane === LANE_SELF && (has("tcp_rto") || has("tcp_state") || has("tcp_end"));
    if (lane === LANE_SELF ? !fired : /^built/.test(label)) continue;
    const segment = model.segment(step),
      flags = segment ? segment.table.column.flags[segment.row] : "";
    const plain =
      segment &&
      !/[SFR]/.test(flags) &&
      records.every((r) => /^tcp_(in|out|acked|sacked|rtt|ack_why)$/.test(r.table.name));
    items.push({ step, lane, plain, segment, records });
  }
  return items;
}

/* Runs of uneventful packets become one item, unless they are open. */
function fold(items, opened) {
  const out = [];
  for (let i = 0; i < items.length;) {
    let end = i;
    while (end < items.length && items[end].plain && !opened.has(items[end].step)) end++;
    if (end - i >= FOLD_FROM) {
      out.push(items[i], { folded: items.slice(i + 1, end - 1) }, items[end - 1]);
      i = end;
    } else {
      out.push(items[i++]);
    }
  }
  return out;
}

function foldText(list) {
  const out = list.filter((i) => i.lane === LANE_OUT),
    came = list.filter((i) => i.lane === LANE_IN);
  const bytes = (l) => l.reduce((n, i) => n + i.segment.table.column.len[i.segment.row], 0);
  const part = (l, word) =>
    l.length ? number(l.length) + " " + word + (bytes(l) ? " (" + number(bytes(l)) + " bytes)" : "") : "";
  const sack = came.filter((i) => i.records.some((r) => r.table.name === "tcp_sacked")).length;
  return "\u22ee  " + [part(out, "sent"), part(came, "came"), sack && sack + " with SACK"].filter(Boolean).join(", ");
}

let segmentOf; /* by its step */

class Diagram {
  constructor(box) {
    segmentOf = new Map(pic.sent.map((s) => [s.step, s]));
    this.box = box;
    this.items = diagramItems();
    this.known = new Set(this.items.map((item) => item.step));
    this.opened = new Set();
    this.limit = ROWS_MAX;
    this.draw();
  }

  draw() {
    const width = Math.max(520, this.box.clientWidth),
      all = fold(this.items, this.opened),
      rows = all.slice(0, this.limit);
    this.shown = new Set(rows.map((item) => item.step));
    const svg = d3.create("svg").attr("role", "group").attr("aria-label", "Sequence diagram");
    const height = 34 + rows.length * ARROW_PX + 8;
    Object.assign(this, { svg, width, left: 108, right: width - 150 });
    svg.attr("viewBox", "0 0 " + width + " " + height).attr("height", height);
    svg
      .append("defs")
      .html(
        ["new", "ack", "fast", "rto", "tlp", "other", "bad", "window"]
          .map(
            (c) =>
              '<marker id="m-' +
              c +
              '" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto">' +
              '<path d="M0 0.5 8 4 0 7.5z" fill="var(--' +
              c +
              ')"/></marker>',
          )
          .join(""),
      );
    for (const [x, name] of [
      [this.left, data.local],
      [this.right, data.remote],
    ]) {
      svg.append("text").attr("class", "head").attr("x", x).attr("y", 14).attr("text-anchor", "middle").text(name);
      svg
        .append("line")
        .attr("x1", x)
        .attr("x2", x)
        .attr("y1", 22)
        .attr("y2", height)
        .attr("stroke", "var(--line)")
        .attr("stroke-width", 2);
    }
    rows.forEach((item, i) => this.row(item, 34 + i * ARROW_PX));
    this.box.replaceChildren(svg.node());
    if (all.length > rows.length)
      this.box.append(
        element(
          "button",
          {
            type: "button",
            onclick: () => {
              this.limit += ROWS_MAX;
              this.draw();
            },
          },
          number(all.length - rows.length) + " more rows",
        ),
      );
    this.pick();
  }

  row(item, y) {
    const g = this.svg
      .append("g")
      .attr("class", item.folded ? "row fold" : "row")
      .attr("tabindex", 0)
      .attr("role", "button");
    g.append("rect")
      .attr("class", "hit")
      .attr("x", 0)
      .attr("y", y)
      .attr("width", this.width)
      .attr("height", ARROW_PX)
      .attr("fill", "transparent");
    const act = () => (item.folded ? this.open(item.folded) : select(item.step, this));
    g.on("click", act).on(
      "keydown",
      () => (d3.event.key === "Enter" || d3.event.key === " ") && (d3.event.preventDefault(), act()),
    );
    for (const x of [this.left, this.right])
      g.append("line")
        .attr("x1", x)
        .attr("x2", x)
        .attr("y1", y)
        .attr("y2", y + ARROW_PX)
        .attr("stroke", "var(--line)")
        .attr("stroke-width", 2);
    if (item.folded) {
      g.append("text")
        .attr("x", (this.left + this.right) / 2)
        .attr("y", y + 16)
        .attr("text-anchor", "middle")
        .text(foldText(item.folded));
      return;
    }
    g.attr("data-step", item.step);
    g.append("text")
      .attr("class", "time")
      .attr("x", this.left - 12)
      .attr("y", y + 16)
      .attr("text-anchor", "end")
      .text(duration(Math.round(model.time[item.step] * 1e9)));
    if (item.lane === LANE_SELF) this.timer(g, item, y);
    else this.arrow(g, item, y);
    this.side(g, item, y);
  }

  arrow(g, item, y) {
    const out = item.lane === LANE_OUT;
    const lost = out && item.records.some((r) => r.table.name === "drop");
    const whole = lost && isWhole(segmentOf.get(item.step) || { len: 0, drops: [{}] });
    const rtx = item.records.find((r) => r.table.name === "tcp_rtx");
    const color = this.color(item, rtx, whole);
    const [from, end] = out ? [this.left, this.right] : [this.right, this.left];
    const middle = from + (end - from) * 0.78;
    const line = y + 19;
    g.append("line")
      .attr("x1", from + (out ? 3 : -3))
      .attr("x2", whole ? middle - 3 : end + (out ? -3 : 3))
      .attr("y1", line)
      .attr("y2", line)
      .attr("stroke", "var(--" + color + ")")
      .attr("stroke-width", 1.7)
      .attr("marker-end", whole ? null : "url(#m-" + color + ")");
    if (lost)
      g.append("path")
        .attr("d", "M" + (middle - 5) + " " + (line - 5) + "l10 10m-10 0l10 -10")
        .attr("stroke", "var(--bad)")
        .attr("stroke-width", 2.2);
    const why = rtx ? "  " + rtx.table.column.why[rtx.row] : "";
    this.arrowText(g, model.title(item.step).replace(/^(rx|tx|dropped) /, "") + why, y, rtx && color);
  }

  color(item, rtx, whole) {
    if (rtx) return KINDS[rtx.table.column.why[rtx.row]] || "other";
    if (whole) return "bad";
    if (!item.segment) return "window";
    return item.lane === LANE_OUT ? "new" : "ack";
  }

  arrowText(g, text, y, color) {
    const label = g
      .append("text")
      .attr("x", (this.left + this.right) / 2)
      .attr("y", y + 13)
      .attr("text-anchor", "middle")
      .text(text);
    if (color) label.style("fill", "var(--" + color + ")").style("font-weight", 600);
    g.attr("aria-label", text);
  }

  timer(g, item, y) {
    const rto = item.records.find((r) => r.table.name === "tcp_rto");
    g.append("circle")
      .attr("cx", this.left)
      .attr("cy", y + 12)
      .attr("r", 5)
      .attr("fill", rto ? "var(--rto)" : "var(--soft)");
    g.append("text")
      .attr("x", this.left + 14)
      .attr("y", y + 16)
      .text(rto ? rto.table.word + rto.table.text(rto.row) : model.title(item.step));
  }

  /* Changes of state, and why something was dropped, at the right. */
  side(g, item, y) {
    const state = item.records.filter((r) => r.table.name === "tcp_state").pop();
    const drop = item.records.find((r) => r.table.name === "drop");
    const text = state ? "\u2192 " + state.table.column.to[state.row] : drop ? drop.table.column.reason[drop.row] : "";
    g.append("text")
      .attr("class", "side")
      .attr("x", this.right + 14)
      .attr("y", y + 16)
      .text(text)
      .style("fill", drop && !state ? "var(--bad)" : null);
  }

  /* Some of a fold's packets, so that a page of ten thousand stays quick. */
  open(list) {
    for (const item of list.slice(0, OPEN_AT_ONCE)) this.opened.add(item.step);
    this.draw();
  }

  /* Shows the selected step, also out of a fold. */
  pick() {
    if (this.known.has(selected) && !this.shown.has(selected) && !this.opened.has(selected)) {
      this.opened.add(selected);
      this.draw();
      return;
    }
    for (const g of this.box.querySelectorAll("g[data-step]"))
      g.classList.toggle("picked", Number(g.dataset.step) === selected);
  }
}
