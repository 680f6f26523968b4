/* SPDX-License-Identifier: MIT */
/*
 * A guest PC's interrupt lines, its two 8259s, its I/O APIC, its 8254 and its
 * ACPI events and timer, driven through their ports and registers.
 */
#include "pc_world.h"

static void pic_priorities(void)
{
	begin();
	CHECK_EQ(vpic_highest(&domain), -1);
	init_pics();
	hvm_isa_irq(&domain, 4, true);
	CHECK_EQ(vpic_highest(&domain), 0xc);
	CHECK_EQ(extints, 1);
	vpic_ack(&domain, 0xc);
	CHECK_EQ(vpic_highest(&domain), -1); /* in service, and an edge */
	hvm_isa_irq(&domain, 5, true);
	CHECK_EQ(vpic_highest(&domain), -1); /* lower */
	hvm_isa_irq(&domain, 1, true);
	CHECK_EQ(vpic_highest(&domain), 9); /* higher */
	vpic_ack(&domain, 9);
	out(0x20, 0x20);
	CHECK_EQ(vpic_highest(&domain), -1); /* 4 still in service */
	out(0x20, 0x20);
	CHECK_EQ(vpic_highest(&domain), 0xd);
	out(0x21, 0x20); /* masked */
	CHECK_EQ(vpic_highest(&domain), -1);
	CHECK_EQ(in(0x21), 0x20);
	out(0x20, 0xa); /* read the IRR */
	CHECK_EQ(in(0x20) & 0x20, 0x20);
	end();
}

/* The guest takes an interrupt while we do not look. */
static void pic_unseen(void)
{
	begin();
	init_pics();
	hvm_isa_irq(&domain, 0, true);
	vpic_lend(&domain, 8);
	hvm_isa_irq(&domain, 0, false); /* taken meanwhile, and another */
	hvm_isa_irq(&domain, 0, true);
	vpic_ack(&domain, 8);
	out(0x20, 0xb);
	CHECK_EQ(in(0x20), 1);
	CHECK_EQ(vpic_highest(&domain), -1);
	out(0x20, 0x20);
	CHECK_EQ(vpic_highest(&domain), 8);
	vpic_lend(&domain, 8);
	hvm_isa_irq(&domain, 0, false); /* taken, and its edge is over */
	CHECK_EQ(vpic_highest(&domain), 8);
	vpic_ack(&domain, 8);
	CHECK_EQ(in(0x20), 1);
	out(0x20, 0x20);
	CHECK_EQ(vpic_highest(&domain), -1);
	hvm_isa_irq(&domain, 14, true);
	vpic_lend(&domain, 0x76);
	hvm_isa_irq(&domain, 14, false); /* not taken, and taken back */
	vpic_return(&domain);
	CHECK_EQ(vpic_highest(&domain), -1);
	hvm_isa_irq(&domain, 14, true);
	vpic_lend(&domain, 0x76);
	vpic_return(&domain); /* not taken */
	CHECK_EQ(vpic_highest(&domain), 0x76);
	end();
}

/* While the second chip's request is taken, a higher one of its own comes:
 * the first chip sees it when both have had their ends. */
static void pic_cascade_again(void)
{
	begin();
	init_pics();
	hvm_isa_irq(&domain, 12, true);
	vpic_lend(&domain, 0x74);
	hvm_isa_irq(&domain, 8, true);
	vpic_ack(&domain, 0x74);
	CHECK_EQ(vpic_highest(&domain), -1); /* the first chip waits */
	out(0xa0, 0x20);
	out(0x20, 0x20);
	CHECK_EQ(vpic_highest(&domain), 0x70);
	vpic_ack(&domain, 0x70);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	CHECK_EQ(vpic_highest(&domain), -1);
	end();
}

static void pic_cascade(void)
{
	begin();
	init_pics();
	hvm_isa_irq(&domain, 14, true);
	CHECK_EQ(vpic_highest(&domain), 0x76);
	vpic_ack(&domain, 0x76);
	out(0x20, 0xb); /* read the ISRs */
	out(0xa0, 0xb);
	CHECK_EQ(in(0x20), 4);
	CHECK_EQ(in(0xa0), 0x40);
	hvm_isa_irq(&domain, 3, true);
	CHECK_EQ(vpic_highest(&domain), -1); /* below the cascade */
	out(0xa0, 0x20);
	out(0x20, 0x62); /* specific, for the cascade */
	CHECK_EQ(vpic_highest(&domain), 0xb);
	end();
}

static void pic_level(void)
{
	begin();
	init_pics();
	out(0x4d1, 0x0e);
	CHECK_EQ(in(0x4d1), 0x0e);
	CHECK_EQ(hvm_pci_link(&domain, 2, 11), 0);
	hvm_pci_intx(&domain, 2, 0, true); /* link 2 */
	CHECK_EQ(vpic_highest(&domain), 0x73);
	hvm_pci_intx(&domain, 6, 0, true); /* the same link */
	vpic_ack(&domain, 0x73);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	CHECK_EQ(vpic_highest(&domain), 0x73); /* it is still up */
	hvm_pci_intx(&domain, 2, 0, false);
	CHECK_EQ(vpic_highest(&domain), 0x73); /* the other one holds it */
	CHECK_EQ(hvm_pci_link(&domain, 2, 10), 0);
	CHECK_EQ(vpic_highest(&domain), 0x72);
	hvm_pci_intx(&domain, 6, 0, false);
	CHECK_EQ(vpic_highest(&domain), -1);
	end();
}

static void ioapic_edge(void)
{
	begin();
	CHECK_EQ(io_read(1), 0x11 | 47 << 16);
	pulse(4);
	CHECK_EQ(delivered, 0); /* masked */
	io_write(0x10 + 4 * 2, 0x31);
	pulse(4);
	CHECK_EQ(delivered, 1);
	CHECK_EQ(last_vector, 0x31);
	hvm_isa_irq(&domain, 4, true);
	hvm_isa_irq(&domain, 4, true); /* no new edge */
	CHECK_EQ(delivered, 2);
	io_write(0x10 + 2 * 2, 0x30); /* the timer's is input 2 */
	pulse(0);
	CHECK_EQ(delivered, 3);
	CHECK_EQ(last_vector, 0x30);
	end();
}

static void ioapic_level(void)
{
	/* device 3, INTA: input 16 + 12 */
	unsigned int reg = 0x10 + 28 * 2;

	begin();
	io_write(reg, 0xa041); /* level, active low */
	hvm_pci_intx(&domain, 3, 0, true);
	CHECK_EQ(delivered, 1);
	CHECK(last_level);
	CHECK_EQ(io_read(reg) & BIT(14), BIT(14));
	hvm_pci_intx(&domain, 3, 0, false);
	hvm_pci_intx(&domain, 3, 0, true);
	CHECK_EQ(delivered, 1); /* the first one is not ended */
	vioapic_eoi(&domain, 0x41);
	CHECK_EQ(delivered, 2);
	hvm_pci_intx(&domain, 3, 0, false);
	vioapic_eoi(&domain, 0x41);
	CHECK_EQ(delivered, 2);
	io_write(reg, 0x1a041);
	hvm_pci_intx(&domain, 3, 0, true);
	CHECK_EQ(delivered, 2);
	io_write(reg, 0xa041); /* opened while it is up */
	CHECK_EQ(delivered, 3);
	end();
}

/* hvmloader's way: the local APIC's own input stays masked. */
static void virtual_wire(void)
{
	begin();
	CHECK(!vioapic_passes_pic(&domain, 0));
	extints = 0;
	io_write(0x10, 0x700);
	CHECK(vioapic_passes_pic(&domain, 0));
	CHECK(!vioapic_passes_pic(&domain, 2));
	CHECK_EQ(extints, 1); /* what waited is looked at again */
	io_write(0x10, 0x10700);
	CHECK(!vioapic_passes_pic(&domain, 0));
	end();
}

static void messages(void)
{
	begin();
	CHECK_EQ(hvm_inject_msi(&domain, 0xfee00000, 0x4051), 0);
	CHECK_EQ(delivered, 1);
	CHECK_EQ(last_vector, 0x51);
	CHECK_EQ(hvm_inject_msi(&domain, 0xfed00000, 0x51), -EINVAL);
	CHECK_EQ(hvm_inject_msi(&domain, 0xfee00000, 0x05), -EINVAL);
	CHECK_EQ(hvm_inject_msi(&domain, 0xfee00000, 0x351), -EINVAL);
	CHECK_EQ(hvm_inject_msi(&domain, 0xfee00000, 0x551), -EINVAL);
	CHECK_EQ(delivered, 1);
	/* QEMU knows no more than the place in its own memory. */
	CHECK_EQ(hvm_inject_msi(&domain, 0x100c, 0x4052), 0);
	CHECK_EQ(delivered, 2);
	CHECK_EQ(last_vector, 0x52);
	end();
}

static void pit_periodic(void)
{
	begin();
	init_pics();
	out(0x43, 0x34); /* counter 0, both bytes, rate generator */
	out(0x40, 0xa9);
	out(0x40, 0x04); /* 1193: a millisecond */
	REQUIRE(set_timer != NULL);
	CHECK(timer_at - clock > 999000 && timer_at - clock < 1001000);
	clock = timer_at;
	set_timer->fn(set_timer->data);
	CHECK_EQ(vpic_highest(&domain), 8);
	REQUIRE(set_timer != NULL);
	CHECK(timer_at - clock > 999000 && timer_at - clock < 1001000);
	end();
}

static void pit_reading(void)
{
	unsigned int n;

	begin();
	out(0x43, 0x34);
	out(0x40, 0);
	out(0x40, 0);      /* 65536 */
	clock += 10000000; /* 11931 counts */
	out(0x43, 0);      /* latch */
	clock += 10000000;
	n = in(0x40);
	n |= (unsigned int)in(0x40) << 8;
	CHECK(n >= 65536 - 11932 && n <= 65536 - 11931);
	out(0x43, 0xe2); /* read back the status of counter 0 */
	CHECK_EQ(in(0x40) & 0x3f, 0x34);
	/* counter 2, mode 0, through the gate of port 0x61 */
	out(0x61, 0);
	out(0x43, 0xb0);
	out(0x42, 0xa9);
	out(0x42, 0x04);
	out(0x61, 1);
	CHECK_EQ(in(0x61) & 0x20, 0);
	clock += 1000500;
	CHECK_EQ(in(0x61) & 0x21, 0x21);
	end();
}

static void pm_timer(void)
{
	uint32_t n;

	begin();
	n = inn(0xb008, 4);
	clock += 1000000000;
	CHECK_EQ(inn(0xb008, 4) - n, 3579545);
	CHECK_EQ(inn(0xb008, 2), 3579545 & 0xffff);
	CHECK_EQ(inn(0xb00a, 1), 3579545 >> 16 & 0xff);
	outn(0xb008, 4, 0);
	CHECK_EQ(inn(0xb008, 4) - n, 3579545);
	/* Its highest bit flips: a status, and an interrupt once enabled. */
	CHECK_EQ(inn(0xb000, 2), 0);
	clock += 600 * 1000000000L;
	CHECK_EQ(inn(0xb000, 2), 1);
	outn(0xb000, 2, 1);
	CHECK_EQ(inn(0xb000, 4), 0);
	outn(0xb002, 2, 1);
	CHECK(set_timer);
	clock = timer_at - 200;
	CHECK_EQ(inn(0xb008, 4), 0xffffffff);
	clock += 210;
	CHECK_EQ(inn(0xb008, 4), 0);
	set_timer->fn(set_timer->data);
	CHECK_EQ(inn(0xb000, 4), 0x10001);
	CHECK(!set_timer);
	end();
}

/* The button is an event, the event interrupt 9 once it is enabled, and both
 * last until the guest clears the status. The device model may hold 9, too. */
static void buttons(void)
{
	begin();
	init_pics();
	out(0x4d1, 2); /* level-triggered, as ACPI's is */
	vacpi_power_button(&domain);
	CHECK_EQ(inn(0xb000, 4), 0x100);
	CHECK_EQ(vpic_highest(&domain), -1);
	out(0xb003, 1); /* the high byte of PM1_EN */
	CHECK_EQ(vpic_highest(&domain), 0x71);
	hvm_isa_irq(&domain, 9, true);
	outn(0xb000, 2, 0x300);
	CHECK_EQ(vpic_highest(&domain), 0x71);
	hvm_isa_irq(&domain, 9, false);
	CHECK_EQ(vpic_highest(&domain), -1);
	CHECK_EQ(inn(0xb000, 4), 0x1000000);
	vacpi_sleep_button(&domain);
	CHECK_EQ(vpic_highest(&domain), -1);
	outn(0xb002, 2, 0x300);
	CHECK_EQ(vpic_highest(&domain), 0x71);
	outn(0xb000, 4, 0);
	CHECK_EQ(vpic_highest(&domain), -1);
	end();
	/* A guest without them. */
	vacpi_power_button(&domain);
}

/* Up while the first vCPU's flag is: by input, by a device's line, not both. */
static void callback(void)
{
	static struct vcpu_info info;
	static struct vcpu *vcpus[1] = {&vcpu};

	begin();
	domain.vcpu = vcpus;
	vcpu.info = &info;
	info.evtchn_upcall_pending = 1;
	init_pics();
	out(0x4d1, 0x0e); /* 9 to 11 */
	CHECK(!virq_callback(&domain));
	virq_set_callback(&domain, 9);
	CHECK(hd.callback_line);
	CHECK_EQ(vpic_highest(&domain), -1);
	CHECK(virq_callback(&domain));
	CHECK_EQ(vpic_highest(&domain), 0x71);
	hvm_pci_link(&domain, 2, 10);
	/* Device 1, INTB: through the third link. */
	virq_set_callback(&domain, 1UL << 56 | 1 << 11 | 1);
	CHECK_EQ(vpic_highest(&domain), -1);
	CHECK(virq_callback(&domain));
	CHECK_EQ(vpic_highest(&domain), 0x72);
	/* The device itself may hold its line, too. */
	hvm_pci_intx(&domain, 1, 1, true);
	info.evtchn_upcall_pending = 0;
	CHECK(!virq_callback(&domain));
	CHECK_EQ(vpic_highest(&domain), 0x72);
	hvm_pci_intx(&domain, 1, 1, false);
	CHECK_EQ(vpic_highest(&domain), -1);
	info.evtchn_upcall_pending = 1;
	virq_set_callback(&domain, 48);
	CHECK(!hd.callback_line);
	CHECK(!virq_callback(&domain));
	virq_set_callback(&domain, 2UL << 56 | 0xf3);
	CHECK(!hd.callback_line);
	domain.vcpu = NULL;
	end();
}

/* An I/O APIC's level is not asked for again when the flag went before EOI. */
static void callback_eoi(void)
{
	static struct vcpu_info info;
	static struct vcpu *vcpus[1] = {&vcpu};
	unsigned int n;

	begin();
	domain.vcpu = vcpus;
	vcpu.info = &info;
	io_write(0x10 + 2 * 20, 0x8040);
	virq_set_callback(&domain, 20);
	info.evtchn_upcall_pending = 1;
	virq_callback(&domain);
	CHECK_EQ(last_vector, 0x40);
	n = delivered;
	vioapic_eoi(&domain, 0x40);
	CHECK_EQ(delivered, n + 1);
	info.evtchn_upcall_pending = 0;
	vioapic_eoi(&domain, 0x40);
	CHECK_EQ(delivered, n + 1);
	domain.vcpu = NULL;
	end();
}

/* All records of the board, one after the other; how many bytes. */
static size_t save_all(char *buf)
{
	const struct board_record *r;
	size_t n = 0;

	for (unsigned int type = 0; type < 20; type++)
		for (unsigned int i = 0;
		     (r = board_record(&domain, type)) && i < r->instances;
		     i++) {
			r->save(&domain, i, buf + n);
			n += (r->size + 7) & ~7UL;
		}
	return n;
}
static void load_all(const char *buf)
{
	const struct board_record *r;

	for (unsigned int type = 0; type < 20; type++)
		for (unsigned int i = 0;
		     (r = board_record(&domain, type)) && i < r->instances;
		     i++) {
			CHECK_EQ(r->load(&domain, i, buf), 0);
			buf += (r->size + 7) & ~7UL;
		}
}

static void anything(unsigned int seed, unsigned int accesses);

/* A board loaded with what another gave gives the same. */
static void records_again(void)
{
	static uint64_t one[512], other[512];
	s_time_t then;
	size_t n;

	for (unsigned int seed = 1; seed <= 200; seed++) {
		memset(one, 0, sizeof(one));
		memset(other, 0, sizeof(other));
		begin();
		anything(seed * 7919, 200);
		n = save_all((char *)one);
		then = clock; /* what it is by the clock is in them, too */
		CHECK(n > 1500 && n <= sizeof(one));
		end();
		begin();
		/* What it was before plays no part. */
		if (seed & 1)
			anything(seed, 100);
		clock = then;
		load_all((char *)one);
		CHECK_EQ(save_all((char *)other), n);
		CHECK_EQ(memcmp(one, other, n), 0);
		end();
	}
}

/* A line that was up stays so, without an edge, and can go down. */
static void records_lines(void)
{
	static uint64_t saved[512];

	begin();
	init_pics();
	io_write(0x10 + 2 * 20, 0x8040);
	hvm_pci_link(&domain, 1, 11);
	out(0x4d1, 8);
	hvm_isa_irq(&domain, 4, true);
	CHECK_EQ(vpic_highest(&domain), 0x0c);
	vpic_ack(&domain, 0x0c);
	out(0x20, 0x20);
	hvm_pci_intx(&domain, 1, 0, true); /* input 20; link 1, so 11 */
	save_all((char *)saved);
	end();
	begin();
	load_all((char *)saved);
	CHECK_EQ(delivered, 0);
	CHECK_EQ(vpic_highest(&domain), 0x73);
	hvm_pci_intx(&domain, 1, 0, false);
	CHECK_EQ(vpic_highest(&domain), -1);
	hvm_isa_irq(&domain, 4, true); /* no news */
	CHECK_EQ(vpic_highest(&domain), -1);
	hvm_isa_irq(&domain, 4, false);
	hvm_isa_irq(&domain, 4, true);
	CHECK_EQ(vpic_highest(&domain), 0x0c);
	end();
}

/* Whatever the guest made of it: what S3 leaves is as after power-on. */
static void board_after_sleep(void)
{
	static struct hvm_hw_vioapic io[2];
	static struct hvm_hw_hpet hpet[2];
	static struct hvm_hw_pit pit[2];
	struct hvm_hw_vpic pic;
	s_time_t then;

	for (unsigned int seed = 1; seed <= 100; seed++) {
		begin();
		anything(seed * 7919, 300);
		outn(0xb000, 4, 0x3000000);
		board_reset(&domain);
		then = clock;
		vioapic_save(&domain, &io[0]);
		vhpet_save(&domain, &hpet[0]);
		vpit_save(&domain, &pit[0]);
		vpic_save(&domain, 0, &pic);
		CHECK_EQ(pic.imr | pic.isr | pic.elcr, 0);
		CHECK_EQ(inn(0xb000, 4), 0);
		out(0x70, 11);
		CHECK_EQ(in(0x71) & 0x70, 0);
		end();
		begin();
		clock = then;
		vioapic_save(&domain, &io[1]);
		vhpet_save(&domain, &hpet[1]);
		vpit_save(&domain, &pit[1]);
		io[1].id = io[0].id; /* the guest's, still */
		CHECK_EQ(memcmp(&io[0], &io[1], sizeof(io[0])), 0);
		CHECK_EQ(memcmp(&hpet[0], &hpet[1], sizeof(hpet[0])), 0);
		/* The counts go on from when it was. */
		for (unsigned int i = 0; i < 3; i++)
			CHECK_EQ(pit[0].channels[i].mode, 3);
		end();
	}
}

static void records_bad(void)
{
	struct hvm_hw_vpic pic;
	struct hvm_hw_vioapic io;
	struct hvm_hw_pit pit;
	struct hvm_hw_pci_link link;

	begin();
	vpic_save(&domain, 0, &pic);
	CHECK_EQ(vpic_load(&domain, 1, &pic), -EINVAL);
	pic.irq_base = 9;
	CHECK_EQ(vpic_load(&domain, 0, &pic), -EINVAL);
	vioapic_save(&domain, &io);
	io.base_address += 4096;
	CHECK_EQ(vioapic_load(&domain, &io), -EINVAL);
	vpit_save(&domain, &pit);
	pit.channels[2].count = 65537;
	CHECK_EQ(vpit_load(&domain, &pit), -EINVAL);
	pit.channels[2].count = 1;
	pit.channels[0].mode = 6;
	CHECK_EQ(vpit_load(&domain, &pit), -EINVAL);
	virq_save(&domain, NULL, NULL, &link);
	link.route[3] = 16;
	CHECK_EQ(virq_load(&domain, NULL, NULL, &link), -EINVAL);
	end();
	/* Without a board there are none. */
	CHECK(!board_record(&domain, HVM_SAVE_CODE(PIC)));
	CHECK(!board_record(&domain, HVM_SAVE_CODE(PMTIMER)));
}

static void anything(unsigned int seed, unsigned int accesses)
{
	for (unsigned int i = 0; i < accesses; i++) {
		static const uint16_t all[] = {0x20,   0x21,   0xa0,   0xa1,
					       0x40,   0x41,   0x42,   0x43,
					       0x61,   0x4d0,  0x4d1,  0xb000,
					       0xb001, 0xb002, 0xb003, 0xb008};
		unsigned int port;

		seed = seed * 1103515245 + 12345;
		port = all[(seed >> 8) % ARRAY_SIZE(all)];
		if (seed & BIT(30))
			outn(port, seed >> 10 & 4 ? 4 : 1, seed >> 16 & 0xff);
		else
			in(port);
		if ((seed >> 4 & 15) != 8) /* that one is our clock's alone */
			hvm_isa_irq(&domain, (seed >> 4) & 15, seed & 1);
		hvm_pci_intx(&domain, (seed >> 20) & 31, seed & 3,
			     seed & BIT(12));
		hvm_pci_link(&domain, (seed >> 5) & 3, (seed >> 9) & 15);
		io_write((seed >> 13) & 0x7f, seed);
		if (vpic_highest(&domain) >= 0)
			vpic_ack(&domain, (uint8_t)vpic_highest(&domain));
		clock += seed >> 20;
		if (set_timer && timer_at < clock)
			set_timer->fn(set_timer->data);
		vioapic_eoi(&domain, (uint8_t)(seed >> 6));
	}
}

/* Every port with every byte: nothing may happen that ASan would see. */
static void random_ports(void)
{
	begin();
	anything(1, 200000);
	end();
}

static const struct test_case cases[] = {
	{"8259: priorities and masks", pic_priorities},
	{"8259: the second chip", pic_cascade},
	{"8259: the second chip asks again", pic_cascade_again},
	{"8259: taken unseen", pic_unseen},
	{"8259: level-triggered links", pic_level},
	{"I/O APIC: edges", ioapic_edge},
	{"I/O APIC: levels", ioapic_level},
	{"I/O APIC: the 8259s through input 0", virtual_wire},
	{"message-signalled interrupts", messages},
	{"8254: the periodic interrupt", pit_periodic},
	{"8254: what is read", pit_reading},
	{"ACPI: the PM timer", pm_timer},
	{"ACPI: buttons", buttons},
	{"the event callback by line", callback},
	{"… and its end", callback_eoi},
	{"records: saved, loaded, saved", records_again},
	{"records: lines that are up", records_lines},
	{"records that cannot be", records_bad},
	{"the board after a sleep", board_after_sleep},
	{"random accesses", random_ports},
};

int main(void)
{
	return run_cases(cases, ARRAY_SIZE(cases));
}
