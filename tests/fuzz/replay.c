/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without libFuzzer: every file of the given folders, then mutations of them,
 * the same ones each time.
 *
 *	fuzz_frames [-n MUTATIONS] [-s SEED] [FILE|FOLDER...]
 *
 * A mutation that kills the program was written to the file fuzz-crash before it was tried.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/base/rng.h"

#include "fuzz.h"

#define INPUT_MAX 4096
#define INPUTS_MAX 4096

struct sample {
	uint8_t *bytes;
	size_t size;
};

static struct sample corpus[INPUTS_MAX];
static unsigned corpus_count;

static void load_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct sample s = { malloc(INPUT_MAX), 0 };

	if (!f || !s.bytes || corpus_count == INPUTS_MAX) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	s.size = fread(s.bytes, 1, INPUT_MAX, f);
	fclose(f);
	corpus[corpus_count++] = s;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load(const char *path)
{
	struct dirent **entry;
	struct stat st;
	char name[4096];
	int n;

	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		load_file(path);
		return;
	}
	n = scandir(path, &entry, NULL, by_name);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entry[i]->d_name);
		if (!stat(name, &st) && S_ISREG(st.st_mode))
			load_file(name);
		free(entry[i]);
	}
	free(entry);
}

/*
 * Something that happens to programs' inputs: a byte changed, some inserted, some taken out, an
 * end from elsewhere.
 */
static size_t mutate_once(struct rng *r, uint8_t *b, size_t n)
{
	size_t at = n ? rng_below(r, (uint32_t)n) : 0, len = 1 + rng_below(r, 16);
	const struct sample *other;

	switch (rng_below(r, 6)) {
	case 0:
		if (n)
			b[at] ^= (uint8_t)(1u << rng_below(r, 8));
		return n;
	case 1:
		if (n)
			b[at] = (uint8_t)rng_u64(r);
		return n;
	case 2: /* insert */
		if (n + len > INPUT_MAX)
			return n;
		memmove(b + at + len, b + at, n - at);
		for (size_t i = 0; i < len; i++)
			b[at + i] = (uint8_t)rng_u64(r);
		return n + len;
	case 3: /* take out */
		len = len < n - at ? len : n - at;
		memmove(b + at, b + at + len, n - at - len);
		return n - len;
	case 4: /* numbers that matter */
		for (size_t i = at; i < n && i < at + 4; i++)
			b[i] = rng_below(r, 2) ? 0xff : 0;
		return n;
	default: /* the end of another */
		if (!corpus_count)
			return n;
		other = &corpus[rng_below(r, corpus_count)];
		len = other->size < INPUT_MAX - at ? other->size : INPUT_MAX - at;
		if (len)
			memcpy(b + at, other->bytes + other->size - len, len);
		return at + len;
	}
}

static void try_mutation(struct rng *r, int keep)
{
	static uint8_t b[INPUT_MAX];
	const struct sample *s = corpus_count ? &corpus[rng_below(r, corpus_count)] : NULL;
	size_t n = s ? s->size : 0;
	uint8_t *exact;
	FILE *f;

	if (n)
		memcpy(b, s->bytes, n);
	for (uint32_t times = 1 + rng_below(r, 8); times; times--)
		n = mutate_once(r, b, n);
	if (keep && (f = fopen("fuzz-crash", "wb"))) {
		fwrite(b, 1, n, f);
		fclose(f);
	}
	exact = malloc(n ? n : 1); /* so that ASan sees a byte too far */
	memcpy(exact, b, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

int main(int argc, char **argv)
{
	unsigned long mutations = 0, seed = 1;
	int keep = !!getenv("FUZZ_KEEP");
	struct rng r;

	for (int i = 1; i < argc; i++) {
		if (i + 1 < argc && strcmp(argv[i], "-n") == 0)
			mutations = strtoul(argv[++i], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "-s") == 0)
			seed = strtoul(argv[++i], NULL, 10);
		else
			load(argv[i]);
	}
	for (unsigned i = 0; i < corpus_count; i++)
		LLVMFuzzerTestOneInput(corpus[i].bytes, corpus[i].size);
	rng_init(&r, (const uint64_t[2]){ seed, 0x66757a7a });
	for (unsigned long i = 0; i < mutations; i++)
		try_mutation(&r, keep);
	printf("%u inputs, %lu mutations\n", corpus_count, mutations);
	for (unsigned i = 0; i < corpus_count; i++)
		free(corpus[i].bytes);
	return 0;
}
