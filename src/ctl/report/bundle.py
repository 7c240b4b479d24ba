#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Makes one page of its parts, and of the page a C file with what stands before and behind its data.

    bundle.py OUT.c page.html style.css PART.js... D3-PART.js...
"""
import pathlib
import re
import sys

DATA = "@DATA@"


def array(name, text):
    data = text.encode()
    rows = (", ".join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24))
    body = ",\n\t".join(rows)
    return f"const unsigned char {name}[] = {{\n\t{body}\n}};\nconst size_t {name}_bytes = sizeof({name});\n"


def script(text):
    """Nothing in a script may end it."""
    return re.sub(r"</(?=script)", r"<\\/", text, flags=re.I)


def main():
    out, page, style, *rest = map(pathlib.Path, sys.argv[1:])
    ours = [path.read_text(encoding="utf-8") for path in rest if not path.name.startswith("d3-")]
    d3 = [path.read_text(encoding="utf-8").strip() for path in rest if path.name.startswith("d3-")]
    d3 = [re.sub(r"\n?//# sourceMappingURL=.*", "", part) for part in d3]
    text = page.read_text(encoding="utf-8")
    for mark, what in [("@STYLE@", style.read_text(encoding="utf-8")), ("@D3@", script("\n".join(d3))),
                       ("@SCRIPT@", script("".join(ours)))]:
        assert text.count(mark) == 1, mark
        text = text.replace(mark, what)
    before, behind = text.split(DATA)
    out.write_text('/* Made by report/bundle.py: do not edit. */\n#include "report.h"\n\n'
                   + array("report_head", before) + "\n" + array("report_tail", behind), encoding="utf-8")


if __name__ == "__main__":
    main()
