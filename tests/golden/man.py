#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The manual pages know every option that --help knows, and no other; every command has its section; and mandoc finds
nothing wrong with the pages.

    man.py GLASS GLASSD GENERATED...
"""
import pathlib
import re
import shutil
import subprocess
import sys

MAN = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "man"
GLOBAL = {"--stack", "-j", "--json", "-p", "--pretty", "-h", "--help"}
IP_OBJECTS = ("addr", "link", "neigh", "route")
findings = []


def help_text(*command):
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


def help_options(text):
    """Options at the start of help lines: "  -a, --all" or "      --tap"."""
    found = set()
    for line in text.splitlines():
        match = re.match(r"\s{2,8}(-\w)?(?:,? ?\s*)(--[\w-]+)?", line)
        if match and line.strip().startswith("-"):
            found |= {m for m in match.groups() if m}
    return found


def page_options(text):
    """Options of .It Fl lines; arguments are not options."""
    found = set()
    for line in re.findall(r"^\.It Fl (.*)$", text, re.M):
        for word in re.split(r" , ", re.sub(r" (Ar|Ns|Op|Oo|Oc) .*", "", line)):
            found.add(("-" if word.startswith("-") else "") + ("-" + word.lstrip("-")))
    return {("-" + w) if w.startswith("-") and len(w) > 2 and not w.startswith("--") else w for w in found}


def same(what, helped, paged):
    for option in sorted(helped - paged):
        findings.append(f"{what}: {option} is in --help, not in the page")
    for option in sorted(paged - helped):
        findings.append(f"{what}: {option} is in the page, not in --help")


def check_glass(glass):
    page = (MAN / "glass.1").read_text(encoding="utf-8")
    sections = {}
    for part in page.split("\n.Ss ")[1:]:
        title, _, body = part.partition("\n")
        body = body.split("\n.Sh ")[0]
        for name in title.split(", "):
            sections[name] = body
    overview = help_text(glass)
    names = re.findall(r"^  (\w+) +\S", overview, re.M)
    names = [n for n in names if f"\n  {n} " in overview and n.islower()]
    for name in names:
        if name not in sections:
            findings.append(f"glass.1: no section for {name}")
        elif name not in ("up", "run"):
            paged = page_options(sections[name])  # ss has a -p of its own
            same(f"glass {name}", help_options(help_text(glass, name)) - (GLOBAL - paged), paged)
    for name in sections:
        if name not in names:
            findings.append(f"glass.1: section {name} is about no command")
    same("glass", GLOBAL, page_options(page.split("\n.Sh COMMANDS")[0]))


def check_page(what, command, file):
    page = (MAN / file).read_text(encoding="utf-8")
    helped = help_options(help_text(*command))
    same(what, helped - {"-h", "--help"}, page_options(page) - {"-h", "--help"})


def check_mandoc(pages):
    if not shutil.which("mandoc"):
        print("mandoc is not installed: pages are not checked by it")
        return
    for page in pages:
        out = subprocess.run(["mandoc", "-Tlint", page], capture_output=True, text=True, check=False).stdout
        # Pages of other packages, and ours, need not be installed here.
        findings.extend(line for line in out.splitlines() if "referenced manual not found" not in line)


def main():
    glass, glassd, generated = sys.argv[1], sys.argv[2], sys.argv[3:]
    check_glass(glass)
    check_page("glassd", [glassd], "glassd.8")
    check_page("glass run", [glass, "run"], "glass-run.1")
    check_mandoc([*map(str, sorted(MAN.glob("*.[1-8]"))), *generated])
    print("\n".join(findings) if findings else "clean: manual pages")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
