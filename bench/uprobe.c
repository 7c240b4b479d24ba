/* SPDX-License-Identifier: MIT */
/* Calls an empty function many times, and prints "ns N", the median of ten loops: bench/trace.py. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOPS 10
#define CALLS 50000

int probed(int x);

__attribute__((noinline, noclone)) int probed(int x)
{
	__asm__ volatile("");
	return x + 1;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	double loop[LOOPS];
	int sum = 0;

	for (int i = 0; i < LOOPS; i++) {
		double begin = now_ns();

		for (int n = 0; n < CALLS; n++)
			sum += probed(n);
		loop[i] = (now_ns() - begin) / CALLS;
	}
	qsort(loop, LOOPS, sizeof(*loop), by_size);
	printf("ns %.1f\n", loop[LOOPS / 2]);
	return !sum;
}
