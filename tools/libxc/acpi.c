/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables of a PVH guest: RSDP, XSDT, FADT, FACS, MADT with a local
 * APIC for each vCPU, and a DSDT with a processor object for each. There is no
 * ACPI hardware behind them: the FADT says what is not there.
 */
#include <xenctrl.h>
#include <xen/hvm/ioreq.h>

#include "build.h"

/* All structures: ACPI 5.0, "ACPI Software Programming Model". */
struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct address {
	uint8_t space, width, offset, access;
	uint64_t address;
} __attribute__((packed));

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

struct fadt {
	struct header h;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci_irq;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate_cnt;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr;
	uint32_t gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	uint8_t gpe0_len, gpe1_len, gpe1_base, cst_cnt;
	uint16_t lvl2_latency, lvl3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint8_t reserved2[3];
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt;
	struct address x_pm2_cnt, x_pm_tmr, x_gpe0, x_gpe1;
	struct address sleep_control, sleep_status;
} __attribute__((packed));

_Static_assert(sizeof(struct fadt) == 268, "FADT of ACPI 5.0");

struct facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} __attribute__((packed));

_Static_assert(sizeof(struct facs) == 64, "FACS");

struct madt {
	struct header h;
	uint32_t lapic_address, flags;
} __attribute__((packed));

struct madt_lapic {
	uint8_t type, length, processor, apic_id;
	uint32_t flags;
} __attribute__((packed));

enum {
	SPACE_IO = 1,
	FADT_WBINVD = 1 << 0,
	FADT_C1 = 1 << 2,
	FADT_PWR_BUTTON = 1 << 4, /* a control method, not fixed hardware */
	FADT_SLP_BUTTON = 1 << 5,
	FADT_FIX_RTC = 1 << 6,
	FADT_TMR_32 = 1 << 8,
	FADT_PLATFORM_CLOCK = 1 << 15,
	BOOT_NO_VGA = 1 << 2,
	BOOT_NO_RTC = 1 << 5,
	MADT_PCAT = 1,
	LAPIC_ENABLED = 1,
	LAPIC_ADDRESS = 0xfee00000,
};

/* Tables one after the other, in a buffer that lies at paddr in the guest. */
struct area {
	uint8_t *data;
	size_t len, used;
	uint64_t paddr;
};

static void *take(struct area *a, size_t size)
{
	size_t at = round_up(a->used, 64);

	if (at + size > a->len)
		return NULL;
	a->used = at + size;
	return a->data + at;
}

static uint64_t paddr_of(const struct area *a, const void *p)
{
	return a->paddr + (uint64_t)((const uint8_t *)p - a->data);
}

static uint8_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return (uint8_t)-sum;
}

static void fill_header(struct header *h, const char *signature,
			uint8_t revision, size_t length)
{
	memcpy(h->signature, signature, 4);
	h->length = (uint32_t)length;
	h->revision = revision;
	memcpy(h->oem_id, "Xen\0\0", 6);
	memcpy(h->oem_table_id, "HVM\0\0\0\0", 8);
	memcpy(h->creator_id, "OSTL", 4);
	h->creator_revision = 1;
	h->checksum = 0;
	h->checksum = checksum(h, length);
}

static struct address io_block(uint16_t port, uint8_t width)
{
	return (struct address){SPACE_IO, width, 0, 0, port};
}

static void *make_fadt(struct area *a, uint64_t facs, uint64_t dsdt)
{
	struct fadt *f = take(a, sizeof(*f));

	if (!f)
		return NULL;
	f->facs = (uint32_t)facs;
	f->x_facs = facs;
	f->dsdt = (uint32_t)dsdt;
	f->x_dsdt = dsdt;
	f->sci_irq = 9;
	f->pm1a_evt = ACPI_PM1A_EVT_BLK_ADDRESS_V1;
	f->pm1a_cnt = ACPI_PM1A_CNT_BLK_ADDRESS_V1;
	f->gpe0 = ACPI_GPE0_BLK_ADDRESS_V1;
	f->pm1_evt_len = 4;
	f->pm1_cnt_len = 2;
	f->gpe0_len = ACPI_GPE0_BLK_LEN_V1;
	f->lvl2_latency = f->lvl3_latency = 0xfff; /* no C2, no C3 */
	f->boot_arch = BOOT_NO_VGA | BOOT_NO_RTC;
	f->flags = FADT_WBINVD | FADT_C1 | FADT_PWR_BUTTON | FADT_SLP_BUTTON |
		   FADT_FIX_RTC | FADT_TMR_32 | FADT_PLATFORM_CLOCK;
	f->reset = io_block(0xcf9, 8);
	f->reset_value = 6;
	f->x_pm1a_evt = io_block(ACPI_PM1A_EVT_BLK_ADDRESS_V1, 32);
	f->x_pm1a_cnt = io_block(ACPI_PM1A_CNT_BLK_ADDRESS_V1, 16);
	fill_header(&f->h, "FACP", 5, sizeof(*f));
	return f;
}

static void *make_facs(struct area *a)
{
	struct facs *f = take(a, sizeof(*f));

	if (!f)
		return NULL;
	memcpy(f->signature, "FACS", 4);
	f->length = sizeof(*f);
	f->version = 1;
	return f;
}

static void *make_madt(struct area *a, unsigned int n, const uint8_t *online)
{
	size_t size = sizeof(struct madt) + n * sizeof(struct madt_lapic);
	struct madt *m = take(a, size);
	struct madt_lapic *l;

	if (!m)
		return NULL;
	m->lapic_address = LAPIC_ADDRESS;
	m->flags = MADT_PCAT;
	l = (struct madt_lapic *)(m + 1);
	for (unsigned int i = 0; i < n; i++)
		l[i] = (struct madt_lapic){
			.length = sizeof(*l),
			.processor = (uint8_t)i,
			.apic_id = (uint8_t)(i * 2),
			.flags = !online || (online[i / 8] >> i % 8 & 1)
					 ? LAPIC_ENABLED
					 : 0,
		};
	fill_header(&m->h, "APIC", 4, size);
	return m;
}

/*
 * Scope (\_SB) { Device (Cxxx) { Name (_HID, "ACPI0007") Name (_UID, xxx) } }
 * in AML: ACPI 5.0, "AML Grammar Definition". A Device of fixed size, so that
 * the package lengths are known.
 */
struct aml_cpu {
	uint8_t device_op[2], length[1];
	char name[4];
	uint8_t hid_op;
	char hid_name[4];
	uint8_t string_op;
	char hid[9];
	uint8_t uid_op;
	char uid_name[4];
	uint8_t byte_op, uid;
} __attribute__((packed));

struct aml_scope {
	uint8_t op, length[3];
	char name[5];
} __attribute__((packed));

static void aml_cpu(struct aml_cpu *c, unsigned int i)
{
	static const char digits[] = "0123456789ABCDEF";

	*c = (struct aml_cpu){
		.device_op = {0x5b, 0x82},
		.length = {sizeof(*c) - 2},
		.name = {'C', '0', digits[i / 16], digits[i % 16]},
		.hid_op = 0x08,
		.hid_name = {'_', 'H', 'I', 'D'},
		.string_op = 0x0d,
		.hid = "ACPI0007",
		.uid_op = 0x08,
		.uid_name = {'_', 'U', 'I', 'D'},
		.byte_op = 0x0a,
		.uid = (uint8_t)i,
	};
}

static void *make_dsdt(struct area *a, unsigned int n)
{
	size_t cpus = n * sizeof(struct aml_cpu);
	size_t scope = sizeof(struct aml_scope) - 1 + cpus;
	size_t size = sizeof(struct header) + 1 + scope;
	struct header *h = take(a, size);
	struct aml_scope *s;

	if (!h)
		return NULL;
	s = (struct aml_scope *)(h + 1);
	/* Length in three bytes: four bits, then eight and eight more. */
	*s = (struct aml_scope){
		.op = 0x10,
		.length = {(uint8_t)(0x80 | (scope & 0xf)),
			   (uint8_t)(scope >> 4), (uint8_t)(scope >> 12)},
		.name = {'\\', '_', 'S', 'B', '_'},
	};
	for (unsigned int i = 0; i < n; i++)
		aml_cpu((struct aml_cpu *)(s + 1) + i, i);
	fill_header(h, "DSDT", 2, size);
	return h;
}

static void *make_xsdt(struct area *a, uint64_t fadt, uint64_t madt)
{
	size_t size = sizeof(struct header) + 2 * sizeof(uint64_t);
	struct header *h = take(a, size);
	uint64_t entries[2] = {fadt, madt};

	if (!h)
		return NULL;
	memcpy(h + 1, entries, sizeof(entries));
	fill_header(h, "XSDT", 1, size);
	return h;
}

static void fill_rsdp(struct rsdp *r, uint64_t xsdt)
{
	memcpy(r->signature, "RSD PTR ", 8);
	memcpy(r->oem_id, "Xen\0\0", 6);
	r->revision = 2;
	r->length = sizeof(*r);
	r->xsdt = xsdt;
	r->checksum = checksum(r, 20);
	r->extended_checksum = checksum(r, sizeof(*r));
}

void *acpi_tables(unsigned int nr_vcpus, const uint8_t *online, uint64_t paddr,
		  size_t *len)
{
	struct area a = {.len = 4 * PAGE_SIZE, .paddr = paddr};
	void *facs, *dsdt, *fadt, *madt, *xsdt;
	struct rsdp *rsdp;

	a.data = calloc(1, a.len);
	if (!a.data)
		return NULL;
	rsdp = take(&a, sizeof(*rsdp));
	facs = make_facs(&a);
	dsdt = make_dsdt(&a, nr_vcpus);
	madt = make_madt(&a, nr_vcpus, online);
	if (!rsdp || !facs || !dsdt || !madt)
		goto fail;
	fadt = make_fadt(&a, paddr_of(&a, facs), paddr_of(&a, dsdt));
	if (!fadt)
		goto fail;
	xsdt = make_xsdt(&a, paddr_of(&a, fadt), paddr_of(&a, madt));
	if (!xsdt)
		goto fail;
	fill_rsdp(rsdp, paddr_of(&a, xsdt));
	*len = round_up(a.used, PAGE_SIZE);
	return a.data;
fail:
	free(a.data);
	errno = E2BIG;
	return NULL;
}
