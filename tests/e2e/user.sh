#!/bin/bash
# SPDX-License-Identifier: MIT
# The device that needs no rights: an ordinary user's stack, behind libslirp, reaches what that user's sockets reach.
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/e2e/user_lib.sh
. "$(dirname "$0")/user_lib.sh"
world=192.0.2.1

ip address add $world/32 dev lo
mkdir "$LAB/www"
echo "a page" >"$LAB/www/index.html"
head -c 3000000 /dev/urandom >"$LAB/www/big"
chmod -R a+rX "$LAB/www"
background python3 -m http.server 8080 --bind $world --directory "$LAB/www" >/dev/null 2>&1
background python3 -m http.server 8081 --bind 127.0.0.1 --directory "$LAB/www" >/dev/null 2>&1
wait_for 10 listens 8080
wait_for 10 listens 8081

ok "an ordinary user starts a stack" user "$GLASS" up --user --publish 9000:9000
like "with its own network" "$(user "$GLASS" addr)" "user0.*10\.0\.2\.15/24"
like "a way out" "$(user "$GLASS" route)" "default via 10\.0\.2\.2"
like "and a name server" "$(cat "$GLASS_DIR/default.resolv.conf")" "nameserver 10\.0\.2\.3"
like "nothing of it on the host" "$(ip -o link | grep -c user0)" 0
is "a page of the world" "$(on_glass curl -s http://$world:8080/)" "a page"
is "whole, when it is larger" "$(on_glass curl -s http://$world:8080/big | sha256sum)" "$(sha256sum <"$LAB/www/big")"
is "this machine stands behind the gateway" "$(on_glass curl -s http://10.0.2.2:8081/)" "a page"
like "it came through the stack" "$(user "$GLASS" ss -a)$(user "$GLASS" trace)" "10\.0\.2\.15:[0-9]+ > $world:8080"
not_ok "a closed port is refused" on_glass curl -s http://10.0.2.2:1/
is "by the same reason" "$(on_glass curl -s http://10.0.2.2:1/; echo $?)" 7

# shellcheck disable=SC2024
user env LD_PRELOAD="$PRELOAD" python3 -m http.server 9000 --directory "$LAB/www" >/dev/null 2>&1 &
lab_jobs+=($!)
wait_for 10 curl -s -m 2 http://127.0.0.1:9000/
is "a server on Glass, reached from this machine" "$(curl -s -m 5 http://127.0.0.1:9000/)" "a page"
is "and a large file" "$(curl -s -m 20 http://127.0.0.1:9000/big | sha256sum)" "$(sha256sum <"$LAB/www/big")"

pid=$(pgrep -P "$(lab_pid)" -x glass-usernet)
kill "$pid"
is "when its other end is gone, programs hear it" "$(on_glass curl -s -m 5 http://$world:8080/; echo $?)" 7
not_ok "and the stack says so" grep -q "user0.*UP" <<<"$(user "$GLASS" link)"
ok "and ends in order" user "$GLASS" down
not_ok "with its name server" test -e "$GLASS_DIR/default.resolv.conf"

ok "anew" user "$GLASS" up --user --address 172.20.1.15/16 --host-address 172.20.9.9/16 --mtu 9000
is "with another network" "$(on_glass curl -s http://$world:8080/)" "a page"
like "its name server is its third address" "$(cat "$GLASS_DIR/default.resolv.conf")" "nameserver 172\.20\.0\.3"
pid=$(pgrep -P "$(lab_pid)" -x glass-usernet)
kill -9 "$(lab_pid)"
ok "the other end ends with a killed daemon" wait_for 5 gone "$pid"

is "glass run --dev user brings its own stack" \
	"$(user "$GLASS" run --dev user curl -s -m 10 http://$world:8080/)" "a page"
is "for a supervised program too" \
	"$(user "$GLASS" run --dev user --mode seccomp curl -s -m 10 http://$world:8080/)" "a page"
is "GLASS_HOST is this machine" \
	"$(user "$GLASS" run --dev user sh -c 'curl -s -m 10 http://$GLASS_HOST:8081/')" "a page"
is "a device of no kind" "$(user "$GLASS" run --dev moon true 2>/dev/null; echo $?)" 2
is "no stack is left" "$(find "$GLASS_DIR" -name "run-*")" ""

like "a wrong --publish is told" "$(user "$GLASS" up --user --publish 80 2>&1)" "ADDR:.PORT:PORT"
like "a port that is taken too" "$(user "$GLASS" up --user --publish 8081:80 2>&1)" "cannot listen on that port"
like "--publish alone makes no sense" "$(user "$GLASS" up --publish 9000:80 2>&1)" "--publish is for --user"
ok "nothing is left" test ! -e "$GLASS_DIR/default.lock"
done_testing
