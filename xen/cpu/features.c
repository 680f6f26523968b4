/* SPDX-License-Identifier: MIT */
/*
 * What the processors offer, read once from CPU 0, and the control registers
 * that every CPU runs with.
 */
#include "cpu/cpu.h"
#include "cpu/init.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "console/printk.h"
#include "lib/string.h"

struct cpu_features cpu_features;

static enum cpu_vendor vendor_of(const struct cpuid_regs *r)
{
	char id[13];

	memcpy(id, &r->b, 4);
	memcpy(id + 4, &r->d, 4);
	memcpy(id + 8, &r->c, 4);
	id[12] = 0;
	if (!strcmp(id, "GenuineIntel"))
		return CPU_INTEL;
	if (!strcmp(id, "AuthenticAMD"))
		return CPU_AMD;
	return strcmp(id, "HygonGenuine") ? CPU_OTHER : CPU_HYGON;
}

static void read_family(struct cpu_features *f, uint32_t eax)
{
	f->stepping = eax & 15;
	f->model = (eax >> 4) & 15;
	f->family = (eax >> 8) & 15;
	if (f->family == 15 || f->family == 6)
		f->model |= (eax >> 12) & 0xf0;
	if (f->family == 15)
		f->family += (eax >> 20) & 0xff;
}

static void read_basic(struct cpu_features *f)
{
	struct cpuid_regs r = cpuid(0, 0);

	f->max_basic = r.a;
	f->vendor = vendor_of(&r);
	r = cpuid(1, 0);
	read_family(f, r.a);
	f->l1_ecx = r.c;
	f->l1_edx = r.d;
	if (f->max_basic >= 6)
		f->arat = cpuid(6, 0).a & BIT(2);
	if (f->max_basic >= 7) {
		r = cpuid(7, 0);
		f->l7_ebx = r.b;
		f->l7_ecx = r.c;
		f->l7_edx = r.d;
	}
	if (f->max_basic >= 0xd && (f->l1_ecx & BIT(26))) {
		r = cpuid(0xd, 0);
		f->xcr0_mask = r.a | (uint64_t)r.d << 32;
		f->xsaves = cpuid(0xd, 1).a & BIT(3);
	}
}

static void read_brand(struct cpu_features *f)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct cpuid_regs r = cpuid(0x80000002 + i, 0);

		memcpy(f->brand + 16 * i, &r, 16);
	}
}

static void read_extended(struct cpu_features *f)
{
	struct cpuid_regs r = cpuid(0x80000000, 0);

	f->max_extended = r.a;
	f->phys_bits = 36;
	f->virt_bits = 48;
	if (r.a < 0x80000001)
		return;
	r = cpuid(0x80000001, 0);
	f->e1_ecx = r.c;
	f->e1_edx = r.d;
	if (f->max_extended >= 0x80000004)
		read_brand(f);
	if (f->max_extended >= 0x80000007)
		f->tsc_invariant = cpuid(0x80000007, 0).d & BIT(8);
	if (f->max_extended >= 0x80000008) {
		r = cpuid(0x80000008, 0);
		f->phys_bits = r.a & 0xff;
		f->virt_bits = (r.a >> 8) & 0xff;
		f->e8_ebx = r.b;
	}
	f->svm = f->e1_ecx & BIT(2);
}

void features_detect(void)
{
	struct cpu_features *f = &cpu_features;

	read_basic(f);
	read_extended(f);
	f->vmx = f->l1_ecx & BIT(5);
	f->pcid = f->l1_ecx & BIT(17);
	f->x2apic = f->l1_ecx & BIT(21);
	f->tsc_deadline = f->l1_ecx & BIT(24);
	f->xsave = f->l1_ecx & BIT(26);
	f->fsgsbase = f->l7_ebx & BIT(0);
	f->smep = f->l7_ebx & BIT(7);
	f->smap = f->l7_ebx & BIT(20);
	f->umip = f->l7_ecx & BIT(2);
	f->nx = f->e1_edx & BIT(20);
	f->pages_1g = f->e1_edx & BIT(26);
	f->rdtscp = f->e1_edx & BIT(27);
}

/*
 * WP, PSE, PGE, SMEP and SMAP are what a 64-bit Linux runs with: where a guest
 * differs from us in one of these, an emulated exit flushes more.
 */
void features_enable(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t cr0 = read_cr0(), cr4 = read_cr4();

	cr0 |= X86_CR0_MP | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM;
	cr0 &= ~(X86_CR0_EM | X86_CR0_TS | X86_CR0_NW | X86_CR0_CD);
	write_cr0(cr0);
	cr4 |= CR4_DE | CR4_PSE | CR4_MCE | X86_CR4_PGE | X86_CR4_OSFXSR |
	       X86_CR4_OSXMMEXCPT;
	cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	write_cr4(cr4);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | (f->nx ? EFER_NXE : 0));
	wrmsr(MSR_PAT, HOST_PAT);
}

void cpu_print_features(void)
{
	const struct cpu_features *f = &cpu_features;
	const struct {
		const char *name;
		bool have;
	} list[] = {
		{"svm", f->svm},
		{"vmx", f->vmx},
		{"nx", f->nx},
		{"1g", f->pages_1g},
		{"x2apic", f->x2apic},
		{"tsc-deadline", f->tsc_deadline},
		{"invariant-tsc", f->tsc_invariant},
		{"xsave", f->xsave},
		{"smep", f->smep},
		{"smap", f->smap},
		{"fsgsbase", f->fsgsbase},
		{"umip", f->umip},
		{"pcid", f->pcid},
		{"rdtscp", f->rdtscp},
		{"arat", f->arat},
	};
	char line[160];
	size_t at = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(list); i++) {
		size_t len = strlen(list[i].name);

		if (!list[i].have)
			continue;
		line[at++] = ' ';
		memcpy(line + at, list[i].name, len);
		at += len;
	}
	line[at] = 0;
	printk(XENLOG_INFO "CPU: %s family %u model %u stepping %u, "
			   "%u-bit physical addresses\n",
	       f->brand[0] ? f->brand : "unnamed", f->family, f->model,
	       f->stepping, f->phys_bits);
	printk(XENLOG_INFO "CPU offers:%s\n", line);
}
