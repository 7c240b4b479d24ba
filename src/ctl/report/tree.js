/* SPDX-License-Identifier: MIT */
/* Rooms, or functions, as an icicle. */

function treeOf() {
  const { name, parent, value } = data.tree,
    nodes = name.map((n, i) => ({ name: n, value: value[i], children: [] }));
  nodes.forEach((node, i) => i && nodes[parent[i]].children.push(node));
  return nodes[0];
}

function treeValue(v) {
  return data.tree.unit === "ns" ? duration(v) : number(v) + " " + data.tree.unit;
}

function treeColor(name) {
  let h = 0;
  for (const c of name) h = (h * 31 + c.charCodeAt(0)) % 360;
  return "hsl(" + h + " 55% 74%)";
}

function drawTree(root = treeOf(), whole = root) {
  const box = document.getElementById("tree"),
    width = box.clientWidth,
    row = 26;
  let depth = 0;
  box.replaceChildren();
  document.getElementById("tree-lead").textContent = {
    packets:
      "The rooms that packets walked through, from the device or the program on; as wide as the number of packets. " +
      "A room that is narrower than the one above let some packets end there. glass trace --functions records every function.",
    calls: "Every function that was recorded, below its caller; as wide as the number of calls.",
    ns: "Every function that was recorded, below its caller; as wide as the time it took, with what it called.",
  }[data.tree.unit];
  const cell = (node, x, w, level) => {
    if (w < 3) return;
    depth = Math.max(depth, level);
    const text =
      node.name + ": " + treeValue(node.value) + (whole.value ? ", " + percent(node.value, whole.value) : "");
    box.append(
      element(
        "button",
        {
          type: "button",
          title: text,
          "aria-label": text,
          style:
            "left:" + x + "px;top:" + level * row + "px;width:" + (w - 1) + "px;background:" + treeColor(node.name),
          onclick: () => drawTree(node === root ? whole : node, whole),
        },
        w > 34 ? node.name : "",
      ),
    );
    const sum = node.children.reduce((n, child) => n + child.value, 0),
      scale = w / Math.max(node.value, sum, 1);
    let at = x;
    for (const child of node.children) {
      cell(child, at, child.value * scale, level + 1);
      at += child.value * scale;
    }
  };
  cell(root, 0, width, 0);
  box.style.height = (depth + 1) * row + "px";
}
