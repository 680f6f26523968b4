/* SPDX-License-Identifier: MIT */
/* vm_assist: behaviour a domain asks for (public/xen.h). */
#include "control/control.h"

#include "lib/errno.h"

long vm_assist_op(struct vcpu *v, const uint64_t args[6])
{
	uint32_t cmd = (uint32_t)args[0], type = (uint32_t)args[1];
	struct domain *d = v->domain;

	if (type >= 32 || !(d->kind->vm_assists & BIT(type)))
		return -EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		atomic_or(&d->vm_assist, (uint32_t)BIT(type));
		return 0;
	case VMASST_CMD_disable:
		atomic_and(&d->vm_assist, ~(uint32_t)BIT(type));
		return 0;
	}
	return -ENOSYS;
}
