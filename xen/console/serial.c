/* SPDX-License-Identifier: MIT */
/*
 * The serial line: com1=<baud>,<bits><parity><stop>[,<port>[,<irq>]], as in
 * "115200,8n1". Output waits for the port, input comes by interrupt or poll.
 */
#include "console/serial.h"
#include "console/console.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "lib/string.h"
#include "lib/x86.h"

/* 16550 registers: offset from the port, and bits. */
enum {
	RBR = 0,
	THR = 0,
	DLL = 0,
	IER = 1,
	DLM = 1,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	SCR = 7
};
#define IER_RECEIVE   0x01
#define FCR_ENABLE    0x07 /* FIFOs on and emptied */
#define LCR_DLAB      0x80
#define MCR_DTR_RTS   0x03
#define MCR_OUT2      0x08 /* gates the interrupt on PCs */
#define LSR_RECEIVED  0x01
#define LSR_THR_EMPTY 0x20
#define CLOCK         115200

static struct {
	uint32_t baud; /* 0: as the firmware left it */
	uint8_t lcr;
	uint16_t port;
	uint16_t irq;
	bool ready;
} uart = {CLOCK, 0x03, 0x3f8, 4, false};

/* "8n1" as the line control register. */
static bool parse_format(const char *s, uint8_t *lcr, const char **end)
{
	static const char parity[] = "noems"; /* none odd even mark space */
	static const uint8_t bits[] = {0x00, 0x08, 0x18, 0x28, 0x38};
	const char *p = s[0] ? strchr(parity, s[1]) : NULL;

	if (s[0] < '5' || s[0] > '8' || !s[1] || !p || p - parity > 4 ||
	    s[2] < '1' || s[2] > '2')
		return false;
	*lcr = (uint8_t)((s[0] - '5') | bits[p - parity] |
			 (s[2] == '2' ? 0x04 : 0));
	*end = s + 3;
	return true;
}

static bool parse_port(const char *s, const char **end)
{
	uint64_t v;

	if (!parse_number(s, &v, end) || v == 0 || v > 0xfff8)
		return false;
	uart.port = (uint16_t)v;
	if (**end != ',')
		return true;
	if (!parse_number(*end + 1, &v, end) || v > 15)
		return false;
	uart.irq = (uint16_t)v;
	return true;
}

static int parse_com1(const struct param *p, const char *value)
{
	uint64_t baud = 0;
	const char *s = value;
	uint8_t lcr = uart.lcr;

	(void)p;
	if (!s)
		return -EINVAL;
	if (strncmp(s, "auto", 4) == 0)
		s += 4;
	else if (!parse_number(s, &baud, &s) || baud == 0 || baud > CLOCK)
		return -EINVAL;
	if (*s == '/') /* clock: a rate in Hz that few machines need */
		while (*s && *s != ',')
			s++;
	if (*s == ',' && !parse_format(s + 1, &lcr, &s))
		return -EINVAL;
	if (*s == ',' && !parse_port(s + 1, &s))
		return -EINVAL;
	if (*s)
		return -EINVAL;
	uart.baud = (uint32_t)baud;
	uart.lcr = lcr;
	return 0;
}
PARAM_CUSTOM("com1", parse_com1, "first serial line: baud,format[,port[,irq]]");

static void out(unsigned int reg, uint8_t v)
{
	outb((uint16_t)(uart.port + reg), v);
}
static uint8_t in(unsigned int reg)
{
	return inb((uint16_t)(uart.port + reg));
}

bool serial_init(void)
{
	out(SCR, 0x5a); /* keeps a byte if there is a port at all */
	if (in(SCR) != 0x5a)
		return false;
	out(IER, 0);
	if (uart.baud) {
		uint32_t divisor = CLOCK / uart.baud;

		out(LCR, uart.lcr | LCR_DLAB);
		out(DLL, divisor & 0xff);
		out(DLM, (uint8_t)(divisor >> 8));
	}
	out(LCR, uart.lcr);
	out(FCR, FCR_ENABLE);
	out(MCR, MCR_DTR_RTS | MCR_OUT2);
	uart.ready = true;
	return true;
}

/* Bounded: a port that never empties must not hang the machine. */
static void wait_empty(void)
{
	for (unsigned int i = 0; i < 1000000; i++)
		if (in(LSR)&LSR_THR_EMPTY)
			return;
	uart.ready = false;
}

void serial_putc(char c)
{
	if (!uart.ready)
		return;
	if (c == '\n')
		serial_putc('\r');
	wait_empty();
	out(THR, (uint8_t)c);
}

void serial_poll(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		if (!uart.ready || !(in(LSR)&LSR_RECEIVED))
			return;
		console_receive((char)in(RBR));
	}
}

unsigned int serial_enable_irq(void)
{
	if (!uart.ready || !uart.irq)
		return 0;
	out(IER, IER_RECEIVE);
	return uart.irq;
}

uint16_t serial_port(void)
{
	return uart.ready ? uart.port : 0;
}
