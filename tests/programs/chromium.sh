#!/bin/bash
# SPDX-License-Identifier: MIT
# Chromium without a window: a page whose script fetches more, from the kernel's side and from nginx, where both are on
# Glass (its own loopback).
. "$(dirname "$0")/lib.sh"

page()
{
	cat >"$WWW/page.html" <<-'HTML'
	<p id=said>nothing yet</p>
	<script>
	(async () => {
		const bytes = new Uint8Array(await (await fetch('big')).arrayBuffer());
		let sum = 1;
		for (const b of bytes)
			sum = (Math.imul(sum, 31) + b) >>> 0;
		document.getElementById('said').textContent = 'bytes ' + bytes.length + ' sum ' + sum;
	})();
	</script>
	HTML
	python3 - "$WWW/big" <<-'PYTHON' >"$LAB/want"
	import sys
	data, total = open(sys.argv[1], "rb").read(), 1
	for b in data:
	    total = (total * 31 + b) & 0xffffffff
	print(f"bytes {len(data)} sum {total}")
	PYTHON
}

# Everything but the page is off: no other request leaves it.
loads()
{
	timeout 50 "${on[@]}" chromium --headless --no-sandbox --disable-gpu --disable-background-networking \
		--disable-component-update --disable-sync --no-first-run --user-data-dir="$D/user" \
		--virtual-time-budget=10000 --dump-dom "$1/page.html" >"$D/o" 2>"$D/said"
	grep -qF "$(cat "$LAB/want")" "$D/o"
}

both()
{
	nginx_conf <<<"default_type text/html; server { listen $STACK:80; root $WWW; }"
	serve nginx -c "$D/nginx.conf" -g 'daemon off;'
	wait_for 10 on_glass 80
	loads "http://$STACK"
}

client()
{
	loads "http://$HOST:8080"
}

program chromium chromium --version
page
role "a page and what its script fetches" client
if command -v nginx >/dev/null; then
	ROLE_DEVICE=lo
	role "the same from nginx, both on Glass" both
else
	role_skip "the same from nginx, both on Glass" "no nginx here: tools/setup programs"
fi
done_testing
