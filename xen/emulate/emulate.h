/* SPDX-License-Identifier: MIT */
/*
 * Executes one instruction that touches emulated memory, or that a processor
 * cannot execute in the mode its guest is in: moves, arithmetic, bits, strings,
 * vector moves, the stack, near and far control transfer, segment loads, system
 * instructions, interrupts. Memory and what else there is of the processor are
 * reached through callbacks only, so the same code runs in host tests.
 */
#ifndef OSTLER_EMULATE_EMULATE_H
#define OSTLER_EMULATE_EMULATE_H

#include "emulate/decode.h"

/* A segment register as the processor keeps it; attr: type, S, DPL, P, AVL, L,
 * D, G from bit 0 on. Without P it is unusable. */
struct emu_segment {
	uint16_t sel, attr;
	uint32_t limit;
	uint64_t base;
};
#define EMU_SEG_S BIT(4)
#define EMU_SEG_P BIT(7)
#define EMU_SEG_L BIT(9)
#define EMU_SEG_D BIT(10)
#define EMU_SEG_G BIT(11)

/* Tables, as segments after INSN_GS. */
enum { EMU_TR = 6, EMU_LDTR, EMU_GDTR, EMU_IDTR };

enum emulate_result {
	EMULATE_DONE,    /* registers and RIP are as after it */
	EMULATE_AGAIN,   /* a part of a repeated one: RIP stays */
	EMULATE_FAULT,   /* a callback said so, or was told of an exception;
			    no register has changed */
	EMULATE_UNKNOWN, /* not an instruction that is known here */
};

struct emu_cpu {
	uint64_t cr0, efer;
	unsigned int cpl;
};

/* IN, OUT, INS, OUTS, after the check that they may. */
struct emu_io {
	uint16_t port;
	uint8_t size; /* 1, 2, 4 */
	bool in, string, rep;
};

/* What has its operands in registers, which are in place, or none. */
enum emu_special {
	EMU_CPUID,
	EMU_RDMSR,
	EMU_WRMSR,
	EMU_RDTSC,
	EMU_HLT,
	EMU_CACHE, /* INVD, WBINVD */
	EMU_INVLPG,
};

/* x87 instructions that a program asks whether there is an FPU with. */
enum emu_fpu {
	EMU_FNINIT,
	EMU_FNCLEX,
	EMU_FNSTSW,
	EMU_FNSTCW,
	EMU_FLDCW,
	EMU_FWAIT,
};

/*
 * The rest of the processor. With it, accesses are checked against their
 * segments' limits and types, and what an instruction raises is raised.
 */
struct emu_system {
	void (*cpu)(void *ctx, struct emu_cpu *c);
	void (*get_seg)(void *ctx, unsigned int seg, struct emu_segment *g);
	/* The CPL is SS' DPL. */
	void (*set_seg)(void *ctx, unsigned int seg,
			const struct emu_segment *g);
	/* Memory of descriptor tables: read and written as by ring 0. */
	bool (*table)(void *ctx, uint64_t addr, unsigned int size, bool write,
		      uint64_t *val);
	void (*raise)(void *ctx, unsigned int vector, bool has_error,
		      uint32_t error);
	/* No interrupt before the next instruction is over; may be NULL. */
	void (*shadow)(void *ctx);
	/*
	 * Any of the following may be NULL: such instructions are not known
	 * then. EMULATE_DONE, or EMULATE_FAULT: an exception was raised, or it
	 * waits, or (INS, OUTS, which move registers themselves) some are left.
	 */
	enum emulate_result (*cr)(void *ctx, unsigned int cr, bool write,
				  uint64_t *val);
	enum emulate_result (*special)(void *ctx, enum emu_special what);
	enum emulate_result (*io)(void *ctx, const struct emu_io *io);
	enum emulate_result (*fpu)(void *ctx, enum emu_fpu op, uint16_t *val);
};

struct emulator {
	uint64_t *gpr; /* 16, by encoding */
	uint64_t rip, rflags;
	/* Linear base of a segment (INSN_ES …); in 64-bit mode FS and GS are
	 * asked for only. */
	uint64_t (*seg_base)(void *ctx, unsigned int seg);
	/* size 1, 2, 4 or 8 at a linear address. False: the access faulted,
	 * whoever was asked has seen to that. */
	bool (*read)(void *ctx, uint64_t addr, unsigned int size,
		     uint64_t *val);
	bool (*write)(void *ctx, uint64_t addr, unsigned int size,
		      uint64_t val);
	/* v[4] of XMM or YMM register reg, from or (write) into it; NULL:
	 * there are none. */
	void (*vector)(void *ctx, unsigned int reg, uint64_t v[4], bool write);
	/* After each iteration of a repeated instruction, its registers being
	 * in place; may be NULL. */
	void (*step)(void *ctx);
	/* NULL: no limits are looked at, and an instruction that needs one of
	 * these, or raises an exception, is not known. */
	const struct emu_system *sys;
	void *ctx;
};

enum emulate_result emulate(struct emulator *e, const struct insn *i);

/*
 * An interrupt or exception goes in before the next instruction: its frame, and
 * where its handler is. EMULATE_FAULT: the delivery raised an exception.
 */
struct emu_event {
	uint8_t vector;
	bool has_error;
	uint32_t error;
};
enum emulate_result emulate_event(struct emulator *e, unsigned int mode,
				  const struct emu_event *event);

/*
 * Another task: the TSS that sel names, by an instruction, or through a task
 * gate that an instruction or an event found in the IDT. EMULATE_DONE: in the
 * new task, perhaps with an exception of its own raised; EMULATE_FAULT: in the
 * old one, and nothing has changed.
 */
enum emu_task_how {
	EMU_TASK_CALL,
	EMU_TASK_IRET,
	EMU_TASK_JMP,
	EMU_TASK_GATE,
};
struct emu_task {
	enum emu_task_how how;
	uint16_t sel;
	bool external; /* the event was no instruction's */
	bool has_error;
	uint32_t error;
	uint64_t next; /* where the old task goes on */
};
enum emulate_result emulate_task(struct emulator *e, unsigned int mode,
				 const struct emu_task *why);

#endif
