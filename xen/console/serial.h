/* SPDX-License-Identifier: MIT */
/* A 16550 serial port, as com1= describes it. */
#ifndef OSTLER_CONSOLE_SERIAL_H
#define OSTLER_CONSOLE_SERIAL_H

#include "lib/types.h"

/* Programs the port. False: there is none. */
bool serial_init(void);
void serial_putc(char c);
/* Takes what has arrived to console_receive(). Any context, interrupts off. */
void serial_poll(void);
/* The ISA line that it interrupts on, 0: poll it. Enables the interrupt. */
unsigned int serial_enable_irq(void);
/* The port that we use, so that dom0 is not given it; 0: none. */
uint16_t serial_port(void);

#endif
