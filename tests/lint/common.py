# SPDX-License-Identifier: MIT
"""What the lints share: the files of the tree, and how findings are told."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = 77  # meson: the test does not apply here


def files(*tops, ends=()):
    """Paths below the given folders, relative to the root, that git knows or would add."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "--", *tops],
        capture_output=True, text=True)
    if listed.returncode == 0:
        paths = listed.stdout.splitlines()
    else:  # a tarball
        paths = [os.path.relpath(os.path.join(d, f), ROOT)
                 for top in (tops or (".",)) for d, _, fs in os.walk(os.path.join(ROOT, top)) for f in fs
                 if not os.path.relpath(d, ROOT).startswith(("build", "."))]
    return sorted({p for p in paths if (not ends or p.endswith(ends)) and os.path.isfile(os.path.join(ROOT, p))})


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def rows(path, macro):
    """First arguments of the rows of a .def file."""
    out = []
    for line in read(path).splitlines():
        if line.startswith(macro + "("):
            out.append(line[len(macro) + 1:].split(",")[0].strip())
    return out


def finish(findings, what):
    """Tells the findings, one per line as file:line: text, and ends."""
    for f in findings:
        print(f)
    print(f"{len(findings)} findings: {what}" if findings else f"clean: {what}")
    sys.exit(1 if findings else 0)
