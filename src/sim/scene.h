/* SPDX-License-Identifier: MIT */
/*
 * Scenes to look at: a client on 10.0.0.4, a server on 10.0.0.5, and a wire with a plan, in virtual
 * time. The same scene (and seed) is the same to the last record of the trace.
 */
#ifndef GLASS_SCENE_H
#define GLASS_SCENE_H

#include <glass/glass.h>

struct scene;

/* Name and one line about scene i; NULL past the end. */
const char *scene_name(unsigned i);
const char *scene_about(unsigned i);

/*
 * By name, or (name NULL) with a network and an amount of data that follow from the seed. NULL:
 * there is no such scene, or no memory.
 */
struct scene *scene_new(const char *name, uint64_t seed);
void scene_free(struct scene *s);
/*
 * Time goes on to the next moment at which something happens, or by so many ns if nothing does.
 * false: nothing happens any more.
 */
bool scene_event(struct scene *s, int64_t within_ns);
int64_t scene_now(const struct scene *s);
/* Side 0 is the client. */
struct glass *scene_stack(struct scene *s, unsigned side);
const void *scene_ring(const struct scene *s, unsigned side, size_t *bytes);
/* The wire, in the words of "glass net". */
void scene_words(const struct scene *s, char *out, size_t size);

#endif
