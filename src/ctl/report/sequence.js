/* SPDX-License-Identifier: MIT */
/* The chart of time and sequence numbers: segments, acknowledgments, SACK blocks, the window's edge. */
const AGAIN = ["fast", "rto", "tlp", "other"];
const LABELS_MAX = 14; /* marks in sight that get their label */
const CROWD = 1500; /* points in sight that are drawn smaller */
let way = "sent"; /* or "came": whose data the first chart shows */

/* The least and the most of what is in sight, with room around it. */
function around(low, high) {
  if (!(high > low)) return [low - 1, low + 1];
  const room = (high - low) * 0.05;
  return [low - room, high + room];
}

function inSight(rows, [x0, x1], time = (r) => r.time) {
  const from = d3.bisector(time).left(rows, x0),
    to = d3.bisector(time).right(rows, x1);
  return rows.slice(from, to);
}

/* Of the data that flows one way: its segments, what the other way acknowledged, and the edge of its window. */
function flowOf(name) {
  const sent = name === "sent",
    data = sent ? pic.sent : pic.came,
    back = sent ? pic.came : pic.sent;
  const acks = [],
    edge = [];
  let una = 0;
  let right = 0; /* a window's edge does not go back, but an old segment may come late */
  for (const s of back) {
    if (!s.flags.includes(".") || isWhole(s)) continue;
    una = Math.max(una, s.ack);
    if (!sent) acks.push([s.time, una, s.step]);
    edge.push([s.time, (right = Math.max(right, s.ack + s.wnd))]);
  }
  if (sent) model.each("tcp_acked", (row, t) => acks.push([t.time[row], t.column.una[row], t.step[row]]));
  const flow = {
    data: data.filter((s) => s.len || /[SFR]/.test(s.flags)),
    acks,
    edge,
    sacked: [],
    lost: [],
    needless: [],
    held: [],
  };
  const marks = (table, list, from, to) =>
    model.each(table, (row, t) =>
      list.push({
        time: t.time[row],
        from: from(t.column, row),
        to: to(t.column, row),
        step: t.step[row],
        text: t.text(row),
      }),
    );
  if (sent) {
    marks(
      "tcp_sacked",
      flow.sacked,
      (c, i) => c.start[i],
      (c, i) => c.end[i],
    );
    marks(
      "tcp_lost",
      flow.lost,
      (c, i) => c.seq[i],
      (c, i) => c.seq[i] + c.len[i],
    );
    marks(
      "tcp_spurious",
      flow.needless,
      (c, i) => c.seq[i],
      (c, i) => c.seq[i],
    );
  } else {
    marks(
      "tcp_ooo",
      flow.held,
      (c, i) => c.seq[i],
      (c, i) => c.seq[i] + c.len[i],
    );
  }
  return flow;
}

const flows = {};
const flow = () => (flows[way] ||= flowOf(way));

function sequenceRange(x0, x1) {
  const f = flow(),
    data = inSight(f.data, [x0, x1]),
    acks = inSight(f.acks, [x0, x1], (a) => a[0]);
  let low = Infinity,
    high = -Infinity;
  for (const s of data) {
    low = Math.min(low, s.seq);
    high = Math.max(high, s.seq + s.len);
  }
  for (const [, una] of acks) {
    low = Math.min(low, una);
    high = Math.max(high, una);
  }
  if (!(high >= low)) return around(0, Math.max(1, ...f.data.slice(-1).map((s) => s.seq + s.len)));
  return around(low, high);
}

function sequencePoints() {
  return flow().data.map((s) => ({ step: s.step }));
}

function paintBars(chart, rows, color, width, text) {
  const c = chart.context;
  c.strokeStyle = css(color);
  c.lineWidth = width;
  c.beginPath();
  for (const r of rows) {
    const x = chart.x(r.time),
      y0 = chart.y(r.from),
      y1 = chart.y(r.to);
    c.moveTo(x, y0);
    c.lineTo(x, Math.min(y1, y0 - 2));
    chart.drawn.push({ time: r.time, y: r.from, top: r.to, step: r.step, text: text + r.text });
  }
  c.stroke();
}

function segmentText(s) {
  return [s.why && "sent again: " + s.why, s.needless, ...s.drops.map((d) => d.text)].filter(Boolean).join("; ");
}

function paintSegments(chart, list, color, width) {
  const rows = list.map((s) => ({
    time: s.time,
    from: s.seq,
    to: s.seq + s.len,
    step: s.step,
    text: segmentText(s),
  }));
  paintBars(chart, rows, color, width, "");
}

/* SYN, FIN and RST by their letters, whose sequence number they take or name. */
function paintFlags(chart, list, taken) {
  const c = chart.context;
  c.font = "600 12px system-ui, sans-serif";
  for (const s of list.filter((q) => /[SFR]/.test(q.flags)).slice(0, LABELS_MAX))
    chart.label(
      chart.x(s.time),
      chart.y(s.seq + s.len),
      { S: "SYN", F: "FIN", R: "RST" }[s.flags.match(/[SFR]/)[0]],
      "ink",
      taken,
    );
}

function paintAgain(chart, list, taken) {
  const c = chart.context;
  for (const kind of AGAIN)
    paintSegments(
      chart,
      list.filter((s) => s.kind === kind && chart.layers[kind]?.on),
      kind,
      3,
    );
  const again = list.filter((s) => s.why !== undefined && chart.layers[s.kind]?.on);
  for (const s of again) {
    c.fillStyle = css(s.kind);
    c.beginPath();
    c.arc(chart.x(s.time), chart.y(s.seq + s.len / 2), 4.5, 0, 2 * Math.PI);
    s.needless ? c.stroke() : c.fill();
  }
  c.font = "600 12px system-ui, sans-serif";
  /* The rarer kinds first; of a crowd only these. */
  const named = again.filter((s) => s.kind !== "fast" || s.needless);
  if (again.length <= LABELS_MAX) named.push(...again.filter((s) => s.kind === "fast" && !s.needless));
  for (const s of named.slice(0, 2 * LABELS_MAX))
    chart.label(
      chart.x(s.time),
      chart.y(s.seq + s.len / 2),
      s.why + (s.needless ? ", " + s.needless : ""),
      s.kind,
      taken,
    );
}

function paintSequence(chart) {
  const f = flow(),
    sight = chart.x.domain(),
    data = inSight(f.data, sight),
    on = (name) => chart.layers[name].on;
  const taken = [];
  if (on("window")) chart.steps(f.edge, "window", 1.5, [5, 3]);
  if (on("ack")) {
    chart.steps(f.acks, "ack", 1.6);
    for (const [time, una, step] of inSight(f.acks, sight, (a) => a[0]))
      chart.drawn.push({
        time,
        y: una,
        step,
        text: way === "sent" ? "acknowledges up to " + una : "we acknowledge up to " + una,
      });
  }
  if (on("sack")) {
    paintBars(chart, inSight(f.sacked, sight), "sack", 3, "SACK: ");
    paintBars(chart, inSight(f.held, sight), "ooo", 3, "out of order: ");
  }
  if (on("new"))
    paintSegments(
      chart,
      data.filter((s) => s.kind === "new"),
      "new",
      1.8,
    );
  paintAgain(chart, data, taken);
  if (on("lost"))
    for (const s of data)
      for (const drop of s.drops)
        chart.cross(chart.x(s.time), chart.y(s.seq + drop.at), data.length > CROWD ? 3 : 4.5, "bad");
  for (const n of on("needless") ? inSight(f.needless, sight) : []) {
    chart.drawn.push({ time: n.time, y: n.from, step: n.step, text: "needless: " + n.text });
    chart.context.font = "600 12px system-ui, sans-serif";
    chart.label(chart.x(n.time), chart.y(n.from), "needless", "other", taken);
  }
  paintFlags(chart, data, taken);
}

function counted(n, one, many) {
  return number(n) + " " + (n === 1 ? one : many);
}

function sequenceLead() {
  const f = flow();
  const data = f.data.filter((s) => s.len);
  const again = f.data.filter((s) => s.why !== undefined).length;
  const lost = f.data.reduce((n, s) => n + s.drops.length, 0);
  const end = f.edge.slice(-200).reduce((n, e) => Math.max(n, e[1]), 0);
  const parts = [counted(data.length, "bar", "bars") + " of data " + (way === "sent" ? "sent" : "received")];
  if (again) parts.push(counted(again, "bar", "bars") + " sent again");
  if (lost) parts.push(counted(lost, "frame", "frames") + " dropped on this side");
  document.getElementById("sequence-lead").textContent =
    parts.join(", ") +
    ". A bar is a segment, or a super-packet of several, from its first byte to its last; below it what is acknowledged; dashed, the edge of the " +
    "receiver's window" +
    (end ? ", at " + number(end) + " in the end." : ".");
}

function wayButtons() {
  const box = document.getElementById("sequence-tools");
  const button = (name, label) =>
    element(
      "button",
      {
        type: "button",
        "aria-pressed": name === way,
        onclick: (e) => {
          way = name;
          for (const b of box.querySelectorAll("[data-way]")) b.setAttribute("aria-pressed", b === e.currentTarget);
          sequenceLead();
          setTransform(transform);
        },
        "data-way": name,
      },
      label,
    );
  box.append(button("sent", "data that we send"), button("came", "data that comes"));
}
