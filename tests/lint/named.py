# SPDX-License-Identifier: MIT
"""What pages of the documentation name: functions of the source, and tests that run.

A cell of tests is suite/program: test, test; ... where suite/program is one of

	dialogue/rst, unit/stack_ip/arp, sim	tests/dialogue/test_rst.c and so on
	matrix			a probe of tests/matrix
	mirror, sockets		a scene of tests/compat/mirror_*.c, of tests/e2e/sockets.c
	e2e/flip		a script; after a colon, words that stand in it, up to the semicolon
	programs/curl		a script of tests/programs; its roles likewise
"""
import functools
import os
import re
import sys

import common

sys.path.insert(0, os.path.join(common.ROOT, "tests/matrix"))
import results  # noqa: E402
from probes import PROBES  # noqa: E402

WHOLE = ("e2e/", "programs/")  # what follows the colon is one name


@functools.lru_cache(None)
def functions():
    """{name: [paths of the files that define it]}"""
    found = {}
    for path in common.files("src", ends=(".c", ".h")):
        for name in re.findall(r"^(?!#|return|else)[a-z][^;={}\n]*?\b\*?(\w+)\([^;]*?\n?\{?$", common.read(path), re.M):
            found.setdefault(name, []).append(path)
        for name in re.findall(r"^#define (\w+)\(", common.read(path), re.M):
            found.setdefault(name, []).append(path)
    return {name: sorted(set(paths), key=lambda p: p.endswith(".h")) for name, paths in found.items()}


@functools.lru_cache(None)
def text(path):
    return common.read(path) if os.path.isfile(os.path.join(common.ROOT, path)) else ""


def listed(folder, name):
    return f"'{name}'" in text(f"{folder}/meson.build")


def test_missing(suite, name):
    """Why this test is not one that runs; None: it is."""
    kind, _, rest = suite.partition("/")
    if kind == "dialogue":
        if not listed("tests/dialogue", rest):
            return f"tests/dialogue/meson.build has no '{rest}'"
        return None if f"DIALOGUE({name})" in text(f"tests/dialogue/test_{rest}.c") else "no such dialogue"
    if kind == "unit":
        folder, program = rest.split("/")
        if not (listed("tests/unit", folder) and listed(f"tests/unit/{folder}", program)):
            return f"tests/unit/{folder}/meson.build has no '{program}'"
        pattern = rf"unit_test\w*\(\s*(?:test_)?{name}\b|\bT\((?:test_)?{name}\)"
        return None if re.search(pattern, text(f"tests/unit/{folder}/test_{program}.c")) else "no such unit test"
    if kind == "sim":
        sources = [text(p) for p in common.files("tests/sim", ends=(".c",))]
        return None if any(f'"{name}"' in s or f"({name})" in s for s in sources) else "no such scenario"
    if kind == "e2e":
        script = listed("tests/e2e", rest) and text(f"tests/e2e/{rest}.sh")
        return "no such script" if not script else None if name in script else "not in the script"
    if kind == "programs":
        return None if f'role "{name}"' in text(f"tests/programs/{rest}.sh") else "no such role"
    if kind == "mirror":
        sources = [text(p) for p in common.files("tests/compat", ends=(".c",))]
        return None if any(f"SCENE({name})" in s for s in sources) else "no such scene"
    if kind == "sockets":
        script = text("tests/e2e/sockets.c")
        return None if f"SCENE({name})" in script or f'"{name}"' in script else "no such scene"
    if kind == "matrix":
        quick = {p.name for p in PROBES if not p.slow} | set(results.ALWAYS)
        return None if name in quick else "no such quick probe" if name not in SLOW else "slow"
    return "no such suite"


SLOW = {p.name for p in PROBES if p.slow}


def tests_of(cell):
    """[(suite, test)]; an e2e script alone is a test too."""
    found = []
    for part in filter(None, (p.strip() for p in cell.split(";"))):
        suite, _, names = part.partition(":")
        whole = not names or suite.strip().startswith(WHOLE)
        found += [(suite.strip(), n.strip()) for n in ([names] if whole else names.split(","))]
    return found


def check_where(cell):
    for item in re.findall(r"`([^`]+)`", cell):
        if "." in item:
            if not common.files("src", "include", ends=("/" + item,)):
                yield f"no file {item}"
        elif item not in functions():
            yield f"no function {item}"
    for name, told in re.findall(r"`(\w+)` \(([\w.]+)\)", cell):
        if name in functions() and told not in [os.path.basename(p) for p in functions()[name]]:
            yield f"{name} is not in {told}: tests/lint/rfc.py --fix"
