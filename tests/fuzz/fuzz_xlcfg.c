/* SPDX-License-Identifier: MIT */
/* Any text as a domain's or the host's configuration: complaints at most. */
#include <stdint.h>

#include "../../tools/xl/domconf.h"
#include "../../tools/xl/hostconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = {.out = NULL};
	struct domain_config dc;
	struct host_conf hc;
	struct cfg cfg;

	cfg_init(&cfg);
	cfg_parse(&cfg, "fuzz", (const char *)data, size, &diag);
	domconf_from_cfg(&dc, &cfg, &diag);
	domconf_cmdline(&dc);
	domconf_free(&dc);
	cfg_free(&cfg);
	hostconf_parse(&hc, "fuzz", (const char *)data, size, &diag);
	hostconf_free(&hc);
	return 0;
}
