/* SPDX-License-Identifier: MIT */
/* The heading in words and numbers, the account of time, what was sent again, the states. */

/* ---- heading ------------------------------------------------------------------------------------------------------- */

function heading() {
  const why = data.why,
    bad = why.outcome === "failed",
    title = document.getElementById("title");
  document.title = "connection " + data.conn + ": " + data.local + " > " + data.remote;
  document.getElementById("when").textContent =
    "connection " + data.conn + ", " + data.how + " open, " + duration(data.begin_ns) + " after the start of the stack";
  title.append(
    data.local + " \u2192 " + data.remote,
    element(
      "span",
      { class: "outcome " + (bad ? "bad" : why.outcome === "closed" ? "good" : "open") },
      bad ? why.error : why.outcome === "closed" ? "closed" : why.state,
    ),
  );
  document.getElementById("sentences").append(...why.why.map((line) => element("li", {}, line)));
  tiles();
  banner();
  document.getElementById("footer").textContent =
    "Made by glass " +
    data.glass +
    " from the flight recorder. Times are the stack's " +
    "own clock, read once per packet; sequence numbers count from the connection's first. glass trace " +
    data.conn +
    " tells the same as text.";
}

function tiles() {
  const slow = data.slow,
    samples = (model.table.tcp_rtt?.column.rtt || []).slice().sort((a, b) => a - b);
  const again = slow.retrans_segments,
    share = slow.bytes_sent ? (100 * slow.retrans_bytes) / slow.bytes_sent : 0;
  const rows = [
    ["Life", duration(slow.life_ns ?? model.end * 1e9), slow.life_ns === undefined ? "so far as it is recorded" : ""],
    ["Sent", number(slow.bytes_sent) + " B", counted(slow.segments_sent, "segment", "segments")],
    ["Came", number(slow.bytes_received) + " B", counted(slow.segments_received, "segment", "segments")],
    [
      "Sent again",
      number(again) + (again === 1 ? " segment" : " segments"),
      share.toFixed(2) +
        " % of the bytes" +
        (slow.needless_segments ? ", " + slow.needless_segments + " needless" : ""),
    ],
    [
      "Round trip",
      samples.length ? duration(samples[samples.length >> 1]) : "\u2013",
      samples.length ? "median of " + number(samples.length) + ", least " + duration(samples[0]) : "no sample",
    ],
  ];
  document
    .getElementById("tiles")
    .append(
      ...rows.map(([name, value, more]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, value, element("small", {}, more || "\u00a0"))),
      ),
    );
}

function banner() {
  const lines = [];
  if (data.left_out)
    lines.push(
      "This connection is long: of its uneventful steps one in " +
        data.one_in +
        " is drawn, " +
        number(data.left_out) +
        " are left out. Losses, retransmissions, states and everything else remarkable are all here.",
    );
  if (!data.opened) lines.push("Its beginning is no longer in the recorder.");
  const box = document.getElementById("banner");
  box.hidden = !lines.length;
  box.textContent = lines.join(" ");
}

/* ---- budget -------------------------------------------------------------------------------------------------------- */

function percent(part, whole) {
  return (whole ? (100 * part) / whole : 0).toFixed(1) + " %";
}

/* With these columns: name, class of numbers. */
function tableOf(...columns) {
  const heads = columns.map(([name, kind]) => element("th", { class: kind }, name));
  return element("table", {}, element("thead", {}, element("tr", {}, ...heads)));
}

function budget() {
  const slow = data.slow,
    box = document.getElementById("budget");
  if (!slow.limits_ns) {
    box.append(element("p", { class: "lead" }, "The stack writes this account down when the connection ends."));
    return;
  }
  const rows = data.limits
    .map(([name, word, doc], i) => ({ ns: slow.limits_ns[name] || 0, word, doc, color: "var(--c" + i + ")" }))
    .filter((row) => row.ns)
    .sort((a, b) => b.ns - a.ns);
  const sum = rows.reduce((n, row) => n + row.ns, 0);
  const bar = element(
    "div",
    { class: "bar", role: "img", "aria-label": rows.map((r) => r.word + " " + percent(r.ns, sum)).join(", ") },
    ...rows.map((r) =>
      element("span", {
        style: "flex:" + r.ns + " 0 0;background:" + r.color,
        title: r.word + ": " + percent(r.ns, sum),
      }),
    ),
  );
  const table = tableOf(["held back by"], ["for", "num"], ["of its life", "num"], [""]);
  table.append(
    ...rows.map((r) =>
      element(
        "tr",
        {},
        element("td", {}, element("span", { class: "dot", style: "background:" + r.color }), r.word),
        element("td", { class: "num" }, duration(r.ns)),
        element("td", { class: "num" }, percent(r.ns, slow.life_ns)),
        element("td", { class: "soft" }, r.doc),
      ),
    ),
  );
  table.append(
    element(
      "tr",
      { class: "sum" },
      element("td", {}, "its life"),
      element("td", { class: "num" }, duration(sum)),
      element("td", { class: "num" }, percent(sum, slow.life_ns)),
      element("td", {}, ""),
    ),
  );
  box.append(bar, table, element("p", { class: "advice" }, element("b", {}, "The most useful change: "), slow.advice));
}

/* ---- copies -------------------------------------------------------------------------------------------------------- */

function linkTo(step, text) {
  return element("button", { type: "button", class: "quiet", onclick: () => select(step) }, text);
}

function again() {
  const box = document.getElementById("again"),
    t = model.table.tcp_rtx,
    kinds = new Map();
  if (!t) {
    box.append(element("p", { class: "lead" }, "Nothing."));
    return;
  }
  t.column.why.forEach((why, row) => kinds.set(why, [...(kinds.get(why) || []), row]));
  const table = tableOf(["why"], ["times", "num"], ["bytes", "num"], ["rule"], ["when"]);
  for (const [why, rows] of kinds)
    table.append(
      element(
        "tr",
        {},
        element(
          "td",
          {},
          element("span", { class: "dot", style: "background:var(--" + (KINDS[why] || "other") + ")" }),
          why,
        ),
        element("td", { class: "num" }, number(rows.length)),
        element("td", { class: "num" }, number(rows.reduce((n, r) => n + t.column.len[r], 0))),
        element("td", { class: "soft" }, t.rule[rows[0]]),
        element(
          "td",
          {},
          ...rows.slice(0, 6).map((r) => linkTo(t.step[r], duration(Math.round(t.time[r] * 1e9)))),
          rows.length > 6 ? " \u2026" : "",
        ),
      ),
    );
  box.append(table);
  model.each("tcp_spurious", (row, s) =>
    box.append(
      element(
        "p",
        { class: "soft" },
        "At ",
        linkTo(s.step[row], duration(Math.round(s.time[row] * 1e9))),
        " proved needless: " + s.text(row) + (s.rule[row] ? " [" + s.rule[row] + "]" : ""),
      ),
    ),
  );
}

/* ---- states -------------------------------------------------------------------------------------------------------- */

function states() {
  const list = document.getElementById("states"),
    t = model.table.tcp_state;
  if (!t) return;
  const chip = (state, note, step) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", onclick: () => select(step) },
        element("b", {}, state),
        element("small", {}, note),
      ),
    );
  list.append(chip(t.column.from[0], "", t.step[0]));
  model.each("tcp_state", (row) =>
    list.append(
      chip(t.column.to[row], "at " + duration(Math.round(t.time[row] * 1e9)) + ": " + t.column.why[row], t.step[row]),
    ),
  );
}
