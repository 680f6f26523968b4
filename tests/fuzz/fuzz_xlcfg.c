/* SPDX-License-Identifier: MIT */
/* Any text as a domain's configuration: complaints, never a crash. */
#include <stdint.h>

#include "../../tools/xl/domconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = {.out = NULL};
	struct domain_config dc;
	struct cfg cfg;

	cfg_init(&cfg);
	cfg_parse(&cfg, "fuzz", (const char *)data, size, &diag);
	domconf_from_cfg(&dc, &cfg, &diag);
	domconf_cmdline(&dc);
	domconf_free(&dc);
	cfg_free(&cfg);
	return 0;
}
