/* SPDX-License-Identifier: MIT */
/*
 * dmops DOMID: what a device model and a migrating toolstack ask of an HVM
 * guest that is paused and has a device model already. The records of its
 * hardware: read, written, read; cut short; of another format. And dm_op: each
 * command's bad arguments are refused, servers and ranges come and go, written
 * video memory is told. TAP on standard output (pc.sh).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define __XEN_TOOLS__
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/save.h>
#include <xen/sys/privcmd.h>

#define ROOM 65536

static int privcmd;
static domid_t guest;
static unsigned int checks, bad;
/* What the hypervisor reads and writes: locked, so that it is there. */
static union {
	char bytes[5 * ROOM];
	struct {
		struct xen_domctl domctl;
		struct xen_dm_op op;
		struct xen_dm_op_buf bufs[4];
		struct xen_dm_op_modified_memory_extent extents[2];
		uint64_t bits[16];
	};
} * page;
#define RECORDS(n) (page->bytes + ROOM * (1 + (n)))

__attribute__((format(printf, 2, 3))) static void check(bool good,
							const char *fmt, ...)
{
	va_list ap;

	checks++;
	bad += !good;
	printf("%sok %u - ", good ? "" : "not ", checks);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* 0 or minus the error number. */
static int hypercall(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
	struct privcmd_hypercall call = {.op = op, .arg = {a, b, c}};
	int rc = ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);

	return rc < 0 ? -errno : rc;
}

static int context(uint32_t cmd, void *buf, uint32_t *size)
{
	struct xen_domctl *op = &page->domctl;
	int rc;

	memset(op, 0, sizeof(*op));
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = guest;
	op->u.hvmcontext.size = *size;
	set_xen_guest_handle(op->u.hvmcontext.buffer, buf);
	rc = hypercall(__HYPERVISOR_domctl, (uintptr_t)op, 0, 0);
	*size = op->u.hvmcontext.size;
	return rc;
}

static int get(void *buf, uint32_t *size)
{
	*size = ROOM;
	return context(XEN_DOMCTL_gethvmcontext, buf, size);
}

static int set(void *buf, uint32_t size)
{
	return context(XEN_DOMCTL_sethvmcontext, buf, &size);
}

/* The first record of a type, or NULL. */
static void *record(char *buf, uint32_t size, unsigned int type)
{
	struct hvm_save_descriptor d;

	for (uint32_t at = 0; size - at >= sizeof(d);) {
		memcpy(&d, buf + at, sizeof(d));
		if (d.typecode == type)
			return buf + at + sizeof(d);
		at += (uint32_t)sizeof(d) + d.length;
		if (at > size || !d.typecode)
			break;
	}
	return NULL;
}

/* What goes with the time is made the same in all. */
static void stop_clocks(char *buf, uint32_t size)
{
	struct hvm_hw_cpu *cpu = record(buf, size, HVM_SAVE_CODE(CPU));
	struct hvm_hw_pmtimer *pm = record(buf, size, HVM_SAVE_CODE(PMTIMER));
	struct hvm_hw_rtc *rtc = record(buf, size, HVM_SAVE_CODE(RTC));

	if (cpu)
		cpu->tsc = 0;
	if (pm)
		pm->tmr_val = 0;
	if (rtc)
		memset(rtc->cmos_data, 0, sizeof(rtc->cmos_data));
}

static void same(char *a, char *b, uint32_t size)
{
	struct hvm_save_descriptor d;
	uint32_t at = 0;

	stop_clocks(a, size);
	stop_clocks(b, size);
	while (at < size && !memcmp(a + at, b + at, 1))
		at++;
	if (at < size) {
		for (uint32_t p = 0; p <= at;) {
			memcpy(&d, a + p, sizeof(d));
			if (p + sizeof(d) + d.length > at)
				printf("# type %u, byte %ld: %02x, %02x\n",
				       d.typecode, (long)(at - p - sizeof(d)),
				       (uint8_t)a[at], (uint8_t)b[at]);
			p += (uint32_t)sizeof(d) + d.length;
		}
	}
	check(at == size, "all records are what they were");
}

static void records(void)
{
	uint32_t size, again;
	struct hvm_save_header *h;
	struct hvm_save_descriptor d;
	int rc = get(RECORDS(0), &size);

	check(!rc && size > 2048, "the records: %u bytes", size);
	if (rc)
		return;
	check(record(RECORDS(0), size, HVM_SAVE_CODE(RTC)) &&
		      record(RECORDS(0), size, HVM_SAVE_CODE(HPET)) &&
		      record(RECORDS(0), size, HVM_SAVE_CODE(LAPIC_REGS)) &&
		      record(RECORDS(0), size, HVM_SAVE_CODE(MTRR)),
	      "a PC's are among them");
	memcpy(RECORDS(1), RECORDS(0), size);
	check(set(RECORDS(1), size) == 0, "the guest is given them");
	check(!get(RECORDS(2), &again) && again == size, "and asked again");
	same(RECORDS(0), RECORDS(2), size);

	memcpy(RECORDS(1), RECORDS(2), size);
	check(set(RECORDS(1), size - 16) < 0, "without their end");
	check(set(RECORDS(1), 4) < 0, "less than a descriptor");
	h = record(RECORDS(1), size, HVM_SAVE_CODE(HEADER));
	h->magic ^= 1;
	check(set(RECORDS(1), size) < 0, "of another format");
	h->magic ^= 1;
	/* A record that says it is longer than all there is. */
	memcpy(&d, RECORDS(1), sizeof(d));
	d.length = size * 2;
	memcpy(RECORDS(1), &d, sizeof(d));
	check(set(RECORDS(1), size) < 0, "a length beyond the end");
	again = 64;
	check(context(XEN_DOMCTL_gethvmcontext, RECORDS(1), &again) == -ENOSPC,
	      "a buffer that is too small");
	rc = get(RECORDS(1), &again);
	check(!rc && again == size, "the guest has its records still");
	same(RECORDS(2), RECORDS(1), size);
}

/* What one command answers; the other buffers are page->extents or bits. */
static int dm(uint32_t cmd, unsigned int nr)
{
	page->op.op = cmd;
	set_xen_guest_handle(page->bufs[0].h, (void *)&page->op);
	page->bufs[0].size = sizeof(page->op);
	return hypercall(__HYPERVISOR_dm_op, guest, nr, (uintptr_t)page->bufs);
}

static void second(void *p, size_t size)
{
	set_xen_guest_handle(page->bufs[1].h, p);
	page->bufs[1].size = size;
}

#define OP(field) (page->op.u.field)
#define START()   memset(&page->op, 0, sizeof(page->op))

static void interrupts(void)
{
	START();
	OP(set_pci_intx_level).device = 32;
	check(dm(XEN_DMOP_set_pci_intx_level, 1) == -EINVAL, "device 32");
	START();
	OP(set_pci_intx_level).intx = 4;
	check(dm(XEN_DMOP_set_pci_intx_level, 1) == -EINVAL, "INTE");
	START();
	OP(set_isa_irq_level).isa_irq = 16;
	check(dm(XEN_DMOP_set_isa_irq_level, 1) == -EINVAL, "ISA interrupt 16");
	START();
	OP(set_pci_link_route).isa_irq = 16;
	check(dm(XEN_DMOP_set_pci_link_route, 1) == -EINVAL,
	      "a link to interrupt 16");
	START();
	OP(set_pci_link_route).link = 4;
	check(dm(XEN_DMOP_set_pci_link_route, 1) == -EINVAL, "link 4");
	START();
	OP(inject_msi).addr = 0xfee00000;
	OP(inject_msi).data = 0x351;
	check(dm(XEN_DMOP_inject_msi, 1) < 0, "a message of reserved mode");
	START();
	OP(inject_msi).addr = 0xfee00000;
	OP(inject_msi).data = 0x4003;
	check(dm(XEN_DMOP_inject_msi, 1) <= 0, "a message of vector 3");
	START();
	OP(inject_msi).addr = 0xfeeff00c;
	OP(inject_msi).data = 0x41;
	check(dm(XEN_DMOP_inject_msi, 1) <= 0, "a message to nobody");
	START();
	OP(inject_msi).addr = ~0ull;
	OP(inject_msi).data = ~0u;
	check(dm(XEN_DMOP_inject_msi, 1) < 0, "a message of ones");
	START();
	OP(inject_msi).pad = 1;
	check(dm(XEN_DMOP_inject_msi, 1) == -EINVAL, "a message's padding");
	START();
	OP(inject_event).vcpuid = 100000;
	check(dm(XEN_DMOP_inject_event, 1) == -EINVAL, "an event's vCPU");
	START();
	OP(set_pci_intx_level).device = 31;
	OP(set_pci_intx_level).level = 1;
	check(dm(XEN_DMOP_set_pci_intx_level, 1) == 0, "INTA of device 31");
	OP(set_pci_intx_level).level = 0;
	check(dm(XEN_DMOP_set_pci_intx_level, 1) == 0, "… goes down");
}

static int range(ioservid_t id, uint32_t cmd, uint32_t type, uint64_t first,
		 uint64_t last)
{
	START();
	OP(map_io_range_to_ioreq_server).id = id;
	OP(map_io_range_to_ioreq_server).type = type;
	OP(map_io_range_to_ioreq_server).start = first;
	OP(map_io_range_to_ioreq_server).end = last;
	return dm(cmd, 1);
}

/* A second one beside QEMU's. */
static void servers(void)
{
	const uint32_t map = XEN_DMOP_map_io_range_to_ioreq_server,
		       unmap = XEN_DMOP_unmap_io_range_from_ioreq_server,
		       memory = XEN_DMOP_IO_RANGE_MEMORY;
	ioservid_t id;

	START();
	OP(create_ioreq_server).handle_bufioreq = 9;
	check(dm(XEN_DMOP_create_ioreq_server, 1) == -EINVAL,
	      "a server with a ring of no kind");
	START();
	OP(create_ioreq_server).handle_bufioreq = 2;
	check(dm(XEN_DMOP_create_ioreq_server, 1) == 0, "a second server");
	id = OP(create_ioreq_server).id;
	START();
	OP(get_ioreq_server_info).id = id;
	OP(get_ioreq_server_info).flags = XEN_DMOP_no_gfns;
	check(dm(XEN_DMOP_get_ioreq_server_info, 1) == 0 &&
		      OP(get_ioreq_server_info).bufioreq_port,
	      "… has a ring");
	check(range(id, map, memory, 0xe0000000, 0xe0000fff) == 0, "a range");
	check(range(id, map, memory, 0xe0000800, 0xe0001fff) == -EEXIST,
	      "one that overlaps it");
	check(range(id, map, memory, 0xe0002000, 0xe0001fff) == -EINVAL,
	      "one that ends before it begins");
	check(range(id, map, 7, 1, 2) == -EINVAL, "one of no kind");
	check(range(id, unmap, memory, 0xe0000000, 0xe0000fff) == 0,
	      "it is taken back");
	check(range(id, unmap, memory, 0xe0000000, 0xe0000fff) == -ENOENT,
	      "but once");
	START();
	OP(set_ioreq_server_state).id = id;
	OP(set_ioreq_server_state).enabled = 1;
	check(dm(XEN_DMOP_set_ioreq_server_state, 1) == 0, "on");
	START();
	OP(destroy_ioreq_server).id = id;
	check(dm(XEN_DMOP_destroy_ioreq_server, 1) == 0, "and gone");
	check(dm(XEN_DMOP_destroy_ioreq_server, 1) < 0, "but once");
	check(range(id, map, memory, 0xe0000000, 0xe0000fff) < 0,
	      "it has no more ranges");
}

static int track(uint64_t first, uint32_t nr)
{
	START();
	OP(track_dirty_vram).first_pfn = first;
	OP(track_dirty_vram).nr = nr;
	second(page->bits, sizeof(page->bits));
	return dm(XEN_DMOP_track_dirty_vram, 2);
}

/* Pages of the guest's low memory stand for a screen's. */
static void memory(void)
{
	check(track(0x100, 16) == 0, "16 pages as video memory");
	memset(page->bits, 0, sizeof(page->bits));
	check(track(0x100, 16) == 0 && !(page->bits[0] & 0xffff),
	      "nobody has written there");
	START();
	OP(modified_memory).nr_extents = 1;
	page->extents[0] = (struct xen_dm_op_modified_memory_extent){
		.first_pfn = 0x103, .nr = 2};
	second(page->extents, sizeof(page->extents));
	check(dm(XEN_DMOP_modified_memory, 2) == 0, "two were written");
	OP(modified_memory).nr_extents = 3;
	OP(modified_memory).opaque = 0;
	check(dm(XEN_DMOP_modified_memory, 2) < 0,
	      "more extents than there are");
	START();
	OP(modified_memory).nr_extents = 1;
	page->extents[0].pad = 1;
	check(dm(XEN_DMOP_modified_memory, 2) == -EINVAL,
	      "an extent's padding");
	page->extents[0] = (struct xen_dm_op_modified_memory_extent){
		.first_pfn = 0, .nr = UINT32_MAX};
	check(dm(XEN_DMOP_modified_memory, 2) == -EINVAL,
	      "more pages than there are");
	check(track(0, 0) == 0, "no video memory");
	check(track(0, 0x40000000) < 0, "more than there can be");
	START();
	OP(set_mem_type).mem_type = 77;
	OP(set_mem_type).nr = 1;
	check(dm(XEN_DMOP_set_mem_type, 1) == -EINVAL, "memory of no type");
	START();
	OP(pin_memory_cacheattr).start = 2;
	OP(pin_memory_cacheattr).end = 1;
	check(dm(XEN_DMOP_pin_memory_cacheattr, 1) < 0, "memory backwards");
}

static void the_call(void)
{
	START();
	check(dm(77, 1) == -EOPNOTSUPP, "a command that there is not");
	check(dm(XEN_DMOP_nr_vcpus, 0) < 0, "no buffer");
	check(dm(XEN_DMOP_nr_vcpus, 1000) < 0, "a thousand");
	START();
	check(dm(XEN_DMOP_nr_vcpus, 1) == 0 && OP(nr_vcpus).vcpus == 1,
	      "how many vCPUs");
	START();
	page->op.pad = 1;
	check(dm(XEN_DMOP_nr_vcpus, 1) == -EINVAL, "padding");
	START();
	page->op.op = XEN_DMOP_nr_vcpus;
	set_xen_guest_handle(page->bufs[0].h, (void *)(uintptr_t)0x1000);
	page->bufs[0].size = sizeof(page->op);
	check(hypercall(__HYPERVISOR_dm_op, guest, 1, (uintptr_t)page->bufs) ==
		      -EFAULT,
	      "a buffer that is not there");
	check(hypercall(__HYPERVISOR_dm_op, DOMID_SELF, 1,
			(uintptr_t)page->bufs) < 0,
	      "nobody models himself");
}

int main(int argc, char **argv)
{
	guest = argc > 1 ? (domid_t)atoi(argv[1]) : 0;
	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1,
		    0);
	if (privcmd < 0 || page == MAP_FAILED || !guest) {
		perror("dmops DOMID: /dev/xen/privcmd");
		return 1;
	}
	records();
	interrupts();
	servers();
	memory();
	the_call();
	printf("1..%u\n", checks);
	return bad ? 1 : 0;
}
