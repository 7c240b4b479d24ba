/* SPDX-License-Identifier: MIT */
/* Runs dialogues, each on a stack of its own, and reports as TAP. See dialogue.h. */
#include "dialogue.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "dlg.h"

static struct dlg_test *first_test, **last_test = &first_test;

void dlg_register(struct dlg_test *t)
{
	*last_test = t;
	last_test = &t->next;
}

static void start(struct dlg *d)
{
	struct glass_dev_setup dev = { .name = "wire0", .link = GLASS_ETHERNET, .mtu_bytes = 1500 };
	struct glass_setup setup = { .seed = { 0x676c617373, d->number }, .now_ns = DLG_BIRTH_NS };

	setup.ring_bytes = d->ring_bytes = glass_ring_bytes(16384);
	setup.ring = d->ring = malloc(d->ring_bytes);
	d->now = DLG_BIRTH_NS;
	d->g = glass_new(&setup);
	memcpy(dev.mac, dlg_stack_mac, 6);
	d->dev = d->g ? glass_dev_add(d->g, &dev) : -ENOMEM;
	if (d->dev < 0 || glass_addr_add(d->g, (unsigned)d->dev, glass_ip4(10, 0, 0, 4), 24)) {
		printf("Bail out! no stack\n");
		exit(1);
	}
}

/* True of every dialogue: each received frame has one fate. */
static void check_account(struct dlg *d)
{
	uint64_t rx = dlg_counter_value(d, "RxPackets"),
		 accepted_n = dlg_counter_value(d, "RxAccepted"),
		 dropped_n = dlg_counter_value(d, "RxDropped");

	if (rx != accepted_n + dropped_n)
		dlg_fail(d, d->at, "%llu frames came in, %llu were accepted, %llu dropped",
			 (unsigned long long)rx, (unsigned long long)accepted_n,
			 (unsigned long long)dropped_n);
}

static bool run(struct dlg_test *t, unsigned number, bool verbose, bool takeovers)
{
	struct dlg *d = calloc(1, sizeof(*d));
	struct dlg_place end = { t->file, 0, "the end of the dialogue" };
	volatile bool ok = false;

	d->test = t;
	d->number = number;
	d->takeovers = takeovers;
	d->at = &end;
	start(d);
	if (!setjmp(d->failed)) {
		struct app *c = dlg_app(d);

		t->run(d, c, dlg_app(d));
		d->at = &end;
		dlg_pump(d);
		dlg_no_frame_waits(d, &end);
		check_account(d);
		ok = true;
		printf("ok %u %s\n%s", number, t->name, verbose ? d->transcript : "");
		if (verbose)
			dlg_print_trace(d);
	}
	fflush(stdout);
	glass_free(d->g);
	free(d->ring);
	free(d);
	return ok;
}

/* test_x [-t] [-v] [NAME...]; -t: with a takeover at each T() */
int main(int argc, char **argv)
{
	unsigned n = 0, failed = 0;
	bool takeovers = argc > 1 && strcmp(argv[1], "-t") == 0, verbose;

	argc -= takeovers;
	argv += takeovers;
	verbose = argc > 1 && strcmp(argv[1], "-v") == 0;

	for (struct dlg_test *t = first_test; t; t = t->next) {
		bool wanted = argc == 1 + verbose;

		for (int i = 1 + verbose; i < argc; i++)
			wanted |= strcmp(argv[i], t->name) == 0;
		if (wanted)
			failed += !run(t, ++n, verbose, takeovers);
	}
	printf("1..%u\n", n);
	return failed != 0;
}
