/* SPDX-License-Identifier: MIT */
/*
 * Ports. A guest's kernel that asked for IOPL 1 may try; behind that are the
 * machine's devices for dom0, and nothing for all others.
 */
#include "pv/io.h"

#include "console/serial.h"
#include "cpu/pci.h"
#include "cpu/softirq.h"
#include "domain/guest_access.h"

/* Ours: interrupt controllers, timer, the serial line of our console. PCI's
 * index is a register of its own (below). */
static bool is_ours(unsigned int port, unsigned int size)
{
	static const struct {
		uint16_t first, last;
	} ours[] = {{0x20, 0x21}, {0xa0, 0xa1}, {0x40, 0x43}, {0x61, 0x61}};

	for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++)
		if (port <= ours[i].last && port + size > ours[i].first)
			return true;
	return serial_port() && port < serial_port() + 8U &&
	       port + size > serial_port();
}

static uint32_t port_in(unsigned int port, unsigned int size)
{
	switch (size) {
	case 1:
		return inb((uint16_t)port);
	case 2:
		return inw((uint16_t)port);
	default:
		return inl((uint16_t)port);
	}
}

static void port_out(unsigned int port, unsigned int size, uint32_t val)
{
	switch (size) {
	case 1:
		outb((uint16_t)port, (uint8_t)val);
		break;
	case 2:
		outw((uint16_t)port, (uint16_t)val);
		break;
	default:
		outl((uint16_t)port, val);
		break;
	}
}

/*
 * PCI configuration through 0xcf8 and 0xcfc: the index is the domain's own, as
 * we use the real one ourselves. False: another port.
 */
static bool pci_port(struct vcpu *v, unsigned int port, unsigned int size,
		     bool write, uint32_t *val)
{
	struct pv_domain *pd = v->domain->arch;
	unsigned int reg;
	pci_sbdf_t dev;

	if (port == 0xcf8 && size == 4) {
		if (write)
			pd->pci_index = *val;
		else
			*val = pd->pci_index;
		return true;
	}
	if (port < 0xcfc || port + size > 0xd00)
		return false;
	dev = (pci_sbdf_t){.bus = (uint8_t)(pd->pci_index >> 16),
			   .devfn = (uint8_t)(pd->pci_index >> 8)};
	reg = (pd->pci_index & 0xfc) + (port - 0xcfc);
	if (!(pd->pci_index & BIT(31)) || (reg & (size - 1)))
		*val = ~0U;
	else if (write)
		pci_write(dev, reg, size, *val);
	else
		*val = pci_read(dev, reg, size);
	return true;
}

static uint32_t read_port(struct vcpu *v, unsigned int port, unsigned int size)
{
	uint32_t none = size == 4 ? ~0U : (1U << (size * 8)) - 1, val;

	if (!v->domain->privileged || is_ours(port, size))
		return none;
	if (pci_port(v, port, size, false, &val))
		return val;
	return port_in(port, size);
}

static void write_port(struct vcpu *v, unsigned int port, unsigned int size,
		       uint32_t val)
{
	if (!v->domain->privileged || is_ours(port, size))
		return;
	if (!pci_port(v, port, size, true, &val))
		port_out(port, size, val);
}

/* IN and OUT: AMD APM Vol. 3. */
static void move(struct vcpu *v, unsigned int port, unsigned int size, bool out)
{
	uint64_t mask = size == 4 ? ~0U : (1UL << (size * 8)) - 1;
	uint64_t *rax = &v->regs.rax;

	if (out) {
		write_port(v, port, size, (uint32_t)(*rax & mask));
		return;
	}
	*rax = size == 4 ? read_port(v, port, size)
			 : (*rax & ~mask) | (read_port(v, port, size) & mask);
}

/* Once; false: the memory is not there. */
static bool string_once(struct vcpu *v, unsigned int port, unsigned int size,
			bool out)
{
	uint64_t *at = out ? &v->regs.rsi : &v->regs.rdi;
	uint32_t val = 0;

	if (out && pv_copy_from_guest(v, &val, *at, size))
		return false;
	if (out)
		write_port(v, port, size, val);
	else
		val = read_port(v, port, size);
	if (!out && pv_copy_to_guest(v, *at, &val, size))
		return false;
	*at += v->regs.rflags & BIT(10) ? -(uint64_t)size : size;
	return true;
}

/* How often is the guest's to say: it may be executed again for the rest. */
static bool string_insn(struct vcpu *v, const struct insn *i, unsigned int size,
			bool *again)
{
	bool out = i->opcode & 2;
	unsigned int port = v->regs.rdx & 0xffff;

	if (!i->rep && !i->repne)
		return string_once(v, port, size, out);
	while (v->regs.rcx) {
		if (!string_once(v, port, size, out))
			return false;
		v->regs.rcx--;
		if (v->regs.rcx && softirq_is_pending()) {
			*again = true;
			break;
		}
	}
	return true;
}

/* A process needs IOPL 3; the bitmap of PHYSDEVOP_set_iobitmap is not kept. */
static bool allowed(const struct vcpu *v)
{
	const struct pv_vcpu *pv = pv_vcpu(v);

	return pv->iopl >= (pv->in_kernel ? 1 : 3);
}

bool pv_port_insn(struct vcpu *v, const struct insn *i, bool *again)
{
	unsigned int size = !(i->opcode & 1) ? 1 : i->opsize ? 2 : 4;

	switch (i->opcode) {
	case 0xe4 ... 0xe7:
		if (!allowed(v))
			return false;
		move(v, i->imm & 0xff, size, i->opcode & 2);
		return true;
	case 0xec ... 0xef:
		if (!allowed(v))
			return false;
		move(v, v->regs.rdx & 0xffff, size, i->opcode & 2);
		return true;
	case 0x6c ... 0x6f:
		return allowed(v) && string_insn(v, i, size, again);
	}
	return false;
}
