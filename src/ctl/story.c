/* SPDX-License-Identifier: MIT */
/* From records to steps and from steps to connections: see story.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "story.h"

#define SAME_STEP_NS (2 * NS_PER_MS) /* an act that goes on later than that is a new step */
#define READ_MAX (1u << 24)	     /* records in one go */

/* ---- opening ---- */

int story_over(struct story *s, const void *ring, size_t bytes, const char *what)
{
	if (glass_reader_open(&s->reader, ring, bytes))
		return failed("%s: that is no flight recorder of this version", what);
	s->older = s->reader.next;
	s->reader.dev_name = s->dev_names;
	s->reader.dev_count = DEV_NAMES;
	return 0;
}

static int map_ring(struct story *s, int fd, const char *what)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size <= 0)
		return failed("%s: empty", what);
	s->map_bytes = (size_t)st.st_size;
	s->map = mmap(NULL, s->map_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return failed("%s: mmap: %s", what, strerror(errno));
	}
	return story_over(s, s->map, s->map_bytes, what);
}

static int open_daemon(struct story *s)
{
	const char *const *names;
	struct reply rep;
	int err = client_open();
	unsigned count;

	if (err)
		return err;
	err = client_call(ABI_TRACE, NULL, NULL, -1, &rep);
	if (err || rep.fd < 0)
		return client_failed("trace", err ? err : -EPROTO, &rep);
	err = map_ring(s, rep.fd, "trace");
	close(rep.fd);
	names = device_names(&count);
	for (unsigned i = 0; i < count && i < DEV_NAMES; i++)
		s->dev_names[i] = names[i];
	return err;
}

int story_open(struct story *s, const char *path)
{
	int fd, err;

	*s = (struct story){ 0 };
	if (!path)
		return open_daemon(s);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failed("%s: %s", path, strerror(errno));
	err = map_ring(s, fd, path);
	close(fd);
	return err;
}

bool story_renew(struct story *s)
{
	int64_t start_ns = s->reader.start_ns;
	uint64_t next = s->reader.next;

	story_close(s);
	if (open_daemon(s))
		return false;
	if (s->reader.start_ns != start_ns) {
		story_close(s);
		return false;
	}
	if (next > s->reader.ring->head) /* its numbers begin anew */
		return true;
	story_read_until(s, next);
	story_forget(s);
	return true;
}

int story_save(const struct story *s, const char *path)
{
	FILE *f = fopen(path, "we");
	bool ok;

	if (!f)
		return failed("%s: %s", path, strerror(errno));
	ok = fwrite(s->reader.ring, 1, s->reader.bytes, f) == s->reader.bytes;
	if (fclose(f) || !ok)
		return failed("%s: %s", path, strerror(errno));
	return 0;
}

void story_close(struct story *s)
{
	if (s->map)
		munmap(s->map, s->map_bytes);
	free(s->rec);
	free(s->next);
	free(s->step);
	free(s->act);
	free(s->conn);
	map_free(&s->act_of);
	map_free(&s->conn_of);
	map_free(&s->waits);
	*s = (struct story){ 0 };
}

/* ---- growing arrays ---- */

static void *more(void *array, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 1024;
	array = realloc(array, *cap * size);
	if (!array) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
	return array;
}

static struct act *act_get(struct story *s, uint32_t number)
{
	uint32_t i = map_get(&s->act_of, number);

	if (i)
		return &s->act[i - 1];
	s->act = more(s->act, s->nact, &s->act_cap, sizeof(*s->act));
	s->act[s->nact] = (struct act){ .last_step = NONE };
	map_set(&s->act_of, number, ++s->nact);
	return &s->act[s->nact - 1];
}

const struct act *story_act(const struct story *s, uint32_t number)
{
	uint32_t i = map_get(&s->act_of, number);

	return i ? &s->act[i - 1] : NULL;
}

struct conn_story *story_conn(struct story *s, uint32_t id)
{
	uint32_t i = map_get(&s->conn_of, id + 1);

	return i ? &s->conn[i - 1] : NULL;
}

static struct conn_story *conn_get(struct story *s, uint32_t id, int64_t ns)
{
	struct conn_story *c = story_conn(s, id);

	if (c)
		return c;
	s->conn = more(s->conn, s->nconn, &s->conn_cap, sizeof(*s->conn));
	c = &s->conn[s->nconn++];
	*c = (struct conn_story){ .id = id, .first_step = NONE, .last_step = NONE, .begin_ns = ns };
	map_set(&s->conn_of, id + 1, s->nconn);
	return c;
}

/* ---- records to steps ---- */

/* How well a record tells what its act is; 0: not at all. */
static int title_rank(unsigned event)
{
	switch (event) {
	case EV_CALL:
	case EV_TIMER_FIRED:
		return 9;
	case EV_TCP_OUT:
	case EV_TCP_IN:
	case EV_ARP_IN:
	case EV_ARP_OUT:
	case EV_UDP_IN:
	case EV_UDP_OUT:
	case EV_ICMP_IN:
	case EV_ICMP_OUT:
		return 8;
	case EV_IP_IN:
	case EV_IP_OUT:
		return 3;
	case EV_RX:
	case EV_TX:
		return 1;
	default:
		return 0;
	}
}

/* These speak of an earlier packet, but they are the doing of the act that goes on. */
static bool speaks_of_another(unsigned event)
{
	return event == EV_TCP_LOST || event == EV_TCP_SACKED;
}

static uint32_t act_number(const struct glass_record *r)
{
	if (!r->pkt || (speaks_of_another(r->event) && r->cause))
		return r->cause;
	return r->pkt;
}

static bool same_step(const struct step *t, const struct glass_record *r, uint32_t cause)
{
	if (r->conn && t->conn && r->conn != t->conn)
		return false;
	if (between(t->end_ns, r->time_ns) > SAME_STEP_NS)
		return false;
	/* A frame leaves, or gets lost, when the device's owner pulls it: no act is going on then.
	 */
	return r->event == EV_TX || r->event == EV_DROP || t->cause == cause;
}

static uint32_t step_begin(struct story *s, const struct glass_record *r, uint32_t act,
			   uint32_t cause)
{
	s->step = more(s->step, s->nstep, &s->step_cap, sizeof(*s->step));
	s->step[s->nstep] = (struct step){ .act = act,
					   .cause = cause,
					   .first = NONE,
					   .last = NONE,
					   .next_of_conn = NONE,
					   .begin_ns = r->time_ns };
	return s->nstep++;
}

static void step_append(struct story *s, struct step *t, uint32_t rec)
{
	if (t->first == NONE)
		t->first = rec;
	else
		s->next[t->last] = rec;
	t->last = rec;
	t->end_ns = s->rec[rec].time_ns;
	if (!t->conn)
		t->conn = s->rec[rec].conn;
}

static void learn_act(struct act *a, const struct glass_record *r, uint32_t cause)
{
	if (!a->conn)
		a->conn = r->conn;
	if (!a->cause)
		a->cause = cause;
	a->received = a->received || r->event == EV_RX;
	packet_learn(&a->packet, r);
	if (title_rank(r->event) > (a->has_title ? title_rank(a->title.event) : 0)) {
		a->title = *r;
		a->has_title = true;
	}
}

static void learn_conn(struct story *s, const struct glass_record *r)
{
	struct conn_story *c = conn_get(s, r->conn, r->time_ns);

	if (r->event != EV_TCP_OPEN)
		return;
	c->opened = true;
	c->local = r->v[0];
	c->remote = r->v[1];
	c->how = r->v[2];
}

/* The ring tells the names of its devices, unless that was too long ago. */
static void learn_device(struct story *s, const struct glass_record *r)
{
	char a[40], b[40];

	if (r->v[0] >= DEV_NAMES)
		return;
	kind_text(s, GLASS_KIND_CHARS, r->v[1], a, sizeof(a));
	kind_text(s, GLASS_KIND_CHARS, r->v[2], b, sizeof(b));
	snprintf(s->dev_name[r->v[0]], sizeof(s->dev_name[0]), "%.8s%.8s", a, b);
	s->dev_names[r->v[0]] = s->dev_name[r->v[0]];
}

static uint32_t keep_record(struct story *s, const struct glass_record *r)
{
	s->next = more(s->next, s->nrec, &s->next_cap, sizeof(*s->next));
	s->rec = more(s->rec, s->nrec, &s->rec_cap, sizeof(*s->rec));
	s->rec[s->nrec] = *r;
	s->next[s->nrec] = NONE;
	return s->nrec++;
}

static void add_record(struct story *s, const struct glass_record *r)
{
	uint32_t number = act_number(r), cause = r->pkt && r->cause != number ? r->cause : 0, rec,
		 step;
	struct act *a;

	rec = keep_record(s, r);
	if (r->conn)
		learn_conn(s, r);
	if (r->event == EV_DEV_NEW)
		learn_device(s, r);
	if (r->event == EV_TX && !cause)
		cause = (uint32_t)r->v[3];
	a = number ? act_get(s, number) : NULL;
	if (a)
		learn_act(a, r, cause);
	if (!a || a->last_step == NONE || !same_step(&s->step[a->last_step], r, cause))
		step = step_begin(s, r, number, cause);
	else
		step = a->last_step;
	if (a)
		a->last_step = step;
	step_append(s, &s->step[step], rec);
}

/* ---- steps to connections ---- */

/* The neighbour that a record is about; 0: none. */
static uint32_t neighbour_of(const struct glass_record *r)
{
	if (r->event == EV_NEIGH_QUEUE || r->event == EV_NEIGH_STATE)
		return (uint32_t)r->v[0];
	if (r->event == EV_ARP_OUT || r->event == EV_ARP_IN)
		return (uint32_t)r->v[1];
	return 0;
}

static const char *const settled[] = { "REACHABLE", "FAILED" };

static bool is_settled(uint64_t state)
{
	char text[32];

	glass_value_text(NULL, GLASS_KIND_NEIGH, state, text, sizeof(text));
	return !strcmp(text, settled[0]) || !strcmp(text, settled[1]);
}

/* A step about a neighbour belongs to whoever waits for it, until its fate is known. */
static void follow_neighbour(struct story *s, struct step *t)
{
	uint32_t addr, conn;

	FOR_STEP(s, t, r)
	{
		addr = neighbour_of(&s->rec[r]);
		if (!addr)
			continue;
		if (s->rec[r].event == EV_NEIGH_QUEUE && t->conn)
			map_set(&s->waits, addr, t->conn);
		conn = map_get(&s->waits, addr);
		if (!t->conn)
			t->conn = conn;
		if (s->rec[r].event == EV_NEIGH_STATE && is_settled(s->rec[r].v[2]))
			map_set(&s->waits, addr, 0);
	}
}

static void inherit(struct story *s, struct step *t)
{
	const struct act *cause = story_act(s, t->cause), *self = story_act(s, t->act);

	if (!t->conn && self)
		t->conn = self->conn;
	if (!t->conn && cause)
		t->conn = cause->conn;
}

static void resolve(struct story *s, uint32_t from)
{
	struct act *a;

	for (uint32_t i = from; i < s->nstep; i++) {
		inherit(s, &s->step[i]);
		follow_neighbour(s, &s->step[i]);
		if (s->step[i].act && s->step[i].conn && !(a = act_get(s, s->step[i].act))->conn)
			a->conn = s->step[i].conn;
	}
	/* A timer without connection belongs to that of what it caused. */
	for (uint32_t i = s->nstep; i-- > from;)
		if (s->step[i].conn && s->step[i].cause &&
		    !(a = act_get(s, s->step[i].cause))->conn)
			a->conn = s->step[i].conn;
	for (uint32_t i = from; i < s->nstep; i++)
		inherit(s, &s->step[i]);
}

uint32_t story_read(struct story *s)
{
	return story_read_until(s, UINT64_MAX);
}

uint32_t story_read_until(struct story *s, uint64_t end)
{
	uint32_t from = s->nstep, n = 0;
	struct glass_record r;

	while (n < READ_MAX && s->reader.next < end && glass_reader_next(&s->reader, &r)) {
		r.conn = r.conn == NONE ? 0 : r.conn; /* no stack counts that far */
		add_record(s, &r);
		n++;
	}
	resolve(s, from);
	return n;
}

void story_forget(struct story *s)
{
	for (uint32_t i = 0; i < s->nact; i++)
		s->act[i].last_step = NONE;
	s->nrec = s->nstep = 0;
	if (s->nact < 1u << 20)
		return;
	s->nact = 0; /* whoever follows for hours does not need the acts of the morning */
	map_free(&s->act_of);
}

void story_group(struct story *s)
{
	struct conn_story *c;
	struct step *t;

	conn_get(s, 0, s->reader.start_ns);
	for (uint32_t i = 0; i < s->nstep; i++) {
		t = &s->step[i];
		c = conn_get(s, t->conn, t->begin_ns);
		if (c->first_step == NONE) {
			c->first_step = i;
			c->begin_ns = c->id ? t->begin_ns : c->begin_ns;
		} else {
			s->step[c->last_step].next_of_conn = i;
		}
		c->last_step = i;
		c->steps++;
	}
}

const struct glass_record *step_find(const struct story *s, const struct step *t, unsigned event)
{
	FOR_STEP(s, t, r)
	if (s->rec[r].event == event)
		return &s->rec[r];
	return NULL;
}
