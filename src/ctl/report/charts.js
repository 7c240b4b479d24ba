/* SPDX-License-Identifier: MIT */
/* The charts of windows and of round trips; and all three, as they are made. */
/* ---- windows --------------------------------------------------------------------------------------------------- */

/* The highest byte that was sent, less what the stack took for acknowledged: at each segment that changes it. */
function outstanding() {
  const end = (s) => s.seq + s.len + (/[SF]/.test(s.flags) ? 1 : 0);
  const marks = pic.sent.map((s) => ({ time: s.time, step: s.step, sent: end(s), una: 0 }));
  for (const s of pic.came.filter((q) => q.flags.includes("S")))
    marks.push({ time: s.time, step: s.step, sent: 0, una: s.ack });
  model.each("tcp_acked", (row, t) =>
    marks.push({ time: t.time[row], step: t.step[row], sent: 0, una: t.column.una[row] }),
  );
  let sent = 0;
  let una = 0;
  return marks
    .sort((a, b) => a.step - b.step)
    .map((m) => {
      sent = Math.max(sent, m.sent);
      una = Math.max(una, m.una);
      return [m.time, Math.max(0, sent - una), m.step];
    });
}

function windowSeries() {
  const s = { cwnd: [], flight: [], ssthresh: [], peer: [], states: [] };
  const add = (name, list, field) =>
    model.each(
      name,
      (row, t) =>
        t.column[field][row] < UNBOUND && list.push([t.time[row], t.column[field][row], t.step[row], t.at[row]]),
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
  const middle = (rows) => rows.map((r) => r[1]).sort((a, b) => a - b)[rows.length >> 1] || 0;
  return middle(wnd.peer) > 3 * middle(wnd.cwnd);
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
  const seen = chart.layers[name].on ? inSight(rows, chart.x.domain(), (r) => r[0]) : [];
  const px = seen.length > CROWD ? 2 : 4;
  c.fillStyle = css(color);
  for (const [time, y, step] of seen) {
    c.fillRect(chart.x(time) - px / 2, chart.y(y) - px / 2, px, px);
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

/* The end of what is drawn: the last packet or timeout. TIME-WAIT lasts a minute longer, in which nothing happens. */
function lastOfInterest() {
  for (let step = model.steps - 1; step > 0; step--)
    if (model.lane[step] !== LANE_SELF || model.find(step, "tcp_rto") || model.find(step, "tcp_end"))
      return model.time[step];
  return model.end;
}

function makeCharts() {
  const end = Math.max(lastOfInterest(), 1e-6);
  full = [-end * 0.01, end * 1.02];
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
