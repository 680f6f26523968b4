/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's record in an HVM domain's saved state: what a guest can be in is
 * taken, what the processor faults on when we load it is not.
 */
#include "harness.h"

#include "console/printk.h"
#include "cpu/fpu.h"
#include "cpu/time.h"
#include "hvm/dev/vlapic.h"
#include "hvm/records.h"
#include "lib/errno.h"

#include <stddef.h>

uint64_t tsc_khz = 1000000;
static unsigned int ups;

void printk(const char *fmt, ...)
{
	(void)fmt;
}
const struct board_record *board_record(const struct domain *d,
					unsigned int type)
{
	(void)d;
	(void)type;
	return NULL;
}
void vlapic_changed(struct vlapic *l)
{
	(void)l;
}
void vlapic_rearm(struct vlapic *l)
{
	(void)l;
}
uint32_t vlapic_read(struct vlapic *l, unsigned int reg)
{
	(void)l;
	return reg;
}
bool hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	(void)v;
	(void)msr;
	(void)val;
	return true;
}
void hvm_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
	v->tsc_offset = offset;
}
void vcpu_up(struct vcpu *v)
{
	(void)v;
	ups++;
}

static void set_creg(struct vcpu *v, enum hvm_creg r, uint64_t val)
{
	(void)v;
	(void)r;
	(void)val;
}
static void set_seg(struct vcpu *v, enum hvm_seg s, const struct hvm_segment *g)
{
	(void)v;
	(void)s;
	(void)g;
}
static bool set_msr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	(void)v;
	(void)msr;
	(void)val;
	return true;
}
static void set_dr(struct vcpu *v, const uint64_t dr[8])
{
	(void)v;
	(void)dr;
}
static const struct hvm_ops ops = {
	.set_creg = set_creg,
	.set_seg = set_seg,
	.set_msr = set_msr,
	.set_dr = set_dr,
};
const struct hvm_ops *hvm_ops = &ops;

static struct domain domain;
static struct hvm_domain hd;
static struct hvm_vcpu hv;
static struct fpu_state fpu;
static char fpu_area[4096];
static struct vcpu vcpu, *vcpus[] = {&vcpu};

static struct {
	struct hvm_save_descriptor head;
	struct hvm_save_header header;
	struct hvm_save_descriptor cpu_head;
	struct hvm_hw_cpu cpu;
	struct hvm_save_descriptor end;
} __attribute__((packed)) stream;

static void begin(void)
{
	domain = (struct domain){.arch = &hd, .vcpu = vcpus, .max_vcpus = 1};
	fpu.area = fpu_area;
	hv = (struct hvm_vcpu){.hd = &hd, .fpu = &fpu};
	vcpu = (struct vcpu){.domain = &domain, .arch = &hv};
	memset(&stream, 0, sizeof(stream));
	stream.head.typecode = HVM_SAVE_CODE(HEADER);
	stream.head.length = sizeof(stream.header);
	stream.header.magic = HVM_FILE_MAGIC;
	stream.header.version = HVM_FILE_VERSION;
	stream.cpu_head.typecode = HVM_SAVE_CODE(CPU);
	stream.cpu_head.length = sizeof(stream.cpu);
	stream.cpu.cr0 = X86_CR0_PE;
	stream.cpu.dr6 = 0xffff0ff0;
	stream.cpu.dr7 = 0x400;
	ups = 0;
}

static int load(void)
{
	return hvm_load(&domain, &stream, sizeof(stream));
}

static const size_t addresses[] = {
	offsetof(struct hvm_hw_cpu, fs_base),
	offsetof(struct hvm_hw_cpu, gs_base),
	offsetof(struct hvm_hw_cpu, shadow_gs),
	offsetof(struct hvm_hw_cpu, tr_base),
	offsetof(struct hvm_hw_cpu, ldtr_base),
	offsetof(struct hvm_hw_cpu, sysenter_esp),
	offsetof(struct hvm_hw_cpu, sysenter_eip),
	offsetof(struct hvm_hw_cpu, msr_lstar),
	offsetof(struct hvm_hw_cpu, msr_cstar),
};
static const size_t words[] = {
	offsetof(struct hvm_hw_cpu, msr_tsc_aux),
	offsetof(struct hvm_hw_cpu, msr_syscall_mask),
	offsetof(struct hvm_hw_cpu, dr6),
	offsetof(struct hvm_hw_cpu, dr7),
};

static int load_with(size_t field, uint64_t val)
{
	int rc;

	begin();
	memcpy((char *)&stream.cpu + field, &val, sizeof(val));
	rc = load();
	CHECK_EQ(ups, rc == 0);
	return rc;
}

static void hostile_addresses(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(addresses); i++) {
		CHECK_EQ(load_with(addresses[i], 0x00007fffffffffff), 0);
		CHECK_EQ(load_with(addresses[i], 0xffff800000000000), 0);
		CHECK_EQ(load_with(addresses[i], 0x0000800000000000), -EINVAL);
		CHECK_EQ(load_with(addresses[i], 0xdeadbeefdeadbeef), -EINVAL);
	}
}

static void hostile_words(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		CHECK_EQ(load_with(words[i], 0x400), 0);
		CHECK_EQ(load_with(words[i], BIT(32)), -EINVAL);
	}
}

static void hostile_registers(void)
{
	begin();
	CHECK_EQ(load(), 0);
	CHECK_EQ(load_with(offsetof(struct hvm_hw_cpu, cr0), X86_CR0_PG),
		 -EINVAL);
	CHECK_EQ(load_with(offsetof(struct hvm_hw_cpu, cr4), BIT(23)), -EINVAL);
	CHECK_EQ(load_with(offsetof(struct hvm_hw_cpu, msr_efer), BIT(12)),
		 -EINVAL);
	begin();
	stream.cpu.flags = XEN_X86_FPU_INITIALISED;
	stream.cpu.fpu_regs[26] = 1; /* MXCSR's bit 16 */
	CHECK_EQ(load(), -EINVAL);
}

static void hostile_streams(void)
{
	for (size_t n = 0; n < sizeof(stream); n++) {
		begin();
		CHECK_EQ(hvm_load(&domain, &stream, n), -ENODATA);
	}
	begin();
	stream.cpu_head.instance = 1;
	CHECK_EQ(load(), -ENOENT);
	stream.cpu_head.instance = 0;
	stream.cpu_head.length = ~0U;
	CHECK_EQ(load(), -ENODATA);
	stream.cpu_head.length = 8;
	CHECK_EQ(load(), -EINVAL);
	stream.cpu_head.typecode = 0xffff;
	CHECK_EQ(load(), -ENOENT);
	stream.head.typecode = HVM_SAVE_CODE(CPU);
	CHECK_EQ(load(), -EINVAL);
}

static const struct test_case cases[] = {
	{"addresses that are none", hostile_addresses},
	{"high halves", hostile_words},
	{"registers that cannot be", hostile_registers},
	{"streams that end early, or lie", hostile_streams},
};

int main(void)
{
	return RUN_CASES(cases);
}
