/* SPDX-License-Identifier: MIT */
/*
 * Seeds by the thousand: each is a world of its own, played twice; both runs must have written the
 * same trace.
 *
 *	test_seeds			so many as GLASS_SIM_SEEDS says, from the first on
 *	test_seeds -n COUNT [-f FIRST] [-j JOBS]
 *	test_seeds -s SEED		one, with what it is made of and, if it fails, the trace
 *	test_seeds -S [-f FIRST]	until it is stopped
 *
 * SIM_TRACE=N prints the last N records of the flight recorders, SIM_STATS=1 all counters;
 * SIM_RING=FILE saves the recorders, for glass trace, why and report --ring.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hostile.h"

#define SEEDS 500 /* when nobody says how many */
#define BAD_MAX 5 /* then it is enough */
#define JOBS_MAX 64
#define REPORT_EVERY_S 10

/* Seeds that have found something, and what: they are always played. */
static const uint64_t kept[] = {
	/* Data with a SYN-ACK moved RCV.NXT beyond the window's edge, which then let all in. */
	53532,
	/* A segment that one before it covered in part was queued before the next, but began later.
	 */
	45412,
	49544,
	/* The SYN of a fast open went out after all when there was no memory for its bytes. */
	3091,
};

struct work {
	uint64_t first, count; /* count 0: until stopped */
	unsigned jobs, job;
	uint64_t *playing; /* shared, of each job; 0: it has come to its end */
};

/* Every fourth is a stack and a hostile peer, the others are two stacks. */
static bool is_hostile(uint64_t seed)
{
	return seed % 4 == 0;
}

static void play_once(uint64_t seed, struct verdict_of_run *out)
{
	struct scenario sc = chaos(seed);

	if (is_hostile(seed))
		play_hostile(seed, out);
	else
		play(&sc, seed, true, out);
}

static void tell(uint64_t seed, const struct verdict_of_run *v)
{
	struct scenario sc = chaos(seed);

	printf("# seed %llu: %s\n# replay: make sim SEED=%llu\n", (unsigned long long)seed, v->why,
	       (unsigned long long)seed);
	if (!is_hostile(seed))
		describe(&sc);
	fflush(stdout);
}

/* How much of its time the slowest took, in percent; of those whose bound means something. */
static unsigned slowest;

static void note_time(uint64_t seed, const struct verdict_of_run *v)
{
	struct scenario sc = chaos(seed);
	unsigned percent = (unsigned)(v->took_ns / MS * 100 / sc.ms_max);

	if (!is_hostile(seed) && sc.ending != END_ABORT && !sc.fail_every && percent > slowest)
		slowest = percent;
}

static bool seed_ok(uint64_t seed)
{
	struct verdict_of_run first, second;

	play_once(seed, &first);
	note_time(seed, &first);
	if (first.ok) {
		play_once(seed, &second);
		if (second.hash == first.hash)
			return true;
		snprintf(first.why, sizeof(first.why),
			 "two runs of one seed differ: trace hash %016llx and %016llx",
			 (unsigned long long)first.hash, (unsigned long long)second.hash);
	}
	tell(seed, &first);
	return false;
}

static void report(const struct work *k, uint64_t done, time_t began)
{
	static time_t last;
	time_t now = time(NULL);

	if (k->count || now - last < REPORT_EVERY_S)
		return;
	last = now;
	printf("# job %u: %llu seeds, %.1f per second, now at %llu\n", k->job,
	       (unsigned long long)done, (double)done / (double)(now - began + 1),
	       (unsigned long long)(k->first + done * k->jobs + k->job));
	fflush(stdout);
}

/* Every jobs-th seed. true: all are well. */
static bool do_share(const struct work *k)
{
	unsigned bad = 0;
	time_t began = time(NULL);
	uint64_t done = 0;

	for (uint64_t n = k->job; !k->count || n < k->count; n += k->jobs) {
		k->playing[k->job] = k->first + n;
		bad += !seed_ok(k->first + n);
		if (k->count && bad >= BAD_MAX)
			break;
		report(k, ++done, began);
	}
	k->playing[k->job] = 0;
	return !bad;
}

/* What a sanitizer ends, or a signal, can't say itself which seed it was. */
static void tell_crashes(const struct work *k)
{
	for (unsigned i = 0; i < k->jobs; i++)
		if (k->playing[i])
			printf("# seed %llu: the stack crashed\n# replay: make sim SEED=%llu\n",
			       (unsigned long long)k->playing[i],
			       (unsigned long long)k->playing[i]);
}

static bool do_all(struct work *k)
{
	bool ok = true;
	int status;

	k->playing = mmap(NULL, k->jobs * sizeof(*k->playing), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k->playing == MAP_FAILED)
		return false;
	for (k->job = 0; k->job < k->jobs; k->job++) {
		pid_t pid = fork();

		if (pid < 0)
			ok = false;
		if (pid == 0) {
			ok = do_share(k);
			printf("# job %u: the slowest took %u %% of its time\n", k->job, slowest);
			fflush(stdout);
			_exit(!ok);
		}
	}
	while (wait(&status) > 0)
		ok = ok && WIFEXITED(status) && !WEXITSTATUS(status);
	tell_crashes(k);
	return ok;
}

static int replay(uint64_t seed)
{
	struct verdict_of_run v;

	setenv("SIM_TRACE", "100000", 0);
	play_once(seed, &v);
	v.ok = seed_ok(seed);
	printf("%sok 1 seed %llu, %lld ms\n1..1\n", v.ok ? "" : "not ", (unsigned long long)seed,
	       (long long)(v.took_ns / MS));
	return !v.ok;
}

int main(int argc, char **argv)
{
	const char *wish = getenv("GLASS_SIM_SEEDS");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned nkept = sizeof(kept) / sizeof(kept[0]);
	struct work k = { .first = 1,
			  .count = wish ? strtoull(wish, NULL, 10) : SEEDS,
			  .jobs = cores > 0 && cores < JOBS_MAX ? (unsigned)cores : 1 };
	bool ok;
	int opt;

	while ((opt = getopt(argc, argv, "n:f:j:s:S")) != -1) {
		uint64_t v = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (opt == 's')
			return replay(v);
		if (opt == 'n')
			k.count = v;
		else if (opt == 'f')
			k.first = v;
		else if (opt == 'j' && v && v <= JOBS_MAX)
			k.jobs = (unsigned)v;
		else if (opt == 'S')
			k.count = 0;
		else
			return 2;
	}
	ok = do_all(&k);
	for (unsigned i = 0; i < nkept; i++)
		ok &= seed_ok(kept[i]);
	printf("%sok 1 seeds %llu to %llu\n1..1\n", ok ? "" : "not ", (unsigned long long)k.first,
	       (unsigned long long)(k.first + k.count - 1));
	return !ok;
}
