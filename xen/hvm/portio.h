/* SPDX-License-Identifier: MIT */
/* Trapped ports and trapped memory of a domain: who answers. */
#ifndef OSTLER_HVM_PORTIO_H
#define OSTLER_HVM_PORTIO_H

#include "emulate/emulate.h"
#include "hvm/hvm.h"

/* size is 1, 2 or 4; *val holds what is written, or takes what is read. */
typedef void portio_fn(struct vcpu *v, unsigned int port, unsigned int size,
		       bool write, uint32_t *val, void *data);
/* The same, for ports that are not always its own: claims() says when. */
typedef bool portio_claims(unsigned int port, unsigned int size, bool write,
			   uint32_t val, void *data);
int portio_register_some(struct domain *d, unsigned int first, unsigned int n,
			 portio_claims *claims, portio_fn *fn, void *data);
int portio_register(struct domain *d, unsigned int first, unsigned int n,
		    portio_fn *fn, void *data);
enum verdict hvm_portio(struct vcpu *v, const struct vmexit *x);
/* The same of an instruction that is executed here: hvm_io_end() is the
 * caller's business. */
enum verdict hvm_port_insn(struct vcpu *v, const struct vmexit *x);

/* size is 1, 2, 4 or 8; gpa is aligned to it or not. */
typedef void mmio_fn(struct vcpu *v, gpa_t gpa, unsigned int size, bool write,
		     uint64_t *val, void *data);
int mmio_register(struct domain *d, gpa_t first, uint64_t n, mmio_fn *fn,
		  void *data);
void mmio_unregister(struct domain *d, gpa_t first);
bool mmio_is_trapped(struct domain *d, gpa_t gpa);
/* The instruction at RIP, which touched gpa: done for the guest. */
enum verdict hvm_mmio(struct vcpu *v, gpa_t gpa, const struct vmexit *x);
/* The same where gpa is in the local APIC's page. */
enum verdict hvm_lapic_mmio(struct vcpu *v, gpa_t gpa, const struct vmexit *x);
/*
 * For those who execute an instruction here. An operand at linear address va:
 * RAM is copied, what is not goes to who answers there. False: the guest has a
 * page fault to take, or waits for a device model; the instruction comes again.
 */
bool hvm_access_memory(struct vcpu *v, uint64_t va, unsigned int size,
		       bool write, uint64_t *val);
/* The same as the processor itself reads its tables: not as ring 3. */
bool hvm_access_table(struct vcpu *v, uint64_t va, unsigned int size,
		      bool write, uint64_t *val);
/* access: WALK_*. False: the page fault is on its way into the guest. */
bool hvm_translate(struct vcpu *v, uint64_t va, uint32_t access, gpa_t *gpa);
/* mmio_string.c: a repeated MOVS whose one operand (the destination, if write)
 * is a device model's. False: do it one by one. */
bool hvm_mmio_movs(struct vcpu *v, const struct insn *i, bool write);
/* The instruction at RIP; false: there is none that is known. bytes takes
 * INSN_MAX of it. */
bool hvm_decode(struct vcpu *v, struct insn *i, uint8_t *bytes);
/* … executed (emulate/emulate.h has the results). The guest's own faults are on
 * their way into it. */
enum emulate_result hvm_emulate(struct vcpu *v, const struct insn *i);
/* An event goes in by hand. */
enum emulate_result hvm_emulate_event(struct vcpu *v,
				      const struct emu_event *event);
enum emulate_result hvm_emulate_task(struct vcpu *v,
				     const struct emu_task *task);
/* RIP as a linear address, in code of so many bits. */
uint64_t hvm_linear_rip(struct vcpu *v, unsigned int mode);
int dom0_ports_init(struct domain *d); /* dev/dom0_ports.c */
void mmio_free(struct domain *d);
void hvm_io_free(struct domain *d);

#endif
