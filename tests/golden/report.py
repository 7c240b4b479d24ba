#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The page of "glass report": its data is what "glass trace --json" and "glass why" say, value by value; it is small, asks
no network for anything, and a browser draws it without a word of complaint, where there is one (chromium).

    report.py GLASS STORY
"""
import base64
import collections
import html
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

GLASS, STORY = (os.path.abspath(path) for path in sys.argv[1:3])
NOT_TOLD = ("enter", "func", "func_end", "rx", "tx", "eth_in", "ip_in", "ip_out", "route", "timer_set", "tcp_stop",
            "tcp_limit", "tcp_deliver")  # what everybody can guess; tcp_rtt is drawn


def glass(*args, code=0):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GLASS_")}
    done = subprocess.run([GLASS, *map(str, args)], env=env | {"GLASS_DIR": "/nonexistent"}, capture_output=True,
                          text=True, check=False)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done.stdout if code == 0 else done.stderr


def data_of(page):
    packed = re.search(r'<script type="text/plain" id="data">([A-Za-z0-9+/=\s]*)</script>', page)
    return json.loads(zlib.decompress(base64.b64decode(packed.group(1))))


def rows(data):
    """Records as they were told, in the order of the steps: event, room, rule, values."""
    found = {}
    for event in data["events"]:
        columns = [[data["texts"][v] for v in column] if kind == "text" else list(itertools.accumulate(column))
                   for (name, kind), column in zip(event["fields"], event["values"])]
        for i, at in enumerate(itertools.accumulate(event["at"])):
            values = {name + ("_ns" if kind == "ns" else ""): column[i]
                      for (name, kind), column in zip(event["fields"], columns)}
            found[at] = (event["name"], data["texts"][event["room"][i]], data["texts"][event["rule"][i]], values)
    assert sorted(found) == list(range(len(found))) and sum(data["steps"] and data["told"]) == len(found)
    return [found[at] for at in range(len(found))]


def same_values(told, records):
    """The records of the page and of the trace are the same, whatever their order."""
    def key(event, room, rule, values):
        return json.dumps([event, room, rule, values], sort_keys=True)

    def of_record(r):
        fields = {k: v for k, v in r.items()
                  if k not in ("time_ns", "event", "room", "conn", "pkt", "cause", "rule", "text")}
        if r["event"] == "drop":
            part = r if "at" in r else {"bytes": 0, "at": 0}
            fields = {"reason": r["reason"], "text": r["text"], "bytes": part["bytes"], "at": part["at"]}
        return key(r["event"], r["room"], r.get("rule", ""), fields)

    have = collections.Counter(key(*row) for row in told)
    want = collections.Counter(of_record(r) for r in records if r["event"] not in NOT_TOLD)
    assert have == want, (list((want - have))[:3], list((have - want))[:3])
    return sum(have.values())


def check_data(page, ring, conn):
    data = data_of(page)
    told = rows(data)
    records = [json.loads(line) for line in glass("trace", "--ring", ring, "--json", conn).splitlines()]
    assert data["left_out"] == 0
    n = same_values(told, records)
    why = json.loads(glass("why", "--ring", ring, "--json", conn))
    slow = json.loads(glass("why", "--slow", "--ring", ring, "--json", conn))
    assert (data["why"], data["slow"]) == (why, slow)
    if "limits_ns" in slow:
        assert sum(slow["limits_ns"].values()) == slow["life_ns"]
        assert set(slow["limits_ns"]) <= {name for name, _, _ in data["limits"]}
    again = sum(1 for event, *_ in told if event == "tcp_rtx")
    assert again == slow["retrans_segments"]
    tree = data["tree"]
    for i, (parent, value) in enumerate(zip(tree["parent"], tree["value"])):
        assert i == 0 or (parent < i and value <= tree["value"][parent])
    walked = len({r["pkt"] for r in records if r["event"] == "enter"})
    assert tree["unit"] == "packets" and tree["value"][0] >= walked > 0
    return f"{n} records"


def check_page(page):
    for bad in [r"\bsrc\s*=", r"@import", r"url\((?!#)", r"\bfetch\(", r"XMLHttpRequest",
                r"<link(?! rel=\"icon\" href=\"data:)"]:
        assert not re.search(bad, page), bad
    assert "default-src 'none'" in page and "Redistribution and use" in page
    assert page.count("<script") == page.count("</script>") == 3


# What somebody does with the page, and what is to be seen then.
PROBE = """
<script>
(async () => {
  while (document.documentElement.dataset.ready !== "yes")
    await new Promise((resolve) => setTimeout(resolve, 20));
  const said = {}, $ = (what) => document.querySelector(what), svg = $("#sequence svg");
  const spans = () => charts.map((chart) => chart.x.domain()[1] - chart.x.domain()[0]);
  const key = (key, more) => svg.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
  const whole = spans()[0];
  key("+");
  said.zoomed = spans().every((span) => span < whole * 0.7);
  key("ArrowRight", { shiftKey: true });
  key("0");
  said.reset = spans().every((span) => Math.abs(span - whole) < 1e-9);
  key("ArrowRight");
  said.keySelects = $("#walk h3").textContent;
  const copy = charts[0].drawn.find((p) => /fast: RACK/.test(p.text)), box = svg.getBoundingClientRect();
  const at = { clientX: box.left + charts[0].x(copy.time), clientY: box.top + charts[0].y(copy.y), bubbles: true };
  svg.dispatchEvent(new MouseEvent("mousemove", at));
  said.tip = $("#tip").hidden ? "" : $("#tip").textContent;
  svg.dispatchEvent(new MouseEvent("click", at));
  said.walk = $("#walk").textContent;
  said.inTrace = $("#trace .picked").textContent;
  said.hash = location.hash;
  const arrow = $("#diagram .picked");
  said.inDiagram = arrow ? arrow.textContent : "folded";
  const rows = document.querySelectorAll("#diagram g.row").length;
  $("#diagram g.fold").dispatchEvent(new MouseEvent("click", { bubbles: true }));
  said.unfolded = document.querySelectorAll("#diagram g.row").length - rows;
  $("#find").value = "retransmission: fast";
  $("#find").dispatchEvent(new Event("input"));
  said.found = $("#found").textContent;
  $("#theme").click();
  const theme = document.documentElement.dataset.theme;
  dispatchEvent(new Event("beforeprint"));
  said.themes = [theme, document.documentElement.dataset.theme];
  dispatchEvent(new Event("afterprint"));
  said.themes.push(document.documentElement.dataset.theme);
  document.querySelector("[data-way=came]").click();
  said.lead = $("#sequence-lead").textContent;
  said.sent = $("#tiles div:nth-child(2) small").textContent;
  said.limits = [...document.querySelectorAll("#budget tr:not(.sum) td:nth-child(3)")].map((cell) => cell.textContent);
  said.sum = $("#budget tr.sum td:nth-child(3)").textContent;
  select(model.stepOfAct.get(218));
  said.folded = $("#diagram .picked").textContent;
  document.body.append(element("pre", { id: "said" }, JSON.stringify(said)));
})();
</script>
"""


def check_browser(path, segments):
    chromium = shutil.which("chromium")
    if not chromium:
        return "chromium is not there: the page was not drawn"
    path.write_text(path.read_text(encoding="utf-8") + PROBE, encoding="utf-8")
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--enable-logging=stderr", f"--user-data-dir={home}", "--window-size=1300,1000",
             "--virtual-time-budget=5000", "--dump-dom", f"file://{path}"],
            capture_output=True, text=True, check=True, timeout=100)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints, complaints
    said = re.search(r'<pre id="said">(.*?)</pre>', done.stdout, re.S)
    assert said, "the probe did not end"
    said = json.loads(html.unescape(said.group(1)))
    assert said["zoomed"] and said["reset"], said
    assert said["keySelects"].startswith("#4 built [S]"), said
    assert "sent again: fast: RACK" in said["tip"], said
    assert "copy of #" in said["walk"] and "[RFC 8985 6.2]" in said["walk"] and "because of #" in said["walk"], said
    assert said["hash"][1:] == re.search(r"#(\d+)", said["walk"]).group(1) and said["hash"] in said["inTrace"], said
    assert "fast: RACK" in said["inDiagram"] and said["unfolded"] > 5, said
    assert said["found"].startswith("4 of "), said
    assert said["themes"][0] == said["themes"][2] and said["themes"][1] == "light", said
    assert "seq 150593" in said["folded"], said
    assert said["lead"].startswith("0 bars of data received"), said
    assert said["sent"] == f"{segments} segments", said
    assert abs(sum(float(limit.split()[0]) for limit in said["limits"]) - 100) < 0.3 and said["sum"] == "100.0 %", said
    return "drawn by chromium; zoom, selection, links, search, themes"


def check_thinned(page, ring, whole):
    """Of a page with fewer steps only uneventful ones are missing, and it knows how many."""
    data, all_of_it = data_of(page), data_of(whole)
    steps, left_out = len(data["steps"]["t"]), data["left_out"]
    assert 2000 < steps < 8000 and data["one_in"] > 1 and steps + left_out == len(all_of_it["steps"]["t"])
    have, want = (collections.Counter(json.dumps(row) for row in rows(d)) for d in (data, all_of_it))
    assert not have - want
    uneventful = {"tcp_in", "tcp_out", "tcp_acked", "tcp_rtt", "tcp_ack_why", "call", "result"}
    assert {json.loads(row)[0] for row in want - have} <= uneventful, ring
    assert data["slow"] == all_of_it["slow"] and data["tree"] == all_of_it["tree"]


def check_errors(ring, tmp):
    assert "name the page" in glass("report", "--ring", ring, code=2)
    assert "one connection" in glass("report", "--ring", ring, "1", "2", "-o", tmp / "x", code=2)
    assert "no connection 77" in glass("report", "--ring", ring, "77", "-o", tmp / "x", code=1)
    assert "nowhere/x: No such file" in glass("report", "--ring", ring, "-o", tmp / "nowhere" / "x", code=1)
    assert "/dev/full: No space left" in glass("report", "--ring", ring, "-o", "/dev/full", code=1)
    assert not (tmp / "x").exists()


def main():
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        for story in ["fetch", "unreachable", "blackhole", "refused", "slow", "long"]:
            ring, path = tmp / f"{story}.ring", tmp / f"{story}.html"
            subprocess.run([STORY, story, ring], check=True)
            said = glass("report", "--ring", ring, "-o", path)
            assert said.startswith(f"{path}: connection 1, "), said
            page = path.read_text(encoding="utf-8")
            check_page(page)
            print(f"ok {story}: {check_data(page, ring, '1')}, {len(page) // 1024} KB")
        again = glass("report", "--ring", tmp / "slow.ring", "-o", "-")
        assert again == (tmp / "slow.html").read_text(encoding="utf-8")
        packets = [e for e in data_of(page)["events"] if e["name"] in ("tcp_in", "tcp_out")]
        assert sum(len(e["at"]) for e in packets) > 20000 and len(page) < 1 << 20
        check_thinned(glass("report", "--ring", ring, "--steps", 6000, "-o", "-"), ring, page)
        check_errors(tmp / "fetch.ring", tmp)
        sent = json.loads(glass("why", "--slow", "--json", "--ring", tmp / "slow.ring"))["segments_sent"]
        print("ok", check_browser(tmp / "slow.html", sent))


if __name__ == "__main__":
    main()
