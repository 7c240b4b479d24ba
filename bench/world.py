# SPDX-License-Identifier: MIT
"""What the measurements share: where things are, priorities, and processes that end with the measurement."""
import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
PRELOAD = os.path.join(BUILD, "src/preload/libglass-preload.so")
GLASSD, GLASS = os.path.join(BUILD, "src/daemon/glassd"), os.path.join(BUILD, "src/ctl/glass")
XFER, RR, LINK = (os.path.join(BUILD, "bench", name) for name in ("xfer", "rr", "link"))

LIBC = ctypes.CDLL(None, use_errno=True)


def run(*words, **more):
    return subprocess.run(words, check=True, **more)


def in_namespaces():
    """The script begins anew in a network of its own; whatever it leaves behind ends with its process namespace."""
    if "GLASS_BENCH" not in os.environ:
        os.environ["GLASS_BENCH"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable,
                              os.path.abspath(sys.argv[0]), *sys.argv[1:]])
    os.environ.pop("GLASS_STACK", None)


def realtime(policy="-r", priority=1):
    """A prefix; without the right to it, the measurement is what it is."""
    able = subprocess.run(["chrt", policy, str(priority), "true"], stderr=subprocess.DEVNULL, check=False)
    return ["chrt", policy, str(priority)] if able.returncode == 0 else []


def die_with_parent():
    LIBC.prctl(1, signal.SIGKILL)


def quiet(prefix=()):
    """In a network: no IPv6 noise; what one connection learned must not help the next."""
    run(*prefix, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv4.tcp_no_metrics_save=1")
    run(*prefix, "ip", "link", "set", "lo", "up")


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.split(":")[1].strip() for line in f if line.startswith("model name")]
    return names[0] if names else platform.machine()


class World:
    """Processes, and a folder with the sockets of their daemons. end() ends and removes all."""

    def __init__(self):
        self.children = []
        self.dir = tempfile.mkdtemp(prefix="glass-bench.")
        os.environ["GLASS_DIR"] = os.path.join(self.dir, "run")

    def start(self, prefix, words, **more):
        p = subprocess.Popen([*prefix, *words], preexec_fn=die_with_parent, **more)
        self.children.append(p)
        return p

    @staticmethod
    def wait(ready):
        for _ in range(500):
            if ready():
                return
            time.sleep(0.02)
        raise TimeoutError("the world does not come up")

    def another_network(self):
        """A network namespace beside ours: (the process that holds it, the prefix that runs words in it)."""
        p = self.start([], ["unshare", "--net", "sleep", "infinity"])
        self.wait(lambda: os.readlink(f"/proc/{p.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        return p, ["nsenter", f"--net=/proc/{p.pid}/ns/net"]

    def stop(self, processes):
        for p in processes:
            p.terminate()
        for p in processes:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
            self.children.remove(p)

    def end(self):
        self.stop(list(reversed(self.children)))
        shutil.rmtree(self.dir, ignore_errors=True)
