#!/bin/bash
# SPDX-License-Identifier: MIT
# A stack without rights: glass up --rootless, glass host for the kernel's side of the device.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/user_lib.sh
. "$(dirname "$0")/user_lib.sh"

# As most machines have it: a device that anybody may open. The lab has mounts of its own.
if ! user test -w /dev/net/tun; then
	mount -t tmpfs none /dev/net 2>/dev/null && mknod -m 666 /dev/net/tun c 10 200 2>/dev/null
	user test -w /dev/net/tun || skip "/dev/net/tun is not for ordinary users here"
fi
mkdir "$LAB/www"
echo "a page" >"$LAB/www/index.html"
chmod -R a+rX "$LAB/www"

# Somebody listens there on the other side.
listens_there()
{
	user "$GLASS" host ss -Hltn "sport = :$1" | grep -q .
}

ok "an ordinary user starts a stack" user "$GLASS" up --rootless
like "with a device" "$(user "$GLASS" addr)" "glass0.*10\.0\.0\.4/24"
is "that nobody else sees" "$(ip -o link | grep -c glass0)" 0
like "but on the other side" "$(user "$GLASS" host ip -o address)" "glass0 +inet 10\.0\.0\.5/24"
is "who we are stays as it was" "$(user "$GLASS" host id -u)" "$user_id"
user "$GLASS" host python3 -m http.server 80 --bind 10.0.0.5 --directory "$LAB/www" >/dev/null 2>&1 &
lab_jobs+=($!)
ok "a server there may take a low port" wait_for 10 listens_there 80
is "a page" "$(on_glass curl -s -m 5 http://10.0.0.5/)" "a page"
is "by glass run" "$(user "$GLASS" run curl -s -m 5 http://10.0.0.5/)" "a page"
like "it went over the device" "$(user "$GLASS" trace -c 1)" "10\.0\.0\.4:[0-9]+ > 10\.0\.0\.5:80"
user env LD_PRELOAD="$PRELOAD" python3 -m http.server 8000 --directory "$LAB/www" >/dev/null 2>&1 &
lab_jobs+=($!)
is "a server on Glass, asked from there" \
	"$(user "$GLASS" host curl -s --retry 20 --retry-connrefused --retry-delay 0 http://10.0.0.4:8000/)" "a page"
ok "ping from there" user "$GLASS" host sh -c "ping -q -c1 10.0.0.4"
if [ "$(id -u)" = 0 ]; then
	ok "root takes it over" "$GLASS" up --takeover
	is "and becomes who runs it" "$(awk '/^Uid:/ { print $2 }' "/proc/$(lab_pid)/status")" "$user_id"
fi
is "a program's exit status passes" "$(user "$GLASS" host sh -c 'exit 7'; echo $?)" 7
is "a program that is not there" "$(user "$GLASS" host /no/such/program 2>/dev/null; echo $?)" 127
is "none" "$(user "$GLASS" host 2>/dev/null; echo $?)" 2
ok "the end" user "$GLASS" down
is "without a stack" "$(user "$GLASS" host true 2>/dev/null; echo $?)" 3
# A stack for one run; the other side of it is reached from outside by the run's name.
user timeout 60 "$GLASS" run --rootless sh -c 'until curl -s -m 5 http://$GLASS_HOST/; do sleep 0.1; done' \
	>"$LAB/out" 2>/dev/null &
run_pid=$!
lab_jobs+=("$run_pid")
wait_for 10 compgen -G "$GLASS_DIR/run-*.sock"
run_stack=$(basename "$GLASS_DIR"/run-*.sock .sock)
user "$GLASS" host --stack "$run_stack" python3 -m http.server 80 --directory "$LAB/www" >/dev/null 2>&1 &
lab_jobs+=($!)
wait_for 10 grep -q page "$LAB/out"
wait $run_pid
is "glass run --rootless: a stack for one run" "$? $(cat "$LAB/out")" "0 a page"
like "--user is another way" "$(user "$GLASS" up --rootless --user 2>&1)" "take one"

# The same word where the stack is not rootless, and for root.
unset GLASS_DIR
export GLASS_DIR=$LAB/root
lab_start
like "on an ordinary stack it is the daemon's side" "$("$GLASS" host ip -o address)" "glass0 +inet 10\.0\.0\.5/24"
done_testing
