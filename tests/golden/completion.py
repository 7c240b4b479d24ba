#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The completion scripts complete: bash is asked as it asks itself, for every command of --help and every option of each.

    completion.py GLASS
"""
import re
import shutil
import subprocess
import sys
import tempfile


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def complete(script, *words):
    """What bash offers for the last of these words."""
    ask = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _glass; printf "%s\\n" "${COMPREPLY[@]}"'
    return output("bash", "-c", ask, "bash", script, "glass", *words).split()


def main():
    glass, bad = sys.argv[1], []

    def want(words, offered, wanted):
        if not set(wanted) <= set(offered):
            bad.append(f"glass {' '.join(words)}: {sorted(set(wanted) - set(offered))} is not offered: {offered[:20]}")

    with tempfile.NamedTemporaryFile("w", suffix=".bash") as bash, tempfile.NamedTemporaryFile("w") as zsh:
        bash.write(output(glass, "completion", "bash"))
        bash.flush()
        names = re.findall(r"^  ([a-z]+) +\S", output(glass, "help"), re.M)
        assert len(names) > 20
        want([""], complete(bash.name, ""), [*names, "--stack"])
        want(["tra"], complete(bash.name, "tra"), ["trace"])
        for name in set(names) - {"up", "run", "host"}:
            options = re.findall(r"^ {2,8}(?:-\w, +)?(--[\w-]+)", output(glass, name, "--help"), re.M)
            assert options
            want([name, "--"], complete(bash.name, name, "--"), options)
        want(["--stack", "x", "s"], complete(bash.name, "--stack", "x", "s"), ["ss", "stat", "set", "status"])
        want(["explain", "IP_BAD"], complete(bash.name, "explain", "IP_BAD"), ["IP_BAD_CSUM"])
        want(["set", "tcp_sa"], complete(bash.name, "set", "tcp_sa"), ["tcp_sack="])
        want(["run", "ech"], complete(bash.name, "run", "ech"), ["echo"])
        zsh.write(output(glass, "completion", "zsh"))
        zsh.flush()
        if shutil.which("zsh"):
            subprocess.run(["zsh", "-n", zsh.name], check=True)
        text = open(zsh.name, encoding="utf-8").read()
        bad.extend(f"zsh: no {name}" for name in names if f"\t'{name}:" not in text or f"\n{name}) " not in text)
    print("\n".join(bad) if bad else f"ok: {len(names)} commands complete")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
