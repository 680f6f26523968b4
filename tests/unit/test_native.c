/* SPDX-License-Identifier: MIT */
/*
 * The emulator against this machine's processor: each instruction with random
 * operands runs natively, from a page of its own and with registers that a
 * signal handler puts in place, and in the emulator on a copy of the memory.
 * Registers, flags that the manuals define, vector registers, memory and
 * whether it faulted must be the same.
 */
#define _GNU_SOURCE /* REG_RAX and on */
#include "emulate/emulate.h"
#include "harness.h"
#include "native_forms.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#define AREA      0x10000000UL /* two pages of memory, nothing around them */
#define AREA_SIZE 8192UL
#define CODE      0x20000000UL
#define INSN_AT   (CODE + 1024) /* breakpoints before and after */
#define XMMS      (CODE + 2048) /* before, and after at + 256 */

struct regs {
	uint64_t gpr[16], rip, rflags;
	uint64_t xmm[16][2];
	uint16_t sel[4]; /* ES, CS, SS, DS */
	int signal;      /* that ended it: SIGTRAP if all is well */
	uint64_t trap, error;
};

static uint64_t seed = 88172645463325252;
static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* The processor. */

static const int order[] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static struct regs *native;
static greg_t saved[NGREG];

static void put_in(int sig, siginfo_t *info, void *uc)
{
	greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	memcpy(saved, g, sizeof(saved));
	for (unsigned int i = 0; i < 16; i++)
		g[order[i]] = (greg_t)native->gpr[i];
	g[REG_RIP] = (greg_t)native->rip;
	g[REG_EFL] = (greg_t)native->rflags;
}

static void take_out(int sig, siginfo_t *info, void *uc)
{
	greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;

	(void)info;
	for (unsigned int i = 0; i < 16; i++)
		native->gpr[i] = (uint64_t)g[order[i]];
	native->rip = (uint64_t)g[REG_RIP];
	native->rflags = (uint64_t)g[REG_EFL];
	native->signal = sig;
	native->trap = (uint64_t)g[REG_TRAPNO];
	native->error = (uint64_t)g[REG_ERR];
	native->sel[INSN_CS] = (uint16_t)g[REG_CSGSFS];
	native->sel[INSN_SS] = (uint16_t)(g[REG_CSGSFS] >> 48);
	__asm__ volatile("mov %%es, %0" : "=r"(native->sel[INSN_ES]));
	__asm__ volatile("mov %%ds, %0" : "=r"(native->sel[INSN_DS]));
	__asm__ volatile("mov %0, %%es; mov %0, %%ds" ::"r"(0));
	memcpy(g, saved, sizeof(saved));
}

static void setup(void)
{
	static const int ends[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction in = {.sa_sigaction = put_in,
			       .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction out = {.sa_sigaction = take_out,
				.sa_flags = SA_SIGINFO | SA_ONSTACK};
	int rw = PROT_READ | PROT_WRITE,
	    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &in, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++)
		sigaction(ends[i], &out, NULL);
	if (mmap((void *)AREA, AREA_SIZE, rw, flags, -1, 0) != (void *)AREA ||
	    mmap((void *)CODE, 4096, rw | PROT_EXEC, flags, -1, 0) !=
		    (void *)CODE) {
		perror("mmap");
		exit(1);
	}
	__asm__ volatile("mov %0, %%es; mov %0, %%ds" ::"r"(0));
	memset((void *)CODE, 0xcc, 2048);
}

/* movups [XMMS + at + 16 n], the register n or the other way. */
static unsigned char *move_all(unsigned char *p, uint8_t opcode, uint32_t at)
{
	for (uint32_t n = 0; n < 16; n++) {
		uint32_t addr = (uint32_t)XMMS + at + n * 16;

		if (n >= 8)
			*p++ = 0x44;
		*p++ = 0x0f;
		*p++ = opcode;
		*p++ = (uint8_t)((n & 7) << 3 | 4);
		*p++ = 0x25;
		memcpy(p, &addr, 4);
		p += 4;
	}
	return p;
}

static void run_native(struct regs *r, const uint8_t *insn, unsigned int n,
		       bool vectors)
{
	unsigned char *p = (unsigned char *)(vectors ? CODE : INSN_AT);

	if (vectors) {
		memcpy((void *)XMMS, r->xmm, sizeof(r->xmm));
		memcpy((void *)(XMMS + 256), r->xmm, sizeof(r->xmm));
		p = move_all(p, 0x10, 0);
	}
	r->rip = vectors ? CODE : (uintptr_t)p;
	memcpy(p, insn, n);
	p += n;
	if (vectors)
		p = move_all(p, 0x11, 256);
	*p = 0xcc;
	native = r;
	raise(SIGUSR1);
	if (vectors)
		memcpy(r->xmm, (void *)(XMMS + 256), sizeof(r->xmm));
	memset((void *)CODE, 0xcc, 2048);
}

/* The emulator. */

static uint8_t copy[AREA_SIZE];

static bool mem(uint64_t addr, unsigned int size, void *val, bool write)
{
	if (addr < AREA || addr - AREA > AREA_SIZE - size)
		return false;
	if (write)
		memcpy(copy + (addr - AREA), val, size);
	else
		memcpy(val, copy + (addr - AREA), size);
	return true;
}
#include "emulate_memory.h"
static uint64_t base_of(void *ctx, unsigned int seg)
{
	(void)ctx;
	(void)seg;
	return 0;
}

/* The kernel's descriptors, of which ring 3 has two or three. The others are
 * made as such that it may not have. */
static uint64_t gdt[16] = {
	[1] = 0x00cf9b000000ffff, [2] = 0x00af9b000000ffff,
	[3] = 0x00cf93000000ffff, [5] = 0x00cff3000000ffff,
	[6] = 0x00affb000000ffff,
};
static const uint16_t selectors[] = {0x33, 0x2b, 0x33, 0x2b, 0x33, 0x2b,
				     0x23, 0,    3,    0x10, 0x18, 0x13,
				     0x28, 0x30, 0x73, 0x83, 0x2f, 0xfffb};

/* 32-bit code, where this kernel has it. */
static void look_for_code32(void)
{
	unsigned long rights = 0;

	__asm__("lar %1, %0" : "+r"(rights) : "r"(0x23UL) : "cc");
	if (rights)
		gdt[4] = 0x00cffb000000ffff;
}

static void get_cpu(void *ctx, struct emu_cpu *c)
{
	(void)ctx;
	*c = (struct emu_cpu){.cr0 = 0x80050033, .efer = 0xd01, .cpl = 3};
}
static void get_seg(void *ctx, unsigned int seg, struct emu_segment *g)
{
	const struct regs *r = ctx;

	*g = (struct emu_segment){0};
	if (seg == EMU_GDTR)
		g->limit = sizeof(gdt) - 1;
	else if (seg <= INSN_DS)
		g->sel = r->sel[seg];
}
static void set_seg(void *ctx, unsigned int seg, const struct emu_segment *g)
{
	struct regs *r = ctx;

	CHECK(seg <= INSN_DS);
	r->sel[seg & 3] = g->sel;
}
static bool table(void *ctx, uint64_t addr, unsigned int size, bool write,
		  uint64_t *val)
{
	(void)ctx;
	CHECK(!write && addr + size <= sizeof(gdt));
	memcpy(val, (char *)gdt + addr, size);
	return true;
}
static void raised(void *ctx, unsigned int vec, bool has_error, uint32_t error)
{
	struct regs *r = ctx;

	r->trap = vec;
	r->error = has_error ? error : 0;
}
/* Ring 3 may use none of these: they are never asked. */
static enum emulate_result cr(void *ctx, unsigned int n, bool write,
			      uint64_t *val)
{
	(void)ctx;
	(void)val;
	CHECK(n > 8 && write);
	return EMULATE_UNKNOWN;
}
static enum emulate_result special(void *ctx, enum emu_special what)
{
	(void)ctx;
	CHECK(what == EMU_CPUID);
	return EMULATE_UNKNOWN;
}
static enum emulate_result port(void *ctx, const struct emu_io *io)
{
	(void)ctx;
	CHECK(!io->size);
	return EMULATE_UNKNOWN;
}
static const struct emu_system sys = {
	.cpu = get_cpu,
	.get_seg = get_seg,
	.set_seg = set_seg,
	.table = table,
	.raise = raised,
	.cr = cr,
	.special = special,
	.io = port,
};

static void vector(void *ctx, unsigned int reg, uint64_t v[4], bool write)
{
	struct regs *r = ctx;

	if (write)
		memcpy(r->xmm[reg], v, 16);
	else
		memcpy(v, r->xmm[reg], 16);
}

static enum emulate_result run_emulated(struct regs *r, const struct insn *i)
{
	struct emulator e = {
		.gpr = r->gpr,
		.rip = r->rip,
		.rflags = r->rflags,
		.seg_base = base_of,
		.read = mem_read,
		.write = mem_write,
		.vector = vector,
		.sys = &sys,
		.ctx = r,
	};
	enum emulate_result result;

	r->trap = 14; /* what a memory access that fails is */

	do {
		result = emulate(&e, i);
	} while (result == EMULATE_AGAIN);
	r->rip = e.rip;
	r->rflags = e.rflags;
	return result;
}

/* One of each. */

static unsigned int put_vex(uint8_t *p, const struct form *f, uint8_t rex)
{
	uint8_t pp = f->prefix == 0x66   ? 1
		     : f->prefix == 0xf3 ? 2
		     : f->prefix == 0xf2 ? 3
					 : 0;
	bool merges = f->opcode == 0x12 || f->opcode == 0x16;
	bool whole = f->opcode == 0x10 && !pp;
	uint8_t vvvv = merges ? random64() & 15 : 0;

	p[0] = 0xc4;
	p[1] = (uint8_t)((~rex & 7) << 5 | f->map);
	p[2] = (uint8_t)((~vvvv & 15) << 3 | pp);
	if (whole && random64() & 1)
		p[2] |= 4; /* the upper half is not looked at */
	p[3] = f->opcode;
	return 4;
}

/* [base + index * scale + disp32], as the registers then must be. */
static unsigned int put_operand(uint8_t *p, struct regs *r, uint8_t reg,
				uint8_t base, uint8_t index, uint8_t scale,
				uint64_t addr, bool small)
{
	uint64_t mask = small ? UINT32_MAX : UINT64_MAX, b;
	int32_t disp = (int32_t)random64() >> 8;
	unsigned int n = 0;

	b = addr - (uint64_t)(int64_t)disp;
	if (index != 4) {
		r->gpr[index] = random64() & 0xff;
		b -= r->gpr[index] << scale;
	}
	r->gpr[base] = (b & mask) | (small ? random64() << 32 : 0);
	if (index != 4 || (base & 7) == 4) {
		p[n++] = (uint8_t)(0x84 | (reg & 7) << 3);
		p[n++] = (uint8_t)(scale << 6 | (index & 7) << 3 | (base & 7));
	} else {
		p[n++] = (uint8_t)(0x80 | (reg & 7) << 3 | (base & 7));
	}
	memcpy(p + n, &disp, 4);
	return n + 4;
}

static uint64_t place(const struct form *f)
{
	uint64_t at = random64() % (AREA_SIZE - 512) + 256;

	if (!(random64() & 15)) /* over the end, perhaps */
		at = AREA_SIZE - random64() % 40;
	if (f->how & (ALIGNED | VEX))
		at &= ~15UL;
	return AREA + at;
}

/* Where code may go on: not in the instruction itself. */
static uint64_t somewhere(void)
{
	uint64_t at = random64() % 900;

	if (!(random64() & 15)) /* not even a page */
		return 0x40000000 + at;
	return random64() & 1 ? CODE + at : INSN_AT + 32 + at;
}

static void poke(uint64_t addr, uint64_t v, unsigned int size)
{
	if (addr + size <= AREA + AREA_SIZE)
		memcpy((void *)addr, &v, size);
}

static uint16_t selector(void)
{
	return selectors[random64() % ARRAY_SIZE(selectors)];
}

#define SOME_FLAGS (ARITH | DF | 0x3202) /* IF, IOPL; a signal keeps no ID */

static uint64_t some_flags(void)
{
	return (random64() & SOME_FLAGS) | 2;
}

/* What PLAIN instructions find on the stack, size bytes each. */
static void fill_stack(const struct form *f, struct regs *r, unsigned int size)
{
	uint64_t sp = r->gpr[4];

	r->gpr[3] = AREA + 1024 + random64() % 256;
	r->gpr[5] = AREA + 4096 + (random64() & 0xff8);
	if (f->how & NEAR)
		poke(sp, somewhere(), 8);
	if (!(f->how & FAR))
		return;
	if (f->opcode == 0x9d) {
		poke(sp, some_flags(), size);
		return;
	}
	poke(sp, somewhere(), size);
	poke(sp + size, selector(), size);
	if (f->opcode != 0xcf)
		return;
	poke(sp + 2 * size, some_flags(), size);
	poke(sp + 3 * size, AREA + 4096 + random64() % 1024, size);
	poke(sp + 4 * size, selector(), size);
}

/* What an operand in memory must be for the instruction to be of interest. */
static void fill_operand(const struct form *f, uint64_t at, bool op66)
{
	if (f->how & NEAR)
		poke(at, somewhere(), 8);
	if (!(f->how & SELECTORS))
		return;
	if (f->opcode == 0x8e) {
		poke(at, selector(), 2);
		return;
	}
	poke(at, somewhere(), 4);
	poke(at + (op66 ? 2 : 4), selector(), 2);
}

static uint64_t an_immediate(const struct form *f, unsigned int bytes)
{
	uint64_t v = random64(), far = 32 + random64() % (bytes > 1 ? 900 : 90);

	if (f->how & FAR) /* all that RETF may look at is there */
		return v & 0x1f8;
	if (f->opcode == 0xc8) /* ENTER: a small frame */
		return (v & 0xff) | (v >> 8 & 0xff0000);
	if (f->how & NEAR && bytes != 2)
		return v & 1 ? far : -far;
	return f->how & COUNT ? v & 7 : v;
}

static unsigned int put_immediate(const struct form *f, uint8_t *p, bool op66,
				  bool wide, bool low)
{
	unsigned int bytes = f->imm;
	uint64_t v;

	if (bytes == 4 && low && f->how & PLAIN)
		bytes = 1;
	else if (bytes == 4 && op66)
		bytes = 2;
	else if (bytes == 8)
		bytes = wide ? 8 : op66 ? 2 : 4;
	v = an_immediate(f, bytes);
	memcpy(p, &v, bytes);
	return bytes;
}

/* The registers that an instruction without ModRM, or a quotient, wants. */
static void set_registers(const struct form *f, struct regs *r)
{
	if (f->how & COUNT)
		r->gpr[1] = random64() & 7;
	if (f->how & STRING) {
		r->gpr[1] = random64() % 100;
		r->gpr[6] = AREA + 2048 + random64() % 2048;
		r->gpr[7] = AREA + 2048 + random64() % 2048;
		if (!(random64() & 15))
			r->gpr[7] = AREA + AREA_SIZE - random64() % 64;
	}
	if (f->how & STACK)
		r->gpr[4] = AREA + 4096 +
			    (random64() & (f->how & FAR ? 0x7f8 : 0xff8));
	if (f->how & SMALL_A && random64() & 7) {
		r->gpr[0] >>= random64() & 63;
		r->gpr[2] = random64() & 1
				    ? 0
				    : (uint64_t)((int64_t)r->gpr[0] >> 63);
	}
}

static unsigned int make(const struct form *f, struct regs *r, uint8_t *p)
{
	uint8_t reg = f->digit >= 0 ? (uint8_t)f->digit : random64() & 15;
	uint8_t base = random64() & 15, index = random64() & 15, rex;
	bool bare = f->how & (STRING | PLAIN);
	bool wide = !(f->how & (NOT_W | BYTES | STRING)) && random64() & 1;
	bool small = !(random64() & 7), op66, low;
	unsigned int n = 0;
	uint8_t opcode = f->opcode;
	uint64_t at;

	while (base == 4 || base == (reg & 15) || base < 4)
		base = random64() & 15;
	while (index == base || index == reg || (index < 4))
		index = random64() & 1 ? 4 : random64() & 15;
	if (f->how & STACK)
		index = 4;
	if (f->how & STRING)
		wide = random64() & 1;
	low = f->how & BYTES || (f->how & BOTH && random64() & 1);
	if (f->how & BOTH && !low)
		opcode |= 1;
	if (f->how & LOW_REG)
		opcode |= reg & 7;
	op66 = !(f->how & (NOT_66 | VECTOR)) && !(random64() & 3);
	if (op66)
		wide = false;
	if (f->how & VECTOR && f->opcode != 0x6e && f->opcode != 0x7e)
		wide = false;
	if (f->how & VEX)
		wide = false;
	if (small)
		p[n++] = 0x67;
	if (op66)
		p[n++] = 0x66;
	if (f->prefix && !(f->how & VEX))
		p[n++] = f->prefix;
	rex = (uint8_t)((wide ? 8 : 0) | (reg & 8 ? 4 : 0) |
			(index != 4 && index & 8 ? 2 : 0) | (base & 8 ? 1 : 0));
	if (f->how & LOW_REG)
		rex = (rex & 8) | (reg >> 3);
	else if (bare)
		rex &= 8;
	if (f->how & VEX) {
		n += put_vex(p + n, f, rex);
	} else {
		if (rex || random64() & 1)
			p[n++] = 0x40 | rex;
		if (f->map)
			p[n++] = 0x0f;
		if (f->map == 2)
			p[n++] = 0x38;
		p[n++] = opcode;
	}
	set_registers(f, r);
	if (!bare) {
		at = place(f);
		fill_operand(f, at, op66);
		n += put_operand(p + n, r, reg, base, index, random64() & 3, at,
				 small);
	}
	if (bare && !(f->how & STRING))
		fill_stack(f, r, op66 ? 2 : wide || f->how & FULL ? 8 : 4);
	if (f->imm)
		n += put_immediate(f, p + n, op66, wide, low);
	return n;
}

static void show(const struct form *f, const uint8_t *p, unsigned int n,
		 const char *what, unsigned long a, unsigned long b)
{
	printf("# %s:", f->name);
	for (unsigned int i = 0; i < n; i++)
		printf(" %02x", p[i]);
	printf(": %s %#lx, not %#lx\n", what, a, b);
	test_failures++;
}

static void compare(const struct form *f, const uint8_t *p, unsigned int n,
		    const struct regs *e, const struct regs *r, bool fault)
{
	static const char *const names[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
	uint64_t flags = (ARITH & ~f->undefined) |
			 (f->how & VECTOR ? 0 : SOME_FLAGS & ~ARITH);

	for (unsigned int i = 0; i < 16; i++)
		if (e->gpr[i] != r->gpr[i])
			show(f, p, n, names[i], e->gpr[i], r->gpr[i]);
	if (!fault && (e->rflags & flags) != (r->rflags & flags))
		show(f, p, n, "flags", e->rflags & flags, r->rflags & flags);
	/* A native one has met the breakpoint after it. */
	if (!fault && !(f->how & VECTOR) && e->rip != r->rip - 1)
		show(f, p, n, "rip", e->rip, r->rip - 1);
	/* The kernel's IRET clears the RPL of a null one. */
	for (unsigned int i = 0; !(f->how & VECTOR) && i < 4; i++)
		if (e->sel[i] != r->sel[i] && (e->sel[i] > 3 || r->sel[i]))
			show(f, p, n, "selector", e->sel[i], r->sel[i]);
	if (fault &&
	    (e->trap != r->trap || (r->trap != 14 && e->error != r->error)))
		show(f, p, n, "exception", e->trap << 32 | e->error,
		     r->trap << 32 | r->error);
	for (unsigned int i = 0; !fault && i < 16; i++)
		for (unsigned int k = 0; k < 2; k++)
			if (e->xmm[i][k] != r->xmm[i][k])
				show(f, p, n, "xmm", e->xmm[i][k],
				     r->xmm[i][k]);
	if ((!fault || !(f->how & VECTOR)) &&
	    memcmp(copy, (void *)AREA, AREA_SIZE)) {
		unsigned int i = 0;

		while (copy[i] == ((uint8_t *)AREA)[i])
			i++;
		show(f, p, n, "memory", copy[i], ((uint8_t *)AREA)[i]);
	}
}

static void one(const struct form *f)
{
	uint8_t insn[24];
	struct regs r, e;
	struct insn i;
	enum emulate_result result;
	unsigned int n;
	bool fault;

	for (unsigned int k = 0; k < 16; k++) {
		r.gpr[k] = random64();
		r.xmm[k][0] = random64();
		r.xmm[k][1] = random64();
	}
	for (unsigned int k = 0; k < AREA_SIZE; k += 8)
		*(uint64_t *)(AREA + k) = random64() & random64();
	memcpy(r.sel, (const uint16_t[]){0, 0x33, 0x2b, 0}, sizeof(r.sel));
	r.gpr[4] >>= 17; /* the kernel returns to no other stack */
	r.rflags = 0x202 | (random64() & (ARITH | (f->how & STRING ? DF : 0)));
	n = make(f, &r, insn);
	memcpy(copy, (void *)AREA, AREA_SIZE);
	e = r;
	e.rip = INSN_AT;
	run_native(&r, insn, n, f->how & VECTOR);
	fault = r.signal != SIGTRAP;
	/* It went where there is nothing: that is not its own fault. */
	if (fault && r.trap == 14 && r.rip - 0x40000000 < 1024) {
		fault = false;
		r.rip++;
	}
	if (!insn_decode(&i, insn, n, 64) || i.length != n) {
		show(f, insn, n, "length", i.length, n);
		return;
	}
	result = run_emulated(&e, &i);
	if (result != (fault ? EMULATE_FAULT : EMULATE_DONE)) {
		show(f, insn, n, "result", result, fault);
		return;
	}
	compare(f, insn, n, &e, &r, fault);
}

static bool have(const struct form *f)
{
	if (f->how & VEX)
		return __builtin_cpu_supports("avx");
	if (f->map == 2 && f->opcode >= 0xf0) {
		uint32_t a = 1, b, c = 0, d;

		__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		return c & BIT(22); /* MOVBE */
	}
	return f->map != 2 || __builtin_cpu_supports("sse4.1");
}

static void all(unsigned int flag, unsigned int times)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(forms); n++) {
		int before = test_failures;

		if ((forms[n].how & (VECTOR | STRING)) != flag ||
		    !have(&forms[n]))
			continue;
		for (unsigned int k = 0;
		     k < times && test_failures < before + 3; k++)
			one(&forms[n]);
	}
}

static void integers(void)
{
	all(0, 400);
}
static void strings(void)
{
	all(STRING, 400);
}
static void vectors(void)
{
	all(VECTOR, 200);
}

static const struct test_case cases[] = {
	{"integers", integers},
	{"strings", strings},
	{"vectors", vectors},
};

int main(void)
{
	setup();
	look_for_code32();
	return run_cases(cases, ARRAY_SIZE(cases));
}
