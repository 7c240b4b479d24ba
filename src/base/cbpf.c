/* SPDX-License-Identifier: MIT */
/*
 * Checks and runs classic BPF: see cbpf.h. A load from beyond the packet's end, and a division by
 * zero, end the program with 0: the packet does not pass.
 *
 * In: impair.c; src/daemon/net_attached.c checks what came from outside.  Out: nobody.
 */
#include "cbpf.h"

#include <assert.h>

/* The parts of a code. */
#define CLASS(code) ((code)&0x07)
#define SIZE(code) ((code)&0x18)
#define MODE(code) ((code)&0xe0)
#define OP(code) ((code)&0xf0)
#define SOURCE_X 0x08 /* the operand is X, not k */

enum { LD, LDX, ST, STX, ALU, JMP, RET, MISC };
enum { WORD_SIZE = 0x00, HALF = 0x08, BYTE = 0x10 };
enum { IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, LEN = 0x80, MSH = 0xa0 };
enum { ADD = 0x00, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50 };
enum { LSH = 0x60, RSH = 0x70, NEG = 0x80, MOD = 0x90, XOR = 0xa0 };
enum { JA = 0x00, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40 };
enum { RET_K = 0x00, RET_X = 0x08, RET_A = 0x10 };
enum { TAX = 0x00, TXA = 0x80 };

/* ---- checking ---- */

static bool load_valid(const struct cbpf_insn *i)
{
	switch (MODE(i->code)) {
	case IMM:
	case LEN:
		return SIZE(i->code) == WORD_SIZE;
	case MEM:
		return SIZE(i->code) == WORD_SIZE && i->k < CBPF_MEMORY_WORDS;
	case ABS:
	case IND:
		return CLASS(i->code) == LD && SIZE(i->code) <= BYTE;
	case MSH:
		return CLASS(i->code) == LDX && SIZE(i->code) == BYTE;
	default:
		return false;
	}
}

static bool alu_valid(const struct cbpf_insn *i)
{
	bool by_k = !(i->code & SOURCE_X);

	switch (OP(i->code)) {
	case DIV:
	case MOD:
		return !by_k || i->k;
	case LSH:
	case RSH:
		return !by_k || i->k < 32;
	case NEG:
		return by_k;
	default:
		return OP(i->code) <= XOR;
	}
}

/* left: instructions behind this one. */
static bool jump_valid(const struct cbpf_insn *i, size_t left)
{
	if (OP(i->code) == JA)
		return !(i->code & SOURCE_X) && i->k < left;
	return OP(i->code) <= JSET && i->jt < left && i->jf < left;
}

static bool insn_valid(const struct cbpf_insn *i, size_t left)
{
	if (i->code > 0xff)
		return false;
	switch (CLASS(i->code)) {
	case LD:
	case LDX:
		return load_valid(i);
	case ST:
	case STX:
		return i->code == CLASS(i->code) && i->k < CBPF_MEMORY_WORDS;
	case ALU:
		return alu_valid(i);
	case JMP:
		return jump_valid(i, left);
	case RET:
		return i->code == (RET | RET_K) || i->code == (RET | RET_A);
	default: /* MISC */
		return i->code == (MISC | TAX) || i->code == (MISC | TXA);
	}
}

bool cbpf_valid(const struct cbpf_insn *insn, size_t n)
{
	if (!n || n > CBPF_INSNS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!insn_valid(&insn[i], n - 1 - i))
			return false;
	return CLASS(insn[n - 1].code) == RET;
}

/* ---- running ---- */

struct machine {
	const uint8_t *bytes;
	size_t length;
	uint32_t a, x, memory[CBPF_MEMORY_WORDS];
};

/* Big-endian, of one, two or four bytes at that place. false: they are not all there. */
static bool load(const struct machine *m, uint64_t at, unsigned size, uint32_t *out)
{
	unsigned n = size == WORD_SIZE ? 4 : size == HALF ? 2 : 1;

	if (at + n > m->length)
		return false;
	*out = 0;
	for (unsigned i = 0; i < n; i++)
		*out = *out << 8 | m->bytes[at + i];
	return true;
}

/* What LD and LDX load. false: it is not there. */
static bool operand(const struct machine *m, const struct cbpf_insn *i, uint32_t *out)
{
	switch (MODE(i->code)) {
	case ABS:
		return load(m, i->k, SIZE(i->code), out);
	case IND:
		return load(m, (uint64_t)i->k + m->x, SIZE(i->code), out);
	case MSH: /* the length of an IPv4 header */
		if (!load(m, i->k, BYTE, out))
			return false;
		*out = (*out & 15) * 4;
		return true;
	case MEM:
		*out = m->memory[i->k];
		return true;
	case LEN:
		*out = (uint32_t)m->length;
		return true;
	default: /* IMM */
		*out = i->k;
		return true;
	}
}

/* false: divided by zero. */
static bool calculate(struct machine *m, const struct cbpf_insn *i)
{
	uint32_t by = i->code & SOURCE_X ? m->x : i->k, op = OP(i->code);

	if ((op == DIV || op == MOD) && !by)
		return false;
	switch (op) {
	case ADD:
		m->a += by;
		break;
	case SUB:
		m->a -= by;
		break;
	case MUL:
		m->a *= by;
		break;
	case DIV:
		m->a /= by;
		break;
	case MOD:
		m->a %= by;
		break;
	case OR:
		m->a |= by;
		break;
	case AND:
		m->a &= by;
		break;
	case XOR:
		m->a ^= by;
		break;
	case LSH:
		m->a = by < 32 ? m->a << by : 0;
		break;
	case RSH:
		m->a = by < 32 ? m->a >> by : 0;
		break;
	default: /* NEG */
		m->a = 0u - m->a;
	}
	return true;
}

/* How many instructions to leave out. */
static size_t jump(const struct machine *m, const struct cbpf_insn *i)
{
	uint32_t with = i->code & SOURCE_X ? m->x : i->k;

	switch (OP(i->code)) {
	case JEQ:
		return m->a == with ? i->jt : i->jf;
	case JGT:
		return m->a > with ? i->jt : i->jf;
	case JGE:
		return m->a >= with ? i->jt : i->jf;
	case JSET:
		return m->a & with ? i->jt : i->jf;
	default: /* JA */
		return i->k;
	}
}

/* Everything but jumps and ends. false: the program ends with 0. */
static bool step(struct machine *m, const struct cbpf_insn *i)
{
	switch (CLASS(i->code)) {
	case LD:
		return operand(m, i, &m->a);
	case LDX:
		return operand(m, i, &m->x);
	case ST:
		m->memory[i->k] = m->a;
		return true;
	case STX:
		m->memory[i->k] = m->x;
		return true;
	case ALU:
		return calculate(m, i);
	default: /* MISC */
		*(i->code == (MISC | TAX) ? &m->x : &m->a) = i->code == (MISC | TAX) ? m->a : m->x;
		return true;
	}
}

uint32_t cbpf_run(const struct cbpf_insn *insn, const uint8_t *bytes, size_t length)
{
	struct machine m = { .bytes = bytes, .length = length };

	for (const struct cbpf_insn *i = insn;; i++) {
		if (CLASS(i->code) == RET)
			return i->code == (RET | RET_A) ? m.a : i->k;
		if (CLASS(i->code) == JMP)
			i += jump(&m, i);
		else if (!step(&m, i))
			return 0;
		assert(i - insn < CBPF_INSNS_MAX);
	}
}
