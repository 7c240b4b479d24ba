/* SPDX-License-Identifier: MIT */
/* The three charts over time: sequence numbers, windows, round trips. */
const AGAIN = ["fast", "rto", "tlp", "other"];
const LABELS_MAX = 40; /* retransmissions in sight that get their label */
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

/* ---- sequence numbers ------------------------------------------------------------------------------------------ */

/* Of the data that flows one way: its segments, what the other way acknowledged, and the edge of its window. */
function flowOf(name) {
  const sent = name === "sent",
    data = sent ? pic.sent : pic.came,
    back = sent ? pic.came : pic.sent;
  const acks = [],
    edge = [];
  let una = 0;
  for (const s of back) {
    if (!s.flags.includes(".") || s.drop) continue;
    una = Math.max(una, s.ack);
    acks.push([s.time, una, s.step]);
    edge.push([s.time, s.ack + s.wnd]);
  }
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
  return [s.why && "sent again: " + s.why, s.needless, s.drop].filter(Boolean).join("; ");
}

function paintSegments(chart, list, color, width) {
  const c = chart.context;
  c.strokeStyle = css(color);
  c.lineWidth = width;
  c.beginPath();
  for (const s of list) {
    const x = chart.x(s.time),
      y0 = chart.y(s.seq),
      y1 = chart.y(s.seq + s.len);
    c.moveTo(x, y0);
    c.lineTo(x, Math.min(y1, y0 - 2.5));
    chart.drawn.push({ time: s.time, y: s.seq, top: s.seq + s.len, step: s.step, text: segmentText(s) });
  }
  c.stroke();
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
  for (const s of again.length <= LABELS_MAX ? again : [])
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
    for (const s of data.filter((q) => q.drop)) chart.cross(chart.x(s.time), chart.y(s.seq + s.len / 2), "bad");
  for (const n of on("needless") ? inSight(f.needless, sight) : []) {
    chart.drawn.push({ time: n.time, y: n.from, step: n.step, text: "needless: " + n.text });
    chart.context.font = "600 12px system-ui, sans-serif";
    chart.label(chart.x(n.time), chart.y(n.from), "needless", "other", taken);
  }
  paintFlags(chart, data, taken);
}

function sequenceLead() {
  const f = flow(),
    again = f.data.filter((s) => s.why !== undefined).length,
    lost = f.data.filter((s) => s.drop).length;
  const data = f.data.filter((s) => s.len).length,
    what = way === "sent" ? "sent" : "received";
  const last = f.edge.length ? Math.max(...f.edge.slice(-200).map((e) => e[1])) : 0;
  document.getElementById("sequence-lead").textContent =
    number(data) +
    (data === 1 ? " segment" : " segments") +
    " with data " +
    what +
    (way === "sent" ? ", " + number(again) + " of all again" : "") +
    (lost ? ", " + number(lost) + " dropped on this side of the wire" : "") +
    ". A bar is a segment, from its first byte to its last; below, what is acknowledged; dashed, where the receiver's window ends" +
    (last ? " (at " + number(last) + " in the end)" : "") +
    ".";
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

/* ---- windows --------------------------------------------------------------------------------------------------- */

const NEVER = 0xffffffff; /* ssthresh before the first loss */

/* The highest byte that was sent, less what is acknowledged: at each segment that changes it. */
function outstanding() {
  const out = [],
    both = pic.sent.map((s) => [s.step, s, true]).concat(pic.came.map((s) => [s.step, s, false]));
  let sent = 0,
    una = 0;
  for (const [step, s, ours] of both.sort((a, b) => a[0] - b[0])) {
    if (ours) sent = Math.max(sent, s.seq + s.len + (/[SF]/.test(s.flags) ? 1 : 0));
    else if (s.flags.includes(".") && !s.drop) una = Math.max(una, s.ack);
    out.push([s.time, Math.max(0, sent - una), step]);
  }
  return out;
}

function windowSeries() {
  const s = { cwnd: [], flight: [], ssthresh: [], peer: [], states: [] };
  const add = (name, list, field) =>
    model.each(
      name,
      (row, t) =>
        t.column[field][row] < NEVER && list.push([t.time[row], t.column[field][row], t.step[row], t.at[row]]),
    );
  add("tcp_acked", s.cwnd, "cwnd");
  add("tcp_ca", s.cwnd, "cwnd");
  add("tcp_acked", s.flight, "flight");
  add("tcp_rto", s.flight, "flight");
  add("tcp_ca", s.ssthresh, "ssthresh");
  s.cwnd.sort((a, b) => a[3] - b[3]);
  s.out = outstanding();
  s.peer = pic.came.filter((q) => !/[SR]/.test(q.flags)).map((q) => [q.time, q.wnd, q.step]);
  model.each("tcp_ca", (row, t) =>
    s.states.push({ time: t.time[row], state: t.column.state[row], step: t.step[row], text: t.text(row) }),
  );
  return s;
}

function windowRange(x0, x1) {
  const most = Object.entries(charts[1].layers)
    .filter(([, layer]) => layer.on)
    .map(([name]) => {
      const rows = wnd[name],
        from = Math.max(0, d3.bisector((r) => r[0]).left(rows, x0) - 1);
      return rows.slice(from, d3.bisector((r) => r[0]).right(rows, x1)).reduce((n, r) => Math.max(n, r[1]), 0);
    });
  return [0, Math.max(1, ...most) * 1.12];
}

/* The peer's window would press everything else to the ground. */
function peerIsFar() {
  const most = (rows) => rows.reduce((n, r) => Math.max(n, r[1]), 0);
  return most(wnd.peer) > 3 * Math.max(most(wnd.cwnd), most(wnd.out));
}

/* Recovery and Loss, as bands; and at the top what happened. */
function paintStates(chart) {
  const c = chart.context,
    top = MARGIN.top,
    height = chart.inner.height;
  wnd.states.forEach((s, i) => {
    if (s.state === "Open") return;
    const until = wnd.states[i + 1]?.time ?? full[1];
    c.fillStyle = css(s.state === "Loss" ? "shade-loss" : "shade");
    c.fillRect(chart.x(s.time), top, Math.max(1.5, chart.x(until) - chart.x(s.time)), height);
  });
}

function paintEvents(chart) {
  const c = chart.context,
    taken = [],
    bottom = MARGIN.top + chart.inner.height;
  const marks = [];
  for (const s of wnd.states)
    marks.push({ ...s, color: s.state === "Open" ? "good" : s.state === "Loss" ? "rto" : "fast", label: s.state });
  model.each("tcp_rto", (row, t) =>
    marks.push({ time: t.time[row], step: t.step[row], text: t.text(row), color: "rto", label: "timeout" }),
  );
  for (const s of pic.sent.filter((q) => q.kind === "tlp"))
    marks.push({ time: s.time, step: s.step, text: s.why, color: "tlp", label: "tail loss probe" });
  const seen = marks.filter((m) => m.time >= chart.x.domain()[0] && m.time <= chart.x.domain()[1]);
  c.font = "600 11.5px system-ui, sans-serif";
  for (const m of seen) {
    const x = chart.x(m.time);
    c.fillStyle = css(m.color);
    c.beginPath();
    c.moveTo(x, bottom - 8);
    c.lineTo(x - 4.5, bottom);
    c.lineTo(x + 4.5, bottom);
    c.fill();
    chart.drawn.push({ time: m.time, y: chart.y.domain()[0], step: m.step, text: m.label + ": " + m.text });
  }
  for (const m of seen.length <= LABELS_MAX ? seen : [])
    chart.label(chart.x(m.time) - 4, MARGIN.top + 9, m.label, m.color, taken);
}

function paintSeries(chart, rows, name, color, width, dash) {
  if (!chart.layers[name].on) return;
  chart.steps(rows, color, width, dash);
  for (const [time, y, step] of inSight(rows, chart.x.domain(), (r) => r[0]))
    chart.drawn.push({ time, y, step, text: chart.layers[name].label + " " + number(y) });
}

function paintDots(chart, rows, name, color, text) {
  const c = chart.context;
  c.fillStyle = css(color);
  for (const [time, y, step] of chart.layers[name].on ? inSight(rows, chart.x.domain(), (r) => r[0]) : []) {
    c.fillRect(chart.x(time) - 2, chart.y(y) - 2, 4, 4);
    chart.drawn.push({ time, y, step, text: text(y) });
  }
}

function paintWindows(chart) {
  paintStates(chart);
  paintSeries(chart, wnd.peer, "peer", "window", 1.4, [5, 3]);
  paintSeries(chart, wnd.ssthresh, "ssthresh", "tlp", 1.6, [8, 3]);
  paintSeries(chart, wnd.out, "out", "ack", 1.1);
  paintSeries(chart, wnd.cwnd, "cwnd", "new", 2.2);
  paintDots(chart, wnd.flight, "flight", "other", (y) => chart.layers.flight.label + " " + number(y));
  paintEvents(chart);
}

/* ---- round trips ----------------------------------------------------------------------------------------------- */

function timeSeries() {
  const s = { rtt: [], srtt: [], rto: [] };
  model.each("tcp_rtt", (row, t) => {
    for (const name of ["rtt", "srtt", "rto"])
      s[name].push([t.time[row], t.column[name][row] / 1e6, t.step[row], t.at[row]]);
  });
  model.each("tcp_rto", (row, t) => s.rto.push([t.time[row], t.column.next[row] / 1e6, t.step[row], t.at[row]]));
  s.rto.sort((a, b) => a[3] - b[3]);
  return s;
}

function timeRange(x0, x1) {
  const on = (name) => charts[2].layers[name].on;
  const rows = ["rtt", "srtt", "rto"]
    .filter(on)
    .flatMap((name) => {
      const seen = inSight(rtt[name], [x0, x1], (r) => r[0]);
      return (seen.length ? seen : rtt[name]).map((r) => r[1]);
    })
    .filter((v) => v > 0);
  const low = rows.reduce((a, b) => Math.min(a, b), Infinity),
    high = rows.reduce((a, b) => Math.max(a, b), 0);
  return high ? [low / 1.4, high * 1.4] : [1, 1000];
}

function paintTimes(chart) {
  const c = chart.context;
  paintSeries(chart, rtt.rto, "rto", "rto", 1.4, [6, 3]);
  paintSeries(chart, rtt.srtt, "srtt", "new", 1.8);
  paintDots(chart, rtt.rtt, "rtt", "ack", (y) => "round trip " + duration(y * 1e6));
  c.font = "600 11.5px system-ui, sans-serif";
  model.each("tcp_rto", (row, t) =>
    chart.label(chart.x(t.time[row]), chart.y(t.column.next[row] / 1e6), "timeout " + t.column.n[row], "rto", []),
  );
}

/* ---- all ------------------------------------------------------------------------------------------------------- */

let wnd, rtt;

function makeCharts() {
  full = [0, Math.max(model.end, 1e-6)];
  full = [-full[1] * 0.01, full[1] * 1.02];
  way = pic.cameBytes > pic.sentBytes ? "came" : "sent";
  wnd = windowSeries();
  rtt = timeSeries();
  wayButtons();
  sequenceLead();
  new Chart("sequence", {
    title: "Time and sequence numbers",
    height: 460,
    format: bytesFormat,
    range: sequenceRange,
    points: sequencePoints,
    paint: paintSequence,
    layers: {
      new: { label: "data", color: "new" },
      fast: { label: "fast retransmission", color: "fast" },
      rto: { label: "timeout", color: "rto" },
      tlp: { label: "tail loss probe", color: "tlp" },
      other: { label: "other copy", color: "other" },
      lost: { label: "\u2715 dropped", color: "bad" },
      needless: { label: "proved needless", color: "other" },
      ack: { label: "acknowledged", color: "ack" },
      sack: { label: "SACK, out of order", color: "sack" },
      window: { label: "window's edge", color: "window" },
    },
  });
  new Chart("windows", {
    title: "Windows",
    height: 250,
    format: bytesFormat,
    range: windowRange,
    paint: paintWindows,
    points: () => wnd.cwnd.map((r) => ({ step: r[2] })),
    layers: {
      cwnd: { label: "cwnd", color: "new" },
      out: { label: "sent, not acknowledged", color: "ack" },
      flight: { label: "in flight, at an ACK", color: "other" },
      ssthresh: { label: "ssthresh", color: "tlp" },
      peer: { label: "peer's window", color: "window", off: peerIsFar() },
    },
  });
  new Chart("times", {
    title: "Round trip and timeout",
    height: 210,
    log: true,
    format: durationTick,
    range: timeRange,
    paint: paintTimes,
    points: () => rtt.rtt.map((r) => ({ step: r[2] })),
    layers: {
      rtt: { label: "round trip", color: "ack" },
      srtt: { label: "smoothed", color: "new" },
      rto: { label: "RTO", color: "rto" },
    },
  });
}
