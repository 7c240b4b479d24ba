/* SPDX-License-Identifier: MIT */
/*
 * A line from the terminal, edited with the keys that readline has: arrows, Home, End, Ctrl-A E B F
 * D K U W L T, history by the arrows or Ctrl-P N, Tab for the first word. Without a terminal, or on
 * one that is dumb, lines are read as they come.
 *
 * In: cmd_step.c.	Out: the terminal, which is as it was whenever nobody types.
 */
#include "step.h"

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_BYTES 1024
#define HISTORY_MAX 64
#define CONTROL(letter) ((letter)&0x1f)

enum key { KEY_NONE = 256, KEY_LEFT, KEY_RIGHT, KEY_UP, KEY_DOWN, KEY_HOME, KEY_END, KEY_DELETE };

static struct {
	char text[LINE_BYTES];
	size_t n, at;
	char history[HISTORY_MAX][LINE_BYTES];
	unsigned lines, looking; /* looking: at that line of the history; lines: at the new one */
	const char *prompt;
	const char *(*word)(unsigned i);
} ed;

/* ---- keys ---- */

static int byte(void)
{
	unsigned char c;

	return read(STDIN_FILENO, &c, 1) == 1 ? c : -1;
}

/* What follows ESC: "[A", "OA", "[3~". */
static int escape(void)
{
	static const struct {
		char byte;
		enum key key;
	} keys[] = { { 'A', KEY_UP },	{ 'B', KEY_DOWN }, { 'C', KEY_RIGHT }, { 'D', KEY_LEFT },
		     { 'H', KEY_HOME }, { 'F', KEY_END },  { '1', KEY_HOME },  { '4', KEY_END },
		     { '7', KEY_HOME }, { '8', KEY_END },  { '3', KEY_DELETE } };
	int c = byte();

	if (c != '[' && c != 'O')
		return c < 0 ? -1 : KEY_NONE;
	c = byte();
	for (unsigned i = 0; i < COUNT(keys); i++) {
		if (keys[i].byte != c)
			continue;
		while (c >= '0' && c <= '9')
			c = byte();
		return c < 0 ? -1 : (int)keys[i].key;
	}
	return c < 0 ? -1 : KEY_NONE;
}

static int key(void)
{
	static const struct {
		int byte;
		enum key key;
	} same[] = { { CONTROL('A'), KEY_HOME }, { CONTROL('E'), KEY_END },
		     { CONTROL('B'), KEY_LEFT }, { CONTROL('F'), KEY_RIGHT },
		     { CONTROL('P'), KEY_UP },	 { CONTROL('N'), KEY_DOWN } };
	int c = byte();

	for (unsigned i = 0; i < COUNT(same); i++)
		if (same[i].byte == c)
			return (int)same[i].key;
	return c == '\033' ? escape() : c;
}

/* ---- the line ---- */

static void show(void)
{
	size_t back = ed.n - ed.at;

	printf("\r\033[K%s%s", ed.prompt, ed.text);
	if (back)
		printf("\033[%zuD", back);
	fflush(stdout);
}

static void cut(size_t from, size_t to)
{
	memmove(ed.text + from, ed.text + to, ed.n - to + 1);
	ed.n -= to - from;
	ed.at = from;
}

static void insert(char c)
{
	if (ed.n + 1 >= LINE_BYTES)
		return;
	memmove(ed.text + ed.at + 1, ed.text + ed.at, ed.n - ed.at + 1);
	ed.text[ed.at++] = c;
	ed.n++;
}

static void set(const char *text)
{
	snprintf(ed.text, sizeof(ed.text), "%s", text);
	ed.n = ed.at = strlen(ed.text);
}

static size_t word_begin(void)
{
	size_t at = ed.at;

	while (at && ed.text[at - 1] == ' ')
		at--;
	while (at && ed.text[at - 1] != ' ')
		at--;
	return at;
}

static void look(int by)
{
	if ((by < 0 && !ed.looking) || (by > 0 && ed.looking == ed.lines))
		return;
	ed.looking += (unsigned)by;
	set(ed.looking == ed.lines ? "" : ed.history[ed.looking % HISTORY_MAX]);
	if (ed.lines - ed.looking >= HISTORY_MAX) /* older ones are overwritten */
		ed.looking = ed.lines - HISTORY_MAX + 1;
}

/* The first word, when only one begins like it. */
static void complete(void)
{
	const char *found = NULL, *w;

	for (unsigned i = 0; (w = ed.word(i)); i++) {
		if (strncmp(w, ed.text, ed.n) != 0)
			continue;
		if (found)
			return;
		found = w;
	}
	if (found && ed.at == ed.n && !strchr(ed.text, ' ')) {
		set(found);
		insert(' ');
	}
}

static void edit(int k)
{
	switch (k) {
	case KEY_LEFT:
		ed.at -= ed.at > 0;
		break;
	case KEY_RIGHT:
		ed.at += ed.at < ed.n;
		break;
	case KEY_HOME:
		ed.at = 0;
		break;
	case KEY_END:
		ed.at = ed.n;
		break;
	case KEY_UP:
	case KEY_DOWN:
		look(k == KEY_UP ? -1 : 1);
		break;
	case CONTROL('D'):
	case KEY_DELETE:
		if (ed.at < ed.n)
			cut(ed.at, ed.at + 1);
		break;
	case CONTROL('H'):
	case 127:
		if (ed.at)
			cut(ed.at - 1, ed.at);
		break;
	case CONTROL('K'):
		cut(ed.at, ed.n);
		break;
	case CONTROL('U'):
		cut(0, ed.at);
		break;
	case CONTROL('W'):
		cut(word_begin(), ed.at);
		break;
	case CONTROL('L'):
		printf("\033[H\033[2J");
		break;
	case '\t':
		complete();
		break;
	default:
		if (k >= ' ' && k < 127)
			insert((char)k);
	}
}

static void remember(void)
{
	const char *last = ed.lines ? ed.history[(ed.lines - 1) % HISTORY_MAX] : "";

	if (ed.n && strcmp(last, ed.text) != 0)
		memcpy(ed.history[ed.lines++ % HISTORY_MAX], ed.text, ed.n + 1);
}

/* false: the end. */
static bool type_line(bool *interrupted)
{
	int k;

	set("");
	ed.looking = ed.lines;
	for (;;) {
		show();
		k = key();
		if (k < 0 || (k == CONTROL('D') && !ed.n))
			return false;
		if (k == CONTROL('C')) {
			*interrupted = true;
			set("");
			return true;
		}
		if (k == '\r' || k == '\n') {
			remember();
			return true;
		}
		edit(k);
	}
}

/* ---- the terminal ---- */

static struct termios as_it_was;

/* Ended by a signal while somebody types. */
static void give_back(int sig)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was);
	signal(sig, SIG_DFL);
	raise(sig);
}

static bool take(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &as_it_was))
		return false;
	signal(SIGTERM, give_back);
	signal(SIGHUP, give_back);
	raw = as_it_was;
	raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static const char *plain_line(const char *prompt)
{
	size_t n;

	if (isatty(STDIN_FILENO)) {
		fputs(prompt, stdout);
		fflush(stdout);
	}
	if (!fgets(ed.text, sizeof(ed.text), stdin))
		return NULL;
	n = strlen(ed.text);
	if (n && ed.text[n - 1] == '\n')
		ed.text[n - 1] = '\0';
	return ed.text;
}

const char *line_read(const char *prompt, const char *(*word)(unsigned i), bool *interrupted)
{
	const char *term = getenv("TERM");
	bool more;

	*interrupted = false;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || !strcmp(term, "dumb") ||
	    !take())
		return plain_line(prompt);
	ed.prompt = prompt;
	ed.word = word;
	more = type_line(interrupted);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &as_it_was);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	putchar('\n');
	return more ? ed.text : NULL;
}
