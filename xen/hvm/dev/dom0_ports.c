/* SPDX-License-Identifier: MIT */
/*
 * dom0's ports: all of the machine's are its own, without an exit, but for
 * those behind which we stand or that we use: the interrupt controllers and the
 * timer of old, our serial line, PCI's (vpci.c).
 */
#include "console/serial.h"
#include "hvm/portio.h"

static const struct {
	uint16_t first, n;
} ours[] = {
	{0x20, 2}, /* PIC: it is masked for good; dom0's tables show none */
	{0xa0, 2}, {0x40, 4},  /* PIT */
	{0x61, 1}, {0xcf8, 8}, /* PCI */
};

int dom0_ports_init(struct domain *d)
{
	hvm_ops->allow_port(d, 0, 0x10000, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++)
		hvm_ops->allow_port(d, ours[i].first, ours[i].n, false);
	if (serial_port())
		hvm_ops->allow_port(d, serial_port(), 8, false);
	return 0;
}
