/* SPDX-License-Identifier: MIT */
/*
 * glass top on the whole terminal, with curses: the lines of top_lines.c, and keys as top(1) and
 * htop(1) have them. However it ends (q, an error, a signal, the daemon's end) the terminal is as
 * it was.
 *
 * In: cmd_top.c.	Out: top_sample.c, top_lines.c, curses.
 */
#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "top.h"

#define INTERVAL_MIN_NS (NS_PER_S / 10)
#define KEY_ESCAPE 27
#define ESCAPE_MS 25 /* after ESC, for the rest of a key's sequence */

static struct {
	struct top_view *view;
	struct top_sample now, before;
	bool has_before;
	struct top_lines lines;
	int64_t interval_ns;
	unsigned first; /* row at the top of the list */
	enum { LIST, DETAILS, HELP } page;
	char message[120];
	bool quit;
} scr;

static volatile sig_atomic_t ended_by;

static void end_by(int sig)
{
	ended_by = sig;
}

/* ---- samples ---- */

/*
 * What goes wrong is said when the terminal is back: until then it is kept, for stderr is a
 * variable in the GNU C library.
 */
static char *complaint;

static int sample(void)
{
	struct top_sample next;
	FILE *was = stderr;
	size_t size;
	int err;

	free(complaint);
	complaint = NULL;
	stderr = open_memstream(&complaint, &size);
	if (!stderr)
		stderr = was;
	err = top_sample(&next, scr.now.time_ns ? &scr.now : NULL);
	if (stderr != was)
		fclose(stderr);
	stderr = was;
	if (err) {
		top_sample_free(&next);
		return err;
	}
	top_sample_free(&scr.before);
	scr.has_before = scr.now.time_ns;
	scr.before = scr.now;
	scr.now = next;
	return 0;
}

/* ---- drawing ---- */

static const char *const help_text[] = {
	"q F10         quit",
	"Up Down PgUp PgDn Home End   choose a connection",
	"Enter         all about it; Enter or Esc: back",
	"< >           sort by the column to the left or to the right   (also Left, Right)",
	"r t u         sort by rate both ways, retransmissions, rtt",
	"R             the other way round",
	"/ F4          show only rows with this text; nothing, or Esc: all",
	"a             listening sockets and datagram sockets without a peer too",
	"p Space       stand still, go on",
	"d s           seconds between two looks",
	"h ? F1        this help",
	"",
	"Rates are in bit/s, rtt in ms; rtx: segments sent again. Red: something is lost or set.",
	"The words of a limiter: glass explain NAME. All of it without a terminal: glass top -b",
};

static void make_lines(void)
{
	if (scr.page == DETAILS)
		top_details(&scr.lines, &scr.now, scr.has_before ? &scr.before : NULL,
			    scr.view->selected, (unsigned)COLS);
	else
		top_lines(&scr.lines, scr.view, &scr.now, scr.has_before ? &scr.before : NULL);
}

static attr_t attribute(enum top_look look)
{
	switch (look) {
	case TOP_BOLD:
		return A_BOLD;
	case TOP_HEADING:
	case TOP_SELECTED:
		return A_REVERSE;
	case TOP_BAD:
		return has_colors() ? (attr_t)COLOR_PAIR(1) : A_BOLD;
	case TOP_PLAIN:
		break;
	}
	return A_NORMAL;
}

static void draw_line(int y, unsigned i)
{
	attrset(attribute(scr.lines.line[i].look));
	mvprintw(y, 0, "%-*.*s", COLS, COLS, scr.lines.line[i].text);
	attrset(A_NORMAL);
}

/* The row of the chosen connection, counted from the first; -1: it is not there. */
static int chosen_row(void)
{
	for (unsigned i = scr.lines.rows_at; i < scr.lines.n; i++)
		if (scr.lines.line[i].look == TOP_SELECTED)
			return (int)(i - scr.lines.rows_at);
	return -1;
}

static void draw_list(void)
{
	int room = LINES - (int)scr.lines.rows_at - 1, chosen = chosen_row();

	if (chosen >= 0 && chosen < (int)scr.first)
		scr.first = (unsigned)chosen;
	if (chosen >= 0 && room > 0 && chosen >= (int)scr.first + room)
		scr.first = (unsigned)(chosen - room + 1);
	if (scr.first >= scr.lines.n - scr.lines.rows_at)
		scr.first = 0;
	for (unsigned i = 0; i < scr.lines.rows_at && (int)i < LINES - 1; i++)
		draw_line((int)i, i);
	for (int y = 0; y < room && scr.lines.rows_at + scr.first + (unsigned)y < scr.lines.n; y++)
		draw_line((int)scr.lines.rows_at + y, scr.lines.rows_at + scr.first + (unsigned)y);
}

static void draw(void)
{
	make_lines();
	erase();
	if (scr.page == HELP)
		for (unsigned i = 0; i < COUNT(help_text) && (int)i < LINES - 1; i++)
			mvaddnstr((int)i, 0, help_text[i], COLS);
	else if (scr.page == DETAILS)
		for (unsigned i = 0; i < scr.lines.n && (int)i < LINES - 1; i++)
			draw_line((int)i, i);
	else
		draw_list();
	attrset(A_DIM);
	mvaddnstr(LINES - 1, 0,
		  *scr.message ? scr.message
			       : "q quit  h help  Enter details  < > sort  / filter  p pause",
		  COLS - 1);
	attrset(A_NORMAL);
	refresh();
}

/* ---- keys ---- */

/* A line from the bottom of the screen. */
static void ask(const char *question, char *answer, int size)
{
	timeout(-1);
	move(LINES - 1, 0);
	clrtoeol();
	addstr(question);
	echo();
	curs_set(1);
	if (getnstr(answer, size - 1) == ERR)
		*answer = '\0';
	noecho();
	curs_set(0);
}

static void ask_delay(void)
{
	char answer[32];
	int64_t ns;

	ask("seconds between two looks: ", answer, sizeof(answer));
	if (!*answer)
		return;
	if (parse_seconds(answer, &ns) && ns >= INTERVAL_MIN_NS)
		scr.interval_ns = ns;
	else
		snprintf(scr.message, sizeof(scr.message), "'%s' is no time of 0.1 seconds or more",
			 answer);
}

static void choose(int by)
{
	int n = (int)(scr.lines.n - scr.lines.rows_at), at = chosen_row();

	if (n <= 0)
		return;
	at = at < 0 ? (by < 0 ? n - 1 : 0) : at + by;
	at = at < 0 ? 0 : at >= n ? n - 1 : at;
	scr.view->selected = scr.lines.line[scr.lines.rows_at + (unsigned)at].conn;
	scr.view->selecting = true;
}

static void sort_by(const char *name)
{
	scr.view->sort = (unsigned)top_column(name);
	scr.view->reverse = false;
	snprintf(scr.message, sizeof(scr.message), "sorted by %s", name);
}

static void sort_beside(int by)
{
	unsigned n = 0;

	while (top_column_name(n))
		n++;
	sort_by(top_column_name((scr.view->sort + n + (unsigned)by) % n));
}

static void go_back(void)
{
	if (scr.page != LIST)
		scr.page = LIST;
	else if (*scr.view->filter)
		*scr.view->filter = '\0';
	else
		scr.view->selecting = false;
}

static void show_details(void)
{
	if (scr.page == LIST && chosen_row() < 0)
		choose(1);
	if (scr.page == LIST && scr.view->selecting && scr.view->selected)
		scr.page = DETAILS;
	else
		scr.page = LIST;
}

static bool move_key(int key)
{
	switch (key) {
	case KEY_UP:
		choose(-1);
		return true;
	case KEY_DOWN:
		choose(1);
		return true;
	case KEY_PPAGE:
		choose(2 - LINES);
		return true;
	case KEY_NPAGE:
		choose(LINES - 2);
		return true;
	case KEY_HOME:
		choose(-(int)scr.lines.n);
		return true;
	case KEY_END:
		choose((int)scr.lines.n);
		return true;
	default:
		return false;
	}
}

static bool sort_key(int key)
{
	switch (key) {
	case '<':
	case KEY_LEFT:
		sort_beside(-1);
		return true;
	case '>':
	case KEY_RIGHT:
		sort_beside(1);
		return true;
	case 'r':
		sort_by("rate");
		return true;
	case 't':
		sort_by("rtx");
		return true;
	case 'u':
		sort_by("rtt");
		return true;
	case 'R':
		scr.view->reverse = !scr.view->reverse;
		return true;
	default:
		return false;
	}
}

static void obey(int key)
{
	*scr.message = '\0';
	if (sort_key(key) || (scr.page == LIST && move_key(key)))
		return;
	switch (key) {
	case 'q':
	case 'Q':
	case KEY_F(10):
		scr.quit = true;
		break;
	case 'h':
	case '?':
	case KEY_F(1):
		scr.page = scr.page == HELP ? LIST : HELP;
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		show_details();
		break;
	case KEY_ESCAPE:
		go_back();
		break;
	case '/':
	case KEY_F(4):
		scr.page = LIST;
		ask("show rows with: ", scr.view->filter, sizeof(scr.view->filter));
		break;
	case 'a':
		scr.view->listening = !scr.view->listening;
		break;
	case 'p':
	case ' ':
		scr.view->paused = !scr.view->paused;
		break;
	case 'd':
	case 's':
		ask_delay();
		break;
	default: /* KEY_RESIZE: drawn anew anyway */
		break;
	}
}

/* ---- */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Keys until it is time for the next look. */
static void wait_and_obey(int64_t until_ns)
{
	int64_t left_ns;
	int key;

	do {
		left_ns = until_ns - now_ns();
		timeout(left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0);
		key = getch();
		if (key != ERR) {
			obey(key);
			draw();
		}
	} while (!scr.quit && !ended_by && now_ns() < until_ns);
}

static int look(int64_t looks)
{
	int err = 0;

	for (int64_t n = 0; !scr.quit && !ended_by && (!looks || n < looks); n++) {
		if (!scr.view->paused)
			err = sample();
		if (err)
			return err;
		draw();
		wait_and_obey(now_ns() + scr.interval_ns);
	}
	return 0;
}

static void catch_signals(void)
{
	const struct sigaction by = { .sa_handler = end_by };

	sigaction(SIGINT, &by, NULL);
	sigaction(SIGTERM, &by, NULL);
	sigaction(SIGHUP, &by, NULL);
	sigaction(SIGQUIT, &by, NULL);
}

static bool take_terminal(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !newterm(NULL, stdout, stdin))
		return false;
	catch_signals(); /* after curses, which has handlers of its own */
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	if (has_colors() && !getenv("NO_COLOR")) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_RED, -1);
	}
	return true;
}

static void give_back(void)
{
	if (stdscr && !isendwin())
		endwin();
}

int top_screen(struct top_view *v, int64_t interval_ns, int64_t looks)
{
	int err = client_open();

	if (err)
		return err;
	if (!take_terminal())
		return failed("top needs a terminal (stdin, stdout and TERM)\ntype: glass top -b");
	atexit(give_back);
	scr.view = v;
	scr.interval_ns = interval_ns > INTERVAL_MIN_NS ? interval_ns : INTERVAL_MIN_NS;
	err = look(looks);
	give_back();
	if (err && complaint)
		fputs(complaint, stderr);
	free(complaint);
	top_sample_free(&scr.before);
	top_sample_free(&scr.now);
	top_lines_free(&scr.lines);
	if (ended_by && ended_by != SIGINT) { /* which is as good as q */
		signal(ended_by, SIG_DFL);
		raise(ended_by);
	}
	return err;
}
