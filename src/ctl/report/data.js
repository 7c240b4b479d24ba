/* SPDX-License-Identifier: MIT */
/* From the columns that report_data.c wrote to steps and records. Nothing is computed here but sums of differences. */
const LANE_IN = 0,
  LANE_OUT = 1,
  LANE_SELF = 2;
const UNBOUND = 0xffffffff; /* ssthresh before the first loss */

async function unpack() {
  const text = document.getElementById("data").textContent.replace(/\s+/g, "");
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function sums(differences) {
  let sum = 0;
  return differences.map((d) => (sum += d));
}

/* As the trace prints durations: to three places at most. */
function duration(ns) {
  const abs = Math.abs(ns),
    sign = ns < 0 ? "-" : "";
  const unit = (scale, name) => {
    const v = abs / scale;
    return sign + String(Number(v.toFixed(v >= 100 ? 0 : v >= 10 ? 1 : 2))) + name;
  };
  if (abs < 1e3) return ns + " ns";
  if (abs < 1e6) return unit(1e3, " us");
  return abs < 1e9 ? unit(1e6, " ms") : sign + String(Number((abs / 1e9).toFixed(3))) + " s";
}

function number(n) {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/* One event's records, by columns: time, step, and each field by its name. */
class Table {
  constructor(model, event) {
    Object.assign(this, { name: event.name, word: event.word, template: event.text, doc: event.doc });
    this.at = sums(event.at);
    this.room = event.room.map((i) => model.texts[i]);
    this.rule = event.rule.map((i) => model.texts[i]);
    this.kind = {};
    this.column = {};
    event.fields.forEach(([name, kind], i) => {
      this.kind[name] = kind;
      this.column[name] = kind === "text" ? event.values[i].map((v) => model.texts[v]) : sums(event.values[i]);
    });
    this.rows = this.at.length;
  }

  /* What the record says. */
  text(row) {
    return this.template.replace(/\{(\w+)\}/g, (all, name) => {
      if (!(name in this.column)) return all;
      const v = this.column[name][row];
      if (this.kind[name] === "bound" && v === UNBOUND) return "none";
      return this.kind[name] === "ns" ? duration(v) : String(v);
    });
  }
}

class Model {
  constructor(data) {
    this.data = data;
    this.texts = data.texts;
    this.steps = data.steps.t.length;
    this.time = sums(data.steps.t).map((ns) => ns / 1e9);
    this.act = sums(data.steps.act);
    this.cause = data.steps.cause.map((d, i) => (d ? this.act[i] - d : 0));
    this.lane = data.steps.lane;
    this.first = [];
    this.record = [];
    let at = 0;
    data.told.forEach((n, step) => {
      this.first.push(at);
      for (let i = 0; i < n; i++) this.record[at++] = { step, table: null, row: 0 };
    });
    this.first.push(at);
    this.table = {};
    data.events.forEach((event) => this.addTable(new Table(this, event)));
    this.stepOfAct = new Map();
    this.ledTo = new Map();
    this.act.forEach((act, step) => this.link(act, step));
    this.end = this.steps ? this.time[this.steps - 1] : 0;
  }

  addTable(table) {
    table.step = table.at.map((at) => this.record[at].step);
    table.time = table.step.map((step) => this.time[step]);
    table.at.forEach((at, row) => Object.assign(this.record[at], { table, row }));
    this.table[table.name] = table;
  }

  link(act, step) {
    const cause = this.cause[step];
    if (act && !this.stepOfAct.has(act)) this.stepOfAct.set(act, step);
    if (cause && !this.ledTo.has(cause)) this.ledTo.set(cause, []);
    if (cause) this.ledTo.get(cause).push(step);
  }

  /* Rows of an event: f(row, table). */
  each(name, f) {
    const table = this.table[name];
    for (let row = 0; table && row < table.rows; row++) f(row, table);
  }

  recordsOf(step) {
    return this.record.slice(this.first[step], this.first[step + 1]);
  }

  find(step, name) {
    return this.recordsOf(step).find((r) => r.table.name === name);
  }

  /* The segment that a step carries; undefined: it carries none whose values are here. */
  segment(step) {
    return this.lane[step] === LANE_SELF
      ? undefined
      : this.find(step, this.lane[step] === LANE_IN ? "tcp_in" : "tcp_out");
  }

  label(step) {
    return this.texts[this.data.steps.label[step]];
  }

  walk(step) {
    return this.texts[this.data.steps.walk[step]];
  }

  title(step) {
    const label = this.label(step),
      segment = this.segment(step),
      first = this.recordsOf(step)[0];
    if (/^(rx|tx|built|dropped)$/.test(label) && segment) return label + " " + segment.table.text(segment.row);
    if (label) return label;
    return first ? first.table.word + first.table.text(first.row) : this.walk(step);
  }

  /* "#82 rx [.]", as the trace names causes. */
  actLabel(act) {
    const step = this.stepOfAct.get(act);
    if (step === undefined) return "#" + act;
    const segment = this.segment(step);
    return (
      "#" +
      act +
      " " +
      (segment
        ? this.label(step) + " " + segment.table.column.flags[segment.row]
        : this.title(step).replace(/^(call \w+|timer \w+).*/, "$1"))
    );
  }
}

/* ---- what is drawn --------------------------------------------------------------------------------------------- */

/* Kinds of retransmissions by the words that the stack gives as their reason. */
const KINDS = {
  "fast: RACK": "fast",
  "fast: three duplicate ACKs": "fast",
  "partial ACK": "fast",
  timeout: "rto",
  "timeout, F-RTO tests it": "rto",
  "SYN not answered": "rto",
  "tail loss probe": "tlp",
};

/* Segments of one way, with what became of them. drops: of the segment, or of a part of it, from byte "at" on. */
function segmentsOf(model, table, drops) {
  const again = new Map();
  const found = [];
  model.each("tcp_rtx", (row, t) => again.set(t.step[row], t.column.why[row]));
  model.each(table, (row, t) => {
    const step = t.step[row];
    const why = table === "tcp_out" ? again.get(step) : undefined;
    found.push({
      step,
      time: t.time[row],
      flags: t.column.flags[row],
      seq: t.column.seq[row],
      len: t.column.len[row],
      ack: t.column.ack[row],
      wnd: t.column.wnd[row],
      why,
      kind: why === undefined ? "new" : KINDS[why] || "other",
      drops: drops.get(step) || [],
      needless: undefined,
    });
  });
  return found;
}

/* A super-packet can lose a part on the way: then the drop's frame is shorter than its payload. */
function isWhole(segment) {
  return segment.drops.some((drop) => !drop.bytes || drop.bytes > segment.len);
}

/* A DSACK names the first byte of what came twice: the last copy of it that went out before was needless. */
function markNeedless(model, segments) {
  model.each("tcp_spurious", (row, t) => {
    if (t.column.why[row] !== "DSACK") return;
    const seq = t.column.seq[row];
    const copy = segments.filter((s) => s.why !== undefined && s.seq === seq && s.time <= t.time[row]).pop();
    if (copy) copy.needless = "needless: " + t.column.why[row];
  });
}

function picture(model) {
  const drops = new Map();
  model.each("drop", (row, t) => {
    const { text, bytes, at } = t.column;
    const list = drops.get(t.step[row]) || [];
    drops.set(t.step[row], [...list, { text: text[row], bytes: bytes[row], at: at[row] }]);
  });
  const sent = segmentsOf(model, "tcp_out", drops);
  const came = segmentsOf(model, "tcp_in", drops);
  markNeedless(model, sent);
  const bytes = (list) => list.reduce((n, s) => n + s.len, 0);
  return { sent, came, sentBytes: bytes(sent), cameBytes: bytes(came) };
}
