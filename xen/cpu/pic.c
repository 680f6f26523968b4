/* SPDX-License-Identifier: MIT */
/*
 * The two 8259s: moved out of the way of the exceptions and masked for good.
 * (Spurious ones come all the same, at lines 7 and 15.)
 */
#include "cpu/cpu.h"
#include "cpu/ioapic.h"

#define PIC_BASE_VECTOR 0x20

void pic_disable(void)
{
	static const uint16_t port[2] = {0x20, 0xa0};

	for (unsigned int i = 0; i < 2; i++) {
		outb(port[i] + 1, 0xff);
		outb(port[i], 0x11); /* edge, cascade, ICW4 follows */
		outb(port[i] + 1, (uint8_t)(PIC_BASE_VECTOR + 8 * i));
		outb(port[i] + 1, i ? 2 : 4); /* the cascade is line 2 */
		outb(port[i] + 1, 1);         /* 8086 mode */
		outb(port[i] + 1, 0xff);
	}
}
