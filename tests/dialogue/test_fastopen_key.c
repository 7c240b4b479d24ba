/* SPDX-License-Identifier: MIT */
/* TCP Fast Open (RFC 7413 4.1.2): the keys that cookies are made with. */
#include "fastopen.h"

#include <string.h>

/* A dialogue is laid out in columns. */
/* clang-format off */

#define OLD "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"
#define NEW "a0bf63f7-ed803d81-cd641d30-cebc4a90"

/* app NULL: of the stack. */
static int set_key(struct dlg *d, struct app *a, const char *text)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	int n = glass_fastopen_key_read(text, key);

	check(n > 0);
	return a ? glass_sock_fastopen_key_set(dlg_stack(d), a->s, key, (size_t)n)
		 : glass_fastopen_key_set(dlg_stack(d), key, (size_t)n);
}

/* A key is changed: cookies of the old one are good as long as it is the second. */
DIALOGUE(fastopen_key_is_changed)
{
	long long old, new;

	T(0)	set_key(d, NULL, OLD);
		old = server(d, l, 5);
		set_key(d, NULL, NEW "," OLD);
		new = asks(d);
		check(old != new);
		opens(d, new, 41000, 10);
		counter(TCPFastOpenPassiveAltKey, 0);
		/* The data is taken, and the next cookie is told: when the SYN-ACK goes again too. */
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41001", old);
		wire_outf("SYN|ACK, seq=0, ack=11, cookie=%lld", new);
		counter(TCPFastOpenPassive, 2);
		counter(TCPFastOpenPassiveAltKey, 1);
		wire_in(ACK, seq=11, ack=1, sport=41000);
	T(1000)	wire_outf("RTX, seq=0, ack=11, cookie=%lld", new);
		wire_in(ACK, seq=11, ack=1, sport=41001);
		set_key(d, NULL, NEW);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41002", old);
		wire_outf("SYN|ACK, seq=0, ack=1, cookie=%lld", new);
		counter(TCPFastOpenPassiveFail, 1);
}

/* TCP_FASTOPEN_KEY: of one listener, set before it listens or after. */
DIALOGUE(fastopen_key_of_a_listener)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES], stack[2 * GLASS_FASTOPEN_KEY_BYTES];
	struct app *a = dlg_app(d), *child;
	long long own, common;

	T(0)	set_key(d, NULL, OLD);
		app_setopt(l, OPT_FASTOPEN, 5);		/* there is a socket */
		check(glass_fastopen_key_get(dlg_stack(d), stack) == 16);
		check(glass_sock_fastopen_key_get(dlg_stack(d), l->s, key) == 16);
		check(!memcmp(key, stack, 16));		/* it has none of its own */
		check(set_key(d, l, NEW) == 0);
		check(glass_sock_fastopen_key_get(dlg_stack(d), l->s, key) == 16);
		check(memcmp(key, stack, 16));
		own = server(d, l, 5);
		opens(d, own, 41000, 10);
		check(glass_sock_fastopen_key_get(dlg_stack(d), l->s, key) == 16);
		check(memcmp(key, stack, 16));
		child = app_accept(l);
		check(set_key(d, child, NEW) == -EINVAL);
		app_abort(child);			wire_out(RST|ACK);
		check(glass_sock_fastopen_key_set(dlg_stack(d), l->s, "", 0) == -EINVAL);
		check(glass_sock_fastopen_key_set(dlg_stack(d), l->s, key, 15) == -EINVAL);
		/* Another listener has the stack's, until it is told its own. */
		app_close(l);
		listens(d, a, 5);
		common = asks(d);
		check(own != common);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41001", own);
		wire_outf("SYN|ACK, seq=0, ack=1, cookie=%lld", common);
		check(set_key(d, a, NEW "," OLD) == 0);
		check(glass_sock_fastopen_key_get(dlg_stack(d), a->s, key) == 32);
		check(asks(d) == own);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41002", common);
		wire_outf("SYN|ACK, seq=0, ack=11, cookie=%lld", own);
}

/* A socket with a key that never listens takes it along. */
DIALOGUE(fastopen_key_of_no_listener)
{
	struct glass_memory before, after;
	struct glass_sock *s, *u;
	uint8_t key[16] = { 1 };

	T(0)	glass_memory(dlg_stack(d), &before);
		s = glass_socket(dlg_stack(d), GLASS_TCP);
		u = glass_socket(dlg_stack(d), GLASS_UDP);
		check(glass_sock_fastopen_key_set(dlg_stack(d), s, key, 16) == 0);
		check(glass_sock_fastopen_key_set(dlg_stack(d), s, key, 16) == 0);
		check(glass_sock_fastopen_key_set(dlg_stack(d), u, key, 16) == -ENOPROTOOPT);
		glass_close(dlg_stack(d), s);
		glass_close(dlg_stack(d), u);
		glass_memory(dlg_stack(d), &after);
		check(before.bytes == after.bytes);
}
