/* SPDX-License-Identifier: MIT */
/*
 * I/O APICs of dom0. An entry that is unmasked for the first time binds its
 * physical line with the entry's trigger mode and polarity; from then on mask
 * bits follow. A level-triggered line stays masked in hardware from its
 * interrupt until the guest's end of interrupt.
 *
 * Entries are read as one word by the interrupt handler, without a lock, and
 * so does the end of an interrupt clear its bit; hvm_domain.lock guards other
 * changes.
 */
#include "hvm/dev/vioapic.h"

#include "console/printk.h"
#include "cpu/acpi.h"
#include "cpu/ioapic.h"
#include "cpu/irq.h"
#include "hvm/dev/virq.h"
#include "hvm/dev/vlapic.h"
#include "hvm/portio.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#define IOAPIC_VERSION 0x11
#define REG_ID         0
#define REG_VER        1
#define REG_ARB        2
#define REG_ENTRY0     0x10

#define RTE_VECTOR     0xffUL
#define RTE_MODE_SHIFT 8
#define RTE_LOGICAL    BIT(11)
#define RTE_STATUS     BIT(12)
#define RTE_ACTIVE_LOW BIT(13)
#define RTE_REMOTE_IRR BIT(14)
#define RTE_LEVEL      BIT(15)
#define RTE_MASKED     BIT(16)
#define RTE_DEST_SHIFT 56
#define RTE_READ_ONLY  (RTE_STATUS | RTE_REMOTE_IRR)

struct pin {
	struct vioapic *io;
	uint64_t rte;
	unsigned int gsi;
	bool bound, refused;
	bool line;       /* of a virtual one: the input is up */
	bool level, low; /* as bound */
};

struct vioapic {
	struct domain *domain;
	gpa_t base;
	uint32_t id, select;
	bool is_virtual; /* no chip behind it: vioapic_line() is its inputs */
	unsigned int nr_pins;
	struct pin *pin;
};

static void raise(void *data, unsigned int irq)
{
	struct pin *p = data;
	uint64_t rte = READ_ONCE(p->rte);
	bool level = rte & RTE_LEVEL;

	(void)irq;
	if (rte & RTE_MASKED) {
		/* It raced with the mask; asked again when unmasked. */
		return;
	}
	/* A line that comes up and the last one's end ask at the same time. */
	if (level && (atomic_or(&p->rte, RTE_REMOTE_IRR) & RTE_REMOTE_IRR) &&
	    p->io->is_virtual)
		return;
	vlapic_deliver(p->io->domain, (uint32_t)(rte >> RTE_DEST_SHIFT),
		       rte & RTE_LOGICAL, (rte >> RTE_MODE_SHIFT) & 7,
		       rte & RTE_VECTOR, level);
}

/* The CPU of the vCPU that will take it: the interrupt should come there. */
static unsigned int target_cpu(struct domain *d, uint64_t rte)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (vlapic_match(hvm_vcpu(v)->lapic,
				 (uint32_t)(rte >> RTE_DEST_SHIFT),
				 rte & RTE_LOGICAL))
			return v->unit.cpu;
	return 0;
}

static void bind(struct pin *p)
{
	uint64_t rte = p->rte;
	bool level = rte & RTE_LEVEL, low = rte & RTE_ACTIVE_LOW;
	int rc;

	if (p->bound && (p->level != level || p->low != low)) {
		irq_unbind_gsi(p->gsi);
		p->bound = false;
	}
	if (p->bound || p->refused)
		return;
	rc = irq_bind_gsi(p->gsi, level, low, target_cpu(p->io->domain, rte),
			  raise, p);
	if (rc) {
		p->refused = rc == -EBUSY; /* ours: the serial line */
		printk(XENLOG_INFO "d%u: GSI %u cannot be bound (%d)%s\n",
		       p->io->domain->id, p->gsi, rc,
		       rc == -EBUSY ? ": it is in use" : "");
		return;
	}
	p->bound = true;
	p->level = level;
	p->low = low;
}

/* A virtual pin whose input is up and whose last interrupt was ended asks
 * again, if it is level-triggered. Lock held. */
static void ask_again(struct pin *p)
{
	if (p->line && (p->rte & RTE_LEVEL) && !(p->rte & RTE_REMOTE_IRR))
		raise(p, 0);
}

static void entry_changed(struct pin *p)
{
	bool masked = p->rte & RTE_MASKED;

	if (p->io->is_virtual) {
		ask_again(p);
		if (!p->gsi) /* the 8259s may have waited for it */
			hvm_extint_notify(p->io->domain);
		return;
	}
	if (!masked)
		bind(p);
	if (!p->bound)
		return;
	if (!masked)
		irq_set_affinity_gsi(p->gsi, target_cpu(p->io->domain, p->rte));
	irq_mask_gsi(p->gsi, masked);
	/* Forgotten while masked: a kernel that resets its I/O APIC. */
	if (!(p->rte & RTE_REMOTE_IRR))
		irq_eoi_gsi(p->gsi);
}

/* The entry with one half written, as the guest may write it. */
static uint64_t with_half(uint64_t rte, bool high, uint32_t val)
{
	if (high)
		rte = (uint32_t)rte | (uint64_t)val << 32;
	else
		rte = (rte & ~0xffffffffUL) | (val & ~RTE_READ_ONLY) |
		      (rte & RTE_READ_ONLY);
	return rte & RTE_LEVEL ? rte : rte & ~RTE_REMOTE_IRR;
}

static void write_entry(struct vioapic *io, unsigned int n, bool high,
			uint32_t val)
{
	struct pin *p = &io->pin[n];
	uint64_t rte = READ_ONCE(p->rte);

	/* The end of an interrupt changes it without the lock. */
	while (!atomic_cas(&p->rte, &rte, with_half(rte, high, val)))
		cpu_relax();
	entry_changed(p);
}

static uint32_t read_reg(const struct vioapic *io, uint32_t reg)
{
	unsigned int n = (reg - REG_ENTRY0) / 2;

	switch (reg) {
	case REG_ID:
	case REG_ARB:
		return io->id << 24;
	case REG_VER:
		return IOAPIC_VERSION | (io->nr_pins - 1) << 16;
	}
	if (reg < REG_ENTRY0 || n >= io->nr_pins)
		return ~0U;
	return (uint32_t)(READ_ONCE(io->pin[n].rte) >> (reg & 1 ? 32 : 0));
}

static void write_reg(struct vioapic *io, uint32_t reg, uint32_t val)
{
	unsigned int n = (reg - REG_ENTRY0) / 2;

	if (reg == REG_ID)
		io->id = (val >> 24) & 0xf;
	else if (reg >= REG_ENTRY0 && n < io->nr_pins)
		write_entry(io, n, reg & 1, val);
}

#define OFFSET_SELECT 0
#define OFFSET_DATA   0x10

static void access(struct vcpu *v, gpa_t gpa, unsigned int size, bool write,
		   uint64_t *val, void *data)
{
	struct vioapic *io = data;
	unsigned int offset = (unsigned int)(gpa - io->base);

	(void)size;
	spin_lock(&hvm_domain(v->domain)->lock);
	if (!write)
		*val = 0;
	if (offset == OFFSET_SELECT && write)
		io->select = (uint32_t)*val & 0xff;
	else if (offset == OFFSET_SELECT)
		*val = io->select;
	else if (offset == OFFSET_DATA && write)
		write_reg(io, io->select, (uint32_t)*val);
	else if (offset == OFFSET_DATA)
		*val = read_reg(io, io->select);
	spin_unlock(&hvm_domain(v->domain)->lock);
}

void vioapic_eoi(struct domain *d, uint8_t vector)
{
	struct hvm_domain *hd = hvm_domain(d);

	/* The flag behind that line may be clear by now. */
	if (unlikely(hd->callback_line))
		virq_callback(d);
	for (unsigned int i = 0; i < hd->nr_ioapics; i++) {
		struct vioapic *io = &hd->ioapics[i];

		for (unsigned int n = 0; n < io->nr_pins; n++) {
			struct pin *p = &io->pin[n];

			if ((p->rte & RTE_VECTOR) != vector ||
			    !(p->rte & RTE_REMOTE_IRR))
				continue;
			atomic_and(&p->rte, ~RTE_REMOTE_IRR);
			if (!io->is_virtual)
				irq_eoi_gsi(p->gsi);
			else if (READ_ONCE(p->line))
				ask_again(p);
		}
	}
}

static unsigned int count_pins(unsigned int gsi_base)
{
	unsigned int n = 0;

	while (n < 240 && ioapic_has(gsi_base + n))
		n++;
	/* The next chip's inputs may follow without a gap. */
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++)
		if (acpi_info.ioapic[i].gsi_base > gsi_base)
			n = min(n, acpi_info.ioapic[i].gsi_base - gsi_base);
	return n;
}

static int init_one(struct domain *d, struct vioapic *io,
		    const struct acpi_ioapic *from)
{
	io->domain = d;
	io->base = from->addr;
	io->id = from->id;
	io->nr_pins = count_pins(from->gsi_base);
	io->pin = xnew_array(struct pin, max(io->nr_pins, 1U));
	if (!io->pin)
		return -ENOMEM;
	for (unsigned int n = 0; n < io->nr_pins; n++)
		io->pin[n] = (struct pin){
			.io = io, .rte = RTE_MASKED, .gsi = from->gsi_base + n};
	return mmio_register(d, io->base, PAGE_SIZE, access, io);
}

int vioapic_init(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);
	unsigned int nr = acpi_info.nr_ioapics;

	hd->ioapics = xnew_array(struct vioapic, max(nr, 1U));
	if (!hd->ioapics)
		return -ENOMEM;
	for (; hd->nr_ioapics < nr; hd->nr_ioapics++) {
		int rc = init_one(d, &hd->ioapics[hd->nr_ioapics],
				  &acpi_info.ioapic[hd->nr_ioapics]);

		if (rc)
			return rc;
	}
	return 0;
}

/* Where hvmloader's tables have it. */
#define GUEST_IOAPIC_BASE 0xfec00000UL
#define GUEST_IOAPIC_ID   1

int vioapic_init_guest(struct domain *d, unsigned int pins)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vioapic *io = xnew_array(struct vioapic, 1);

	if (!io)
		return -ENOMEM;
	hd->ioapics = io;
	hd->nr_ioapics = 1;
	io->domain = d;
	io->base = GUEST_IOAPIC_BASE;
	io->id = GUEST_IOAPIC_ID;
	io->is_virtual = true;
	io->pin = xnew_array(struct pin, pins);
	if (!io->pin)
		return -ENOMEM;
	io->nr_pins = pins;
	for (unsigned int n = 0; n < pins; n++)
		io->pin[n] =
			(struct pin){.io = io, .rte = RTE_MASKED, .gsi = n};
	return mmio_register(d, io->base, PAGE_SIZE, access, io);
}

void vioapic_line(struct domain *d, unsigned int gsi, bool up)
{
	struct pin *p = &hvm_domain(d)->ioapics->pin[gsi];

	WRITE_ONCE(p->line, up);
	if (!up)
		return;
	/* Whoever ends the last one clears its bit and then looks at line. */
	smp_mb();
	if (READ_ONCE(p->rte) & RTE_LEVEL)
		ask_again(p);
	else
		raise(p, 0);
}

#define MODE_EXTINT 7

bool vioapic_passes_pic(struct domain *d, uint32_t apic_id)
{
	uint64_t rte = READ_ONCE(hvm_domain(d)->ioapics->pin[0].rte);

	return !(rte & RTE_MASKED) &&
	       ((rte >> RTE_MODE_SHIFT) & 7) == MODE_EXTINT &&
	       rte >> RTE_DEST_SHIFT == apic_id;
}

void vioapic_destroy(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	for (unsigned int i = 0; i < hd->nr_ioapics; i++) {
		struct vioapic *io = &hd->ioapics[i];

		for (unsigned int n = 0; n < io->nr_pins; n++)
			if (io->pin[n].bound)
				irq_unbind_gsi(io->pin[n].gsi);
		xfree(io->pin);
	}
	xfree(hd->ioapics);
	hd->ioapics = NULL;
	hd->nr_ioapics = 0;
}

void vioapic_set_line(struct domain *d, unsigned int gsi, bool up)
{
	hvm_domain(d)->ioapics[0].pin[gsi].line = up;
}

void vioapic_save(struct domain *d, struct hvm_hw_vioapic *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	const struct vioapic *io = &hd->ioapics[0];

	spin_lock(&hd->lock);
	*r = (struct hvm_hw_vioapic){
		.base_address = io->base,
		.ioregsel = io->select,
		.id = io->id,
	};
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++)
		r->redirtbl[i].bits = READ_ONCE(io->pin[i].rte);
	spin_unlock(&hd->lock);
}

int vioapic_load(struct domain *d, const struct hvm_hw_vioapic *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vioapic *io = &hd->ioapics[0];

	if (r->base_address != io->base)
		return -EINVAL;
	spin_lock(&hd->lock);
	io->select = r->ioregsel & 0xff;
	io->id = r->id & 0xf;
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++) {
		uint64_t rte = r->redirtbl[i].bits & ~RTE_STATUS;

		if (!(rte & RTE_LEVEL))
			rte &= ~RTE_REMOTE_IRR;
		WRITE_ONCE(io->pin[i].rte, rte);
	}
	spin_unlock(&hd->lock);
	return 0;
}
