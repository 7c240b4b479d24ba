#!/bin/bash
# SPDX-License-Identifier: MIT
# What the library reaches beside the plain calls: children without an environment, syscall(2), questions about the
# devices.
. "$(dirname "$0")/lib.sh"

REACH=${REACH:-$GLASS_BUILD/tests/e2e/reach}
lab_start || exit 1
mkdir "$LAB/www"
echo hello >"$LAB/www/small"
background python3 -m http.server 8080 --bind $HOST --directory "$LAB/www" >/dev/null 2>&1
wait_for 5 listens 8080

on_glass()
{
	LD_PRELOAD=$PRELOAD timeout 20 "$@" 2>&1
}

is "syscall(2)" "$(on_glass "$REACH" fetch $HOST 8080)" "$STACK answered"
is "io_uring is not there" "$(on_glass python3 -c '
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(425, 1, 0)
print(errno.errorcode[ctypes.get_errno()])')" ENOSYS

# ---- an environment that was cleared

for how in execve execvpe fexecve execveat execle execv execvp execl execlp spawn spawnp; do
	is "$how without an environment" "$(on_glass "$REACH" $how "$REACH" fetch $HOST 8080)" "$STACK answered"
done
is "again, a generation later" \
	"$(on_glass "$REACH" execve "$REACH" execve "$REACH" fetch $HOST 8080)" "$STACK answered"
is "LD_PRELOAD= leaves the stack" "$(on_glass env LD_PRELOAD= "$REACH" fetch $HOST 8080)" "$HOST answered"
is "a variable that is there stays as it is" "$(on_glass env -i GLASS_STACK=other sh -c 'echo $GLASS_STACK')" other
is "vfork's child, by subprocess" "$(on_glass python3 -c "
import subprocess
print(subprocess.run(['$REACH', 'fetch', '$HOST', '8080'], env={}, capture_output=True, text=True).stdout, end='')")" \
	"$STACK answered"

# ---- devices

out=$(on_glass "$REACH" ifaces)
mac=$("$GLASS" link | sed -n 's/.*ether //p')
like "getifaddrs: the address" "$out" \
	"glass0 flags 1003 addr $STACK mask 255.255.255.0 broadcast 10.0.0.255"
like "the hardware" "$out" "glass0 flags 1003 index 2 type 1 mac ${mac%%:*}..${mac##*:}"
like "ioctl" "$out" "glass0 $STACK: addr $STACK mask 255.255.255.0 broadcast 10.0.0.255 peer $STACK flags 1003 \
mtu 1500 metric 0 type 1 mac ${mac##*:} index 2 name glass0"
like "lo" "$out" "lo 127.0.0.1:"
like "names and numbers" "$out" "1 lo 1 lo
2 glass0 2 glass0
no such: 0 No such device or address"
is "under glass run the same" "$("$GLASS" run "$REACH" ifaces)" "$out"
is "and by the kernel's own picture of it" "$("$GLASS" run --mode seccomp "$REACH" ifaces)" "$out"
is "a device of the kernel's" "$(on_glass python3 -c 'import socket; print(socket.if_nametoindex("lo"))')" 1
wait_for 5 fails pgrep glass-run
is "no supervisor is left" "$(pgrep -c glass-run)" 0
done_testing
