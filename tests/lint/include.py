#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include whom (ARCHITECTURE.md, "The house"), and what the core may include at all."""
import os
import re

import common

SEES = {
    "base": {"base"},
    "wire": {"base", "wire"},
    "stack": {"base", "wire", "stack"},
    "socket": {"base", "wire", "stack", "socket"},
    "dev": {"base", "wire", "dev"},
    "sim": {"base", "wire", "sim"},
    "packetdrill": {"base", "wire", "packetdrill"},
    "abi": {"abi"},
    "preload": {"abi", "preload"},
    "ctl": {"abi", "ctl", "sim"},  # sim: scene.h, for glass step
    "daemon": {"base", "wire", "stack", "socket", "dev", "abi", "daemon"},
}
NO_PUBLIC_HEADER = {"abi"}
TABLES = {"ctl"}  # may read the tables (.def) of others
CORE = {"base", "wire", "stack", "socket"}
# The core does no I/O and knows no clock, no thread and no system: this is all of libc that it needs.
CORE_SYSTEM = {"assert.h", "errno.h", "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
               "stdlib.h", "string.h"}
# snprintf, where values become text.
STDIO = re.compile(r"src/base/print\w*\.[ch]$")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def check(path, number, bracket, name):
    folder = path.split("/")[1]
    if folder not in SEES:
        return f"src/{folder} is not in this lint's table of folders"
    if bracket == '"':
        target = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if target.startswith("include/"):
            return None if folder not in NO_PUBLIC_HEADER else "may not see the public header"
        other = target.split("/")[1] if target.startswith("src/") else "?"
        if other in SEES[folder] or (folder in TABLES and target.endswith(".def")):
            return None
        return f"src/{folder} may not see {target}"
    if name.startswith("glass/"):
        if folder in NO_PUBLIC_HEADER:
            return f"src/{folder} may not see <{name}>"
        return None
    if folder in CORE and name not in CORE_SYSTEM and not (name == "stdio.h" and STDIO.match(path)):
        return f"the core may not include <{name}>"
    return None


def main():
    findings = []
    for path in common.files("src", ends=(".c", ".h")):
        for number, line in enumerate(common.read(path).splitlines(), 1):
            found = INCLUDE.match(line)
            wrong = check(path, number, *found.groups()) if found else None
            if wrong:
                findings.append(f"{path}:{number}: {wrong}")
    for path in common.files("include", ends=(".h",)):
        for number, line in enumerate(common.read(path).splitlines(), 1):
            found = INCLUDE.match(line)
            if found and found.group(1) == '"' and not found.group(2).endswith(".def"):
                findings.append(f"{path}:{number}: a public header includes {found.group(2)}")
    common.finish(findings, "include direction")


main()
