/* SPDX-License-Identifier: MIT */
/* The judge of a run that is over, and what is printed for people. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "../../src/stack/stack.h"

/* Asked for by the environment variable SIM_TRACE: the last records of both sides. */
void print_rings(struct sim *sim)
{
	const char *wanted = getenv("SIM_TRACE");
	uint64_t last = wanted ? strtoull(wanted, NULL, 10) : 0;
	struct glass_record rec;
	struct glass_reader r;
	char text[512];

	for (unsigned side = 0; last && side < 2; side++) {
		size_t bytes;
		const struct glass_ring *ring = sim_ring(sim, side, &bytes);

		if (!ring || glass_reader_open(&r, ring, bytes))
			return;
		while (glass_reader_next(&r, &rec)) {
			const struct glass_event_desc *e = glass_event_desc(rec.event);

			glass_record_text(&r, &rec, text, sizeof(text));
			if (r.next + last >= ring->head)
				printf("# %u %14.6f ms #%u<-#%u conn %u %s %s %s\n", side,
				       (double)(rec.time_ns - ring->start_ns) / 1e6, rec.pkt,
				       rec.cause, rec.conn, glass_reader_word(&r, rec.room),
				       e ? e->name : "?", text);
		}
	}
}

/* Asked for by SIM_RING: the recorders of both sides as files, the second one's name ends in
 * ".peer". */
void save_rings(struct sim *sim)
{
	const char *path = getenv("SIM_RING");

	for (unsigned side = 0; path && side < 2; side++) {
		char name[4096];
		size_t bytes;
		const void *ring = sim_ring(sim, side, &bytes);
		FILE *f;

		snprintf(name, sizeof(name), "%s%s", path, side ? ".peer" : "");
		f = ring ? fopen(name, "w") : NULL;
		if (ring && (!f || fwrite(ring, 1, bytes, f) != bytes))
			perror(name);
		if (f && fclose(f))
			perror(name);
	}
}

/* Asked for by SIM_STATS: the counters that have counted. */
void print_stats(const struct world *w)
{
	struct glass_stat st;

	for (unsigned side = 0; getenv("SIM_STATS") && side < 2; side++)
		for (unsigned i = 0; glass_stat_at(sim_stack(w->sim, side), i, &st); i++)
			if (st.value)
				printf("# %u %s%s %llu\n", side, st.group, st.name,
				       (unsigned long long)st.value);
}

/* Everything that the wire delivered had exactly one fate. */
void check_account(struct world *w)
{
	for (unsigned side = 0; side < 2; side++) {
		uint64_t rx = 0, accepted = 0, dropped = 0,
			 delivered = sim_counts(w->sim, !side)->delivered;
		struct glass_stat st;

		for (unsigned i = 0; glass_stat_at(sim_stack(w->sim, side), i, &st); i++) {
			rx = strcmp(st.name, "RxPackets") ? rx : st.value;
			accepted = strcmp(st.name, "RxAccepted") ? accepted : st.value;
			dropped = strcmp(st.name, "RxDropped") ? dropped : st.value;
		}
		if (rx != delivered || rx != accepted + dropped)
			fail(w,
			     "side %u: %llu frames delivered, %llu received = %llu accepted + %llu "
			     "dropped?",
			     side, (unsigned long long)delivered, (unsigned long long)rx,
			     (unsigned long long)accepted, (unsigned long long)dropped);
	}
}

uint64_t both_sides(const struct world *w, const char *name)
{
	struct glass_stat st;
	uint64_t n = 0;

	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; glass_stat_at(sim_stack(w->sim, side), i, &st); i++)
			n += strcmp(st.name, name) ? 0 : st.value;
	return n;
}

/* What was dropped is the sum of the reasons, and the weather explains it. */
void check_drops(struct world *w)
{
	uint64_t reasons = 0, dropped = both_sides(w, "RxDropped") + both_sides(w, "TxDropped");

	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; i < DROP_COUNT; i++)
			reasons += sim_stack(w->sim, side)->drops[i];
	if (reasons != dropped)
		fail(w, "%llu packets were dropped, but for %llu reasons",
		     (unsigned long long)dropped, (unsigned long long)reasons);
	if (!w->sc->way[0].corrupt && !w->sc->way[1].corrupt &&
	    (both_sides(w, "TCP_BAD_CSUM") || both_sides(w, "IP_BAD_CSUM")))
		fail(w, "a wrong checksum, though the wire changes nothing");
	if (w->sc->must_drop && !both_sides(w, w->sc->must_drop))
		fail(w, "the wire did its worst, but nothing was dropped as %s", w->sc->must_drop);
}

/* After TIME-WAIT nothing is left but a few spare buffers and the tables. */
void check_memory(struct world *w, const struct glass_memory *before)
{
	struct glass_memory after;

	for (unsigned side = 0; side < 2; side++) {
		glass_memory(sim_stack(w->sim, side), &after);
		if (after.connections || after.sockets || after.packets || after.buffers > 1)
			fail(w, "side %u keeps %u connections, %u sockets, %u packets, %u buffers",
			     side, after.connections, after.sockets, after.packets, after.buffers);
		if (after.bytes > before[side].bytes + 512 * 1024)
			fail(w, "side %u keeps %llu bytes more than before", side,
			     (unsigned long long)(after.bytes - before[side].bytes));
	}
}
