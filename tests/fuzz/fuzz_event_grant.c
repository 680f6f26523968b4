/* SPDX-License-Identifier: MIT */
/*
 * Event channels and grant tables under any sequence of operations by any of
 * three domains, whose memory changes in between; afterwards every reference,
 * page and allocation must be back.
 *
 * libFuzzer drives it, or, built with -DREPLAY, a main() of its own: the files
 * named on the command line, or else a thousand inputs from a fixed seed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/continuation.h"
#include "event/event.h"
#include "grant/grant.h"
#include "hvm/kind.h"
#include "fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value)
{
	(void)v;
	(void)i;
	(void)value;
}

static int part_init(struct domain *d, const struct xen_domctl_createdomain *c)
{
	int err = event_part.init(d, c);

	return err ? err
		   : grant_init(d, c->max_grant_frames, c->max_maptrack_frames,
				1);
}
static int part_relinquish(struct domain *d)
{
	int err = event_part.relinquish(d);

	return err ? err : grant_release_mappings(d);
}
static void part_destroy(struct domain *d)
{
	grant_destroy(d);
	event_part.destroy(d);
}
static const struct domain_part part = {
	.init = part_init,
	.relinquish = part_relinquish,
	.destroy = part_destroy,
};

/* The input, taken from the front; zeros behind its end. */
static const uint8_t *in;
static size_t left;

static void take(void *to, size_t n)
{
	size_t have = n < left ? n : left;

	memset(to, 0, n);
	memcpy(to, in, have);
	in += have;
	left -= have;
}
static uint8_t byte(void)
{
	uint8_t b;

	take(&b, 1);
	return b;
}
/* A number of the size of most things here, sometimes any. */
static uint32_t number(void)
{
	uint32_t n = byte();

	if (n == 0xff)
		take(&n, sizeof(n));
	return n;
}
static domid_t domid(void)
{
	uint32_t n = number();

	return n == 7 ? DOMID_SELF : (domid_t)(n > 200 ? n : n % 4);
}

#define EVTCHN(name, ...)                                                      \
	do {                                                                   \
		struct evtchn_##name op = {__VA_ARGS__};                       \
		evtchn_##name(v, &op);                                         \
	} while (0)

static void event_op(struct vcpu *v)
{
	switch (byte() % 16) {
	case 0:
		EVTCHN(alloc_unbound, .dom = domid(), .remote_dom = domid());
		break;
	case 1:
		EVTCHN(bind_interdomain, .remote_dom = domid(),
		       .remote_port = number());
		break;
	case 2:
		EVTCHN(bind_virq, .virq = number(), .vcpu = byte() % 5);
		break;
	case 3:
		EVTCHN(bind_ipi, .vcpu = byte() % 5);
		break;
	case 4:
		EVTCHN(bind_pirq, .pirq = number(), .flags = byte());
		break;
	case 5:
		EVTCHN(close, .port = number());
		break;
	case 6:
		EVTCHN(send, .port = number());
		break;
	case 7:
		EVTCHN(status, .dom = domid(), .port = number());
		break;
	case 8:
		EVTCHN(bind_vcpu, .port = number(), .vcpu = byte() % 5);
		break;
	case 9:
		EVTCHN(unmask, .port = number());
		break;
	case 10:
		EVTCHN(reset, .dom = domid());
		break;
	case 11:
		EVTCHN(init_control, .control_gfn = number(),
		       .offset = number(), .vcpu = byte() % 5);
		break;
	case 12:
		EVTCHN(expand_array, .array_gfn = number());
		break;
	case 13:
		EVTCHN(set_priority, .port = number(), .priority = byte() % 20);
		break;
	case 14:
		event_send_virq(v, number() % NR_VIRQS);
		break;
	default:
		event_send_global_virq(number() % NR_VIRQS);
	}
}

/* Structures of any content, at an address that is good or bad. */
static void grant_op(struct vcpu *v)
{
	unsigned int cmd = byte() % 16, count = byte() % 4;
	uint64_t uop = (uint64_t)(uintptr_t)fake_guest_memory;

	take(fake_guest_memory, count * 32);
	if (byte() % 16 == 0)
		uop += number();
	grant_table_op(v, cmd, uop, count);
}

/* Mapping with arguments that have a chance. */
static void map_op(struct vcpu *v)
{
	struct gnttab_map_grant_ref *m = (void *)fake_guest_memory;
	struct gnttab_unmap_grant_ref *u = (void *)fake_guest_memory;
	uint64_t uop = (uint64_t)(uintptr_t)fake_guest_memory;

	if (byte() % 2) {
		*m = (struct gnttab_map_grant_ref){
			.host_addr = (uint64_t)number() << 12,
			.flags = GNTMAP_host_map | (byte() & GNTMAP_readonly),
			.ref = number() % 16,
			.dom = domid()};
		grant_table_op(v, GNTTABOP_map_grant_ref, uop, 1);
	} else {
		*u = (struct gnttab_unmap_grant_ref){
			.host_addr = (uint64_t)number() << 12,
			.handle = number() % 32};
		grant_table_op(v, GNTTABOP_unmap_grant_ref, uop, 1);
	}
}

static void copy_op(struct vcpu *v)
{
	struct gnttab_copy *c = (void *)fake_guest_memory;

	take(c, sizeof(*c));
	c->source.domid = domid();
	c->dest.domid = domid();
	c->source.u.gmfn = number();
	c->dest.u.gmfn = number();
	grant_table_op(v, GNTTABOP_copy, (uint64_t)(uintptr_t)c, 1);
}

/* The guest writes its grant table, or its first pages. */
static void write_memory(struct vcpu *v)
{
	struct domain *d = v->domain;
	mfn_t mfn;

	if (byte() % 2 && !grant_table_frame(d, byte() % 5, &mfn)) {
		struct grant_entry_v1 *e = mfn_to_virt(mfn);

		e[byte() % 16] = (struct grant_entry_v1){
			.flags = byte() % 4 ? GTF_permit_access : byte(),
			.domid = domid(),
			.frame = number()};
	} else {
		take((char *)fake_page(d, byte() % 16) + number() * 4 % 4000,
		     16);
	}
}

static void one_operation(void)
{
	uint8_t b = byte();
	struct vcpu *v = fake_domains[b % 3]->d.vcpu[b / 3 % FAKE_VCPUS];

	this_cpu(current) = v;
	this_cpu(softirq_pending) = b >= 250;
	switch (byte() % 8) {
	case 0:
	case 1:
	case 2:
		event_op(v);
		break;
	case 3:
		grant_op(v);
		break;
	case 4:
	case 5:
		map_op(v);
		break;
	case 6:
		copy_op(v);
		break;
	default:
		write_memory(v);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = data;
	left = size;
	fake_start();
	event_setup();
	fake_kind.grant_map = hvm_grant_map;
	fake_kind.grant_unmap = hvm_grant_unmap;
	fake_kind.grant_replace = hvm_grant_replace;
	fake_kind.grant_flush = hvm_grant_flush;
	for (unsigned int i = 0; i < 3; i++)
		fake_domain(i, &part);
	while (left)
		one_operation();
	this_cpu(softirq_pending) = 0;
	if (fake_end(&part))
		abort();
	return 0;
}

#ifdef REPLAY
static int replay(const char *name)
{
	static uint8_t buf[1 << 16];
	FILE *f = fopen(name, "rb");
	size_t n;

	if (!f) {
		perror(name);
		return EXIT_FAILURE;
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return LLVMFuzzerTestOneInput(buf, n);
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	if (argc > 1)
		return failed;
	srandom(1);
	for (int i = 0; i < 1000; i++) {
		uint8_t buf[2000];
		size_t n = (size_t)random() % sizeof(buf);

		for (size_t j = 0; j < n; j++)
			buf[j] = (uint8_t)random();
		LLVMFuzzerTestOneInput(buf, n);
	}
	puts("1..1\nok 1 - fuzz: a thousand sequences of event and grant "
	     "operations leave nothing");
	return 0;
}
#endif
