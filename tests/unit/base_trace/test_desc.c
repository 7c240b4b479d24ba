/* SPDX-License-Identifier: MIT */
/*
 * The tables: every {field} of a text is declared, every field that is declared is shown, and
 * everything has its words. What a reason or an event means must not be left to guessing.
 */
#include "unit.h"

#include <ctype.h>

static bool shows(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{'))
		if (!strncmp(at + 1, name, n) && at[n + 1] == '}')
			return true;
	return false;
}

static bool declared(const struct glass_field *field, unsigned n, const char *at)
{
	size_t length = strcspn(at, "}");

	for (unsigned i = 0; i < n && field[i].name; i++)
		if (strlen(field[i].name) == length && !strncmp(field[i].name, at, length))
			return true;
	return false;
}

static void check_text(const char *owner, const char *text, const struct glass_field *field,
		       unsigned n)
{
	for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{'))
		if (!declared(field, n, at + 1))
			fail_msg("%s: %s names no field", owner, at);
	for (unsigned i = 0; i < n && field[i].name; i++) {
		assert_int_not_equal(field[i].kind, GLASS_KIND_NONE);
		if (!shows(text, field[i].name))
			fail_msg("%s: field %s is not shown", owner, field[i].name);
	}
}

/* The record's own members, which JSON writes beside the values. */
static void check_names(const char *owner, const struct glass_field *field, unsigned n)
{
	static const char *const taken[] = { "time_ns", "event", "room", "conn",
					     "pkt",	"cause", "text" };

	for (unsigned i = 0; i < n && field[i].name; i++) {
		for (unsigned k = 0; k < sizeof(taken) / sizeof(taken[0]); k++)
			if (!strcmp(field[i].name, taken[k]))
				fail_msg("%s: field %s is a member of every record", owner,
					 taken[k]);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(field[i].name, field[k].name);
	}
}

static bool is_sentence(const char *s)
{
	return strlen(s) > 10 && isupper((unsigned char)s[0]) && s[strlen(s) - 1] == '.';
}

static void test_events(void **state)
{
	const struct glass_event_desc *d;

	(void)state;
	for (unsigned i = 0; (d = glass_event_desc(i)); i++) {
		/* A drop's values are shown by the reason's own text. */
		if (i != GLASS_EV_DROP)
			check_text(d->name, d->text, d->field, GLASS_TRACE_VALUES);
		check_names(d->name, d->field, GLASS_TRACE_VALUES);
		if (!is_sentence(d->doc))
			fail_msg("%s: '%s' is no sentence", d->name, d->doc);
		for (const char *c = d->name; *c; c++)
			assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
				    *c == '_');
	}
	assert_null(glass_event_desc(GLASS_EV_COUNT));
	assert_null(glass_event_desc(UINT32_MAX));
}

static void test_drops(void **state)
{
	const struct glass_drop_desc *d;

	(void)state;
	assert_null(glass_drop_desc(0));
	assert_null(glass_drop_desc(DROP_COUNT));
	assert_null(glass_drop_desc(UINT32_MAX));
	for (unsigned i = 1; i < DROP_COUNT; i++) {
		d = glass_drop_desc(i);
		assert_non_null(d);
		check_text(d->name, d->text, d->field, 2);
		check_names(d->name, d->field, 2);
		assert_string_not_equal(d->text, "");
		if (!*d->advice)
			fail_msg("%s: no advice", d->name);
		assert_non_null(d->source);
	}
	assert_string_equal(glass_drop_desc(DROP_IP_BAD_CSUM)->name, "IP_BAD_CSUM");
	assert_string_equal(glass_drop_desc(DROP_BLACKHOLE)->name, "BLACKHOLE");
}

static void test_names_are_unique(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GLASS_EV_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(glass_event_desc(i)->name,
						glass_event_desc(k)->name);
	for (unsigned i = 1; i < DROP_COUNT; i++)
		for (unsigned k = 1; k < i; k++)
			assert_string_not_equal(glass_drop_desc(i)->name, glass_drop_desc(k)->name);
}

static void test_states(void **state)
{
	(void)state;
	assert_string_equal(glass_tcp_state_name(0), "CLOSED");
	assert_string_equal(glass_tcp_state_name(4), "ESTABLISHED");
	assert_string_equal(glass_tcp_state_name(10), "TIME-WAIT");
	assert_string_equal(glass_tcp_state_name(11), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_drops),
		cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
