/* SPDX-License-Identifier: MIT */
/* xl trigger, xl button-press, xl sysrq: signals to a guest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdint.h>

#include "cmds.h"
#include "host.h"
#include "qmp.h"
#include "xl.h"

enum { TRIGGER_S3RESUME = 100 };

static const struct {
	const char *name;
	unsigned int code;
} triggers[] = {
	{"nmi", XEN_DOMCTL_SENDTRIGGER_NMI},
	{"reset", XEN_DOMCTL_SENDTRIGGER_RESET},
	{"init", XEN_DOMCTL_SENDTRIGGER_INIT},
	{"power", XEN_DOMCTL_SENDTRIGGER_POWER},
	{"sleep", XEN_DOMCTL_SENDTRIGGER_SLEEP},
	{"s3resume", TRIGGER_S3RESUME},
};

/* The device model wakes its own hardware, and tells the hypervisor. */
static int wake(uint32_t domid)
{
	char error[256];

	if (qmp_run(domid, "{\"execute\": \"system_wakeup\"}", NULL, error,
		    sizeof(error)))
		return XL_OK;
	return xl_fail("cannot wake domain %u: %s", domid, error);
}

static int send(uint32_t domid, const char *name, uint32_t vcpu)
{
	unsigned int i = 0;
	int rc;

	while (i < ARRAY_SIZE(triggers) && strcmp(triggers[i].name, name))
		i++;
	if (i == ARRAY_SIZE(triggers))
		return xl_fail("expected a trigger (nmi, reset, init, power, "
			       "sleep or s3resume); found '%s'",
			       name);
	if (triggers[i].code == TRIGGER_S3RESUME)
		return wake(domid);
	rc = xc_domain_send_trigger(host_xc(), domid, triggers[i].code, vcpu);
	if (!rc)
		return XL_OK;
	return xl_fail("cannot send %s to domain %u: %s", name, domid,
		       errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL
			       ? "a guest of its kind does not take it"
			       : strerror(errno));
}

static int run_trigger(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t domid = host_need(argv[i]);
	long vcpu = 0;

	if (argc - i > 2 && !xl_number("the vCPU", argv[i + 2], 0, 8191, &vcpu))
		return XL_FAIL;
	return send(domid, argv[i + 1], (uint32_t)vcpu);
}

const struct xl_cmd cmd_trigger = {
	.name = "trigger",
	.usage = "<Domain> <nmi|reset|init|power|sleep|s3resume> [<VCPU>]",
	.summary = "Send a trigger to a domain",
	.run = run_trigger,
	.changes = true,
};

static int run_button(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);

	fprintf(stderr, "WARNING: \"button-press\" is deprecated. Please use "
			"\"trigger\"\n");
	if (strcmp(argv[i + 1], "power") && strcmp(argv[i + 1], "sleep"))
		return xl_fail("%s is an invalid button identifier",
			       argv[i + 1]);
	return send(host_need(argv[i]), argv[i + 1], 0);
}

const struct xl_cmd cmd_button_press = {
	.name = "button-press",
	.usage = "<Domain> <Button>",
	.summary = "Indicate an ACPI button press to the domain",
	.options = "<Button> may be 'power' or 'sleep'.",
	.run = run_button,
	.changes = true,
};

static int run_sysrq(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t domid = host_need(argv[i]);

	if (strlen(argv[i + 1]) != 1) {
		fprintf(stderr, "Invalid sysrq.\n\n");
		xl_help(cmd);
		return XL_FAIL;
	}
	if (!host_write(argv[i + 1], "/local/domain/%u/control/sysrq", domid))
		return xl_fail("cannot write to the store: %s",
			       strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_sysrq = {
	.name = "sysrq",
	.usage = "<Domain> <letter>",
	.summary = "Send a sysrq to a domain",
	.run = run_sysrq,
	.changes = true,
};
