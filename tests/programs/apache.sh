#!/bin/bash
# SPDX-License-Identifier: MIT
# Apache with processes (prefork) and with threads (event); ab as client.
. "$(dirname "$0")/lib.sh"

modules=/usr/lib/apache2/modules

configure()
{
	cat >"$D/apache.conf" <<-CONF
	ServerRoot $D
	ServerName lab
	PidFile $D/apache.pid
	ErrorLog $D/error.log
	Mutex file:$D
	User daemon
	Group daemon
	LoadModule mpm_$1_module $modules/mod_mpm_$1.so
	LoadModule authz_core_module $modules/mod_authz_core.so
	Listen $STACK:80
	DocumentRoot $WWW
	StartServers 3
	<Directory $WWW>
		Require all granted
	</Directory>
	CONF
}

serves()
{
	configure "$1"
	serve apache2 -f "$D/apache.conf" -DFOREGROUND
	wait_for 20 on_glass 80
	curl -sf -o "$D/o" http://$STACK/big
	same "$D/o"
	ab -q -n 500 -c 20 http://$STACK/small >"$D/ab"
	grep -q '^Failed requests: *0$' "$D/ab"
	ab -q -k -n 500 -c 20 http://$STACK/small >"$D/ab"
	grep -q '^Failed requests: *0$' "$D/ab"
	apache2 -f "$D/apache.conf" -k graceful
	sleep 1
	curl -sf http://$STACK/small | grep -q hello
	! grep -E ':(emerg|alert|crit|error)\]' "$D/error.log"
}

prefork() { serves prefork; }
event() { serves event; }

ab_client()
{
	"${on[@]}" ab -q -n 300 -c 10 http://$HOST:8080/small >"$D/ab"
	grep -q '^Failed requests: *0$' "$D/ab"
	grep -q '^Complete requests: *300$' "$D/ab"
}

program apache2 apache2 -v
needs ab
role "prefork, under ab, graceful restart" prefork
role "event, under ab, graceful restart" event
PROGRAM=ab
ROLE_BYTES=100000
role "300 requests, ten at a time" ab_client
done_testing
