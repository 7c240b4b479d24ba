/* SPDX-License-Identifier: MIT */
/* What all charts share: a canvas with two axes, one time axis for all of them, zoom, keys, and the nearest point. */
const MARGIN = { left: 78, right: 14, top: 10, bottom: 30 };
const NEAR_PX = 28;
const charts = [];
let transform = d3.zoomIdentity;
let full = [0, 1]; /* seconds */

function css(name) {
  return getComputedStyle(document.documentElement)
    .getPropertyValue("--" + name)
    .trim();
}

function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value !== undefined) e.setAttribute(key, value);
  }
  e.append(...children.filter((child) => child !== undefined && child !== null));
  return e;
}

/* Seconds in the unit that fits what is to be seen. */
function timeFormat(span) {
  const [scale, unit] = span < 2e-3 ? [1e6, "us"] : span < 2 ? [1e3, "ms"] : [1, "s"];
  return { unit, format: (t) => String(Number((t * scale).toFixed(6))) };
}

function bytesFormat(v) {
  return v >= 1e6 && v % 1e4 === 0 ? v / 1e6 + " MB" : v >= 1e4 && v % 100 === 0 ? v / 1e3 + " kB" : number(v);
}

function durationTick(ms) {
  return ms >= 1000
    ? ms / 1000 + " s"
    : ms >= 1
      ? Number(ms.toPrecision(3)) + " ms"
      : Number((ms * 1000).toPrecision(3)) + " us";
}

/*
 * layers: { name: { label, color, on } }; points(): what can be selected, { time, y, step, text }; range(x0, x1): of y;
 * paint(chart): draws. All in the order in which it is called.
 */
class Chart {
  constructor(id, options) {
    Object.assign(this, options);
    this.box = document.getElementById(id);
    this.box.style.height = this.height + "px";
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.box.append(this.canvas);
    this.svg = d3
      .select(this.box)
      .append("svg")
      .attr("tabindex", 0)
      .attr("role", "img")
      .attr(
        "aria-label",
        this.title + ". Arrow keys select, plus and minus zoom, shift and arrows move, zero shows all.",
      );
    this.axisX = this.svg.append("g").attr("class", "axis").attr("aria-hidden", "true");
    this.axisY = this.svg.append("g").attr("class", "axis").attr("aria-hidden", "true");
    this.y = this.log ? d3.scaleLog() : d3.scaleLinear();
    this.tools(document.getElementById(id + "-tools"));
    this.listen();
    charts.push(this);
  }

  tools(box) {
    for (const layer of Object.values(this.layers)) {
      const swatch = element("span", { class: "swatch", style: "background:var(--" + layer.color + ")" });
      layer.on = !layer.off;
      const button = element(
        "button",
        {
          type: "button",
          "aria-pressed": layer.on,
          onclick: () => {
            layer.on = !layer.on;
            button.setAttribute("aria-pressed", layer.on);
            this.draw();
          },
        },
        swatch,
        layer.label,
      );
      box.append(button);
    }
    box.append(element("span", { class: "gap" }));
    for (const [label, name, act] of [
      ["\u2212", "zoom out", () => zoomBy(1 / 1.7)],
      ["+", "zoom in", () => zoomBy(1.7)],
      ["all", "show all of it", () => setTransform(d3.zoomIdentity)],
    ])
      box.append(
        element("button", { type: "button", "data-act": "", "aria-label": name, title: name, onclick: act }, label),
      );
  }

  listen() {
    const node = this.svg.node();
    this.zoom = d3
      .zoom()
      .scaleExtent([1, 1e6])
      .filter(() => d3.event.type !== "wheel" || d3.event.ctrlKey || document.activeElement === node)
      .on("zoom", () => d3.event.sourceEvent && setTransform(d3.event.transform));
    this.svg
      .call(this.zoom)
      .on("dblclick.zoom", null)
      .on("dblclick", () => setTransform(d3.zoomIdentity));
    node.addEventListener("mousemove", (e) => this.hover(e));
    node.addEventListener("mouseleave", () => hideTip());
    node.addEventListener("click", (e) => {
      const point = this.nearest(e);
      if (point) select(point.step, this);
    });
    node.addEventListener("keydown", (e) => this.key(e));
  }

  key(e) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (way && e.shiftKey) moveBy(-way * 0.2 * this.inner.width);
    else if (way) this.selectNext(way);
    else if (e.key === "+" || e.key === "=") zoomBy(1.7);
    else if (e.key === "-") zoomBy(1 / 1.7);
    else if (e.key === "0" || e.key === "Escape") setTransform(d3.zoomIdentity);
    else return;
    e.preventDefault();
  }

  selectNext(way) {
    const points = this.points(),
      at = points.findIndex((p) => p.step >= selected);
    const here = at < 0 ? (way > 0 ? -1 : points.length) : points[at].step === selected || way < 0 ? at : at - 1;
    const next = points[Math.max(0, Math.min(points.length - 1, here + way))];
    if (next) select(next.step, this);
  }

  /* ---- the inside */

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.size = { width: this.box.clientWidth, height: this.height };
    this.inner = {
      width: this.size.width - MARGIN.left - MARGIN.right,
      height: this.height - MARGIN.top - MARGIN.bottom,
    };
    this.canvas.width = Math.round(this.size.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context = this.canvas.getContext("2d");
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const inside = [
      [MARGIN.left, 0],
      [MARGIN.left + this.inner.width, this.height],
    ];
    this.zoom.extent(inside).translateExtent(inside);
  }

  draw() {
    const c = this.context,
      { width, height } = this.inner;
    const all = d3
      .scaleLinear()
      .domain(full)
      .range([MARGIN.left, MARGIN.left + width]);
    this.x = transform.rescaleX(all);
    this.y.domain(this.range(...this.x.domain())).range([MARGIN.top + height, MARGIN.top]);
    this.drawn = [];
    c.clearRect(0, 0, this.size.width, this.size.height);
    this.drawAxes();
    c.save();
    c.beginPath();
    c.rect(MARGIN.left, MARGIN.top, width, height);
    c.clip();
    this.paint(this);
    this.drawSelected();
    c.restore();
  }

  drawAxes() {
    const span = this.x.domain()[1] - this.x.domain()[0],
      time = timeFormat(span),
      c = this.context;
    const ticks = this.log ? logTicks(this.y.domain()) : this.y.ticks(Math.max(3, this.inner.height / 48));
    const x = d3
      .axisBottom(this.x)
      .ticks(Math.max(3, this.inner.width / 95))
      .tickFormat(time.format)
      .tickSizeOuter(0);
    const y = d3.axisLeft(this.y).tickValues(ticks).tickFormat(this.format).tickSizeOuter(0);
    this.axisX.attr("transform", "translate(0," + (MARGIN.top + this.inner.height) + ")").call(x);
    this.axisY.attr("transform", "translate(" + MARGIN.left + ",0)").call(y);
    this.axisLabel(time.unit);
    c.strokeStyle = css("grid");
    c.lineWidth = 1;
    c.beginPath();
    for (const tick of ticks) {
      c.moveTo(MARGIN.left, Math.round(this.y(tick)) + 0.5);
      c.lineTo(MARGIN.left + this.inner.width, Math.round(this.y(tick)) + 0.5);
    }
    c.stroke();
  }

  axisLabel(unit) {
    this.axisX.selectAll(".label").remove();
    this.axisX
      .append("text")
      .attr("class", "label")
      .attr("x", MARGIN.left - 10)
      .attr("y", 17)
      .attr("text-anchor", "end")
      .attr("fill", "currentColor")
      .text(unit);
  }

  drawSelected() {
    const c = this.context;
    if (selected === undefined) return;
    const x = Math.round(this.x(model.time[selected])) + 0.5;
    c.strokeStyle = css("ink");
    c.setLineDash([3, 3]);
    c.globalAlpha = 0.55;
    c.beginPath();
    c.moveTo(x, MARGIN.top);
    c.lineTo(x, MARGIN.top + this.inner.height);
    c.stroke();
    c.setLineDash([]);
    c.globalAlpha = 1;
    for (const p of this.drawn.filter((q) => q.step === selected)) {
      c.lineWidth = 2;
      c.beginPath();
      c.arc(this.x(p.time), this.y(p.y), 7, 0, 2 * Math.PI);
      c.stroke();
    }
  }

  /* ---- lines and marks */

  /* A line that stays until the next value: rows of [time, y]. */
  steps(rows, color, width = 1.5, dash = []) {
    const c = this.context,
      [x0, x1] = this.x.domain();
    let started = false,
      last;
    c.strokeStyle = css(color);
    c.lineWidth = width;
    c.setLineDash(dash);
    c.beginPath();
    for (const [t, v] of rows) {
      if (t < x0) {
        last = v;
        continue;
      }
      if (!started && last !== undefined) c.moveTo(MARGIN.left, this.y(last));
      else if (!started) c.moveTo(this.x(t), this.y(v));
      started = true;
      if (last !== undefined) c.lineTo(this.x(t), this.y(last));
      c.lineTo(this.x(t), this.y(v));
      last = v;
      if (t > x1) break;
    }
    if (!started && last !== undefined) c.moveTo(MARGIN.left, this.y(last));
    if (last !== undefined) c.lineTo(this.x(Math.min(x1, full[1])), this.y(last));
    c.stroke();
    c.setLineDash([]);
  }

  /* A short text at a point of a rising curve: below it to the right, or where else there is room. */
  label(x, y, text, color, taken) {
    const c = this.context;
    const width = c.measureText(text).width;
    const bottom = MARGIN.top + this.inner.height;
    const places = [
      [8, 13],
      [-8 - width, -13],
      [8, 0],
      [8, -13],
      [-8 - width, 13],
      [8, 28],
    ];
    for (const [dx, dy] of places) {
      const box = [x + dx - 2, y + dy - 8, x + dx + width + 2, y + dy + 7];
      const inside =
        box[0] > MARGIN.left && box[2] < MARGIN.left + this.inner.width && box[1] > MARGIN.top - 4 && box[3] < bottom;
      if (!inside || taken.some((b) => b[0] < box[2] && box[0] < b[2] && b[1] < box[3] && box[1] < b[3])) continue;
      taken.push(box);
      c.fillStyle = css("card");
      c.globalAlpha = 0.6;
      c.fillRect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
      c.globalAlpha = 1;
      c.fillStyle = css(color);
      c.fillText(text, x + dx, y + dy + 4);
      return;
    }
  }

  cross(x, y, half, color) {
    const c = this.context;
    c.strokeStyle = css(color);
    c.lineWidth = 2;
    c.beginPath();
    c.moveTo(x - half, y - half);
    c.lineTo(x + half, y + half);
    c.moveTo(x - half, y + half);
    c.lineTo(x + half, y - half);
    c.stroke();
  }

  /* ---- what the mouse means */

  nearest(e) {
    const box = this.svg.node().getBoundingClientRect(),
      mx = e.clientX - box.left,
      my = e.clientY - box.top;
    let best = null,
      least = NEAR_PX * NEAR_PX;
    for (const p of this.drawn) {
      const y0 = this.y(p.y),
        y1 = p.top === undefined ? y0 : this.y(p.top);
      const dy = my > y0 ? my - y0 : my < y1 ? y1 - my : 0,
        dx = this.x(p.time) - mx,
        far = dx * dx + dy * dy;
      if (far < least) {
        least = far;
        best = p;
      }
    }
    return best;
  }

  hover(e) {
    const point = this.nearest(e);
    if (point) showTip(e, point);
    else hideTip();
  }
}

/* 1, 2 and 5 of each decade. */
function logTicks([low, high]) {
  const found = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
    for (const m of [1, 2, 5]) if (m * 10 ** p >= low && m * 10 ** p <= high) found.push(m * 10 ** p);
  return found.length > 7 ? found.filter((v) => Math.log10(v) % 1 === 0) : found;
}

function drawAll() {
  for (const chart of charts) {
    chart.resize();
    chart.draw();
  }
}

function setTransform(t) {
  transform = t;
  for (const chart of charts) {
    chart.svg.node().__zoom = t;
    chart.draw();
  }
}

/* So that nothing but the connection's time is to be seen. */
function clamp(t) {
  const k = Math.max(1, Math.min(1e6, t.k)),
    left = MARGIN.left,
    right = left + charts[0].inner.width;
  return d3.zoomIdentity.translate(Math.min(left * (1 - k), Math.max(right * (1 - k), t.x)), 0).scale(k);
}

function zoomBy(factor) {
  const chart = charts[0],
    left = MARGIN.left,
    right = left + chart.inner.width;
  const seen = selected !== undefined ? chart.x(model.time[selected]) : -1;
  const center = seen >= left && seen <= right ? seen : (left + right) / 2;
  const k = transform.k * factor;
  setTransform(clamp({ k, x: center - (center - transform.x) * (k / transform.k) }));
}

function moveBy(px) {
  setTransform(clamp({ k: transform.k, x: transform.x + px }));
}

/* So that a time can be seen. */
function reveal(time) {
  const chart = charts[0],
    [x0, x1] = chart.x.domain();
  if (time >= x0 && time <= x1) return;
  moveBy(MARGIN.left + chart.inner.width / 2 - chart.x(time));
}
