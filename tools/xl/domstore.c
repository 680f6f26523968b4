/* SPDX-License-Identifier: MIT */
/* A domain's own nodes in the store; see domstore.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "../libxc/builder.h"
#include "batch.h"
#include "device.h"
#include "domstore.h"
#include "host.h"
#include "xl.h"

/* One transaction over one domain's tree. */
struct tree {
	struct batch b;
	uint32_t domid;
	char uuid[40];
};

static void node(struct tree *tr, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A node below /local/domain/N, or below the root if path begins so. */
static void full_path(const struct tree *tr, const char *path, char *buf,
		      size_t size)
{
	if (*path == '/')
		snprintf(buf, size, "%s", path);
	else
		snprintf(buf, size, "/local/domain/%u%s%s", tr->domid,
			 *path ? "/" : "", path);
}

static void node(struct tree *tr, const char *path, const char *fmt, ...)
{
	char full[160], value[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	full_path(tr, path, full, sizeof(full));
	batch_write(&tr->b, full, value);
}

/* A folder: dom0's and readable by the guest, or the guest's alone. */
static void folder(struct tree *tr, const char *path, bool guests_own)
{
	char full[160];

	full_path(tr, path, full, sizeof(full));
	batch_folder(&tr->b, full, guests_own ? tr->domid : 0,
		     guests_own ? DOMID_INVALID : tr->domid);
}

static void guest_folders(struct tree *tr, enum dom_type type,
			  bool driver_domain)
{
	static const char *const own[] = {
		"device/suspend/event-channel",
		"control/shutdown",
		"control/feature-poweroff",
		"control/feature-reboot",
		"control/feature-suspend",
		"control/sysrq",
		"data",
		"drivers",
		"feature",
		"attr",
		"error",
	};
	static const char *const own_hvm[] = {"control/feature-s3",
					      "control/feature-s4"};

	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		folder(tr, own[i], true);
	for (unsigned int i = 0; i < ARRAY_SIZE(own_hvm); i++)
		if (type == TYPE_HVM)
			folder(tr, own_hvm[i], true);
	/* Where xl devd keeps what it knows, and its QEMU what that says. */
	if (driver_domain) {
		folder(tr, "libxl", true);
		folder(tr, "device-model", true);
	}
	node(tr, "control/platform-feature-multiprocessor-suspend", "1");
	node(tr, "control/platform-feature-xs_reset_watches", "1");
}

static void vm_nodes(struct tree *tr, struct domain_config *dc)
{
	char path[96];
	struct timeval now;

	snprintf(path, sizeof(path), "/vm/%s", tr->uuid);
	folder(tr, path, false);
	snprintf(path, sizeof(path), "/vm/%s/name", tr->uuid);
	node(tr, path, "%s", dc->name);
	snprintf(path, sizeof(path), "/vm/%s/uuid", tr->uuid);
	node(tr, path, "%s", tr->uuid);
	gettimeofday(&now, NULL);
	snprintf(path, sizeof(path), "/vm/%s/start_time", tr->uuid);
	node(tr, path, "%lld.%02ld", (long long)now.tv_sec,
	     (long)now.tv_usec / 10000);
	if (dc->type != TYPE_HVM)
		return;
	snprintf(path, sizeof(path), "/vm/%s/rtc/timeoffset", tr->uuid);
	node(tr, path, "%s", "");
	snprintf(path, sizeof(path), "/vm/%s/image/ostype", tr->uuid);
	node(tr, path, "hvm");
}

static void libxl_nodes(struct tree *tr, const struct domain_config *dc)
{
	char path[64];

	snprintf(path, sizeof(path), "/libxl/%u/type", tr->domid);
	node(tr, path, "%s", dom_type_names[dc->type]);
	snprintf(path, sizeof(path), "/libxl/%u/dm-version", tr->domid);
	node(tr, path, "qemu_xen");
}

static void cpu_nodes(struct tree *tr, const struct domain_config *dc)
{
	char path[64];

	for (long long i = 0; i < dc->maxvcpus; i++) {
		snprintf(path, sizeof(path), "cpu/%lld/availability", i);
		node(tr, path, i < dc->vcpus ? "online" : "offline");
	}
}

/* hvmloader and the device model read these. */
static void hvm_nodes(struct tree *tr, const struct domain_config *dc)
{
	folder(tr, "hvmloader", false);
	node(tr, "hvmloader/bios", dc->ovmf ? "ovmf" : "seabios");
	node(tr, "hvmloader/allow-memory-relocate", "0");
	folder(tr, "platform", false);
	node(tr, "platform/acpi", "%d", dc->acpi != TRI_NO);
	node(tr, "platform/acpi_s3", "%d", dc->acpi_s3 != TRI_NO);
	node(tr, "platform/acpi_s4", "%d", dc->acpi_s4 != TRI_NO);
	node(tr, "platform/acpi_laptop_slate", "%d",
	     dc->acpi_laptop == TRI_YES);
	node(tr, "platform/device-model", "qemu_xen");
	if (dc->genid) {
		uint8_t id[16];
		uint64_t half[2];

		uuid_generate(id);
		memcpy(half, id, sizeof(half));
		node(tr, "platform/generation-id", "%llu:%llu",
		     (unsigned long long)half[0], (unsigned long long)half[1]);
	}
}

static void all_nodes(struct tree *tr, struct domain_config *dc)
{
	folder(tr, "", false);
	vm_nodes(tr, dc);
	node(tr, "vm", "/vm/%s", tr->uuid);
	node(tr, "name", "%s", dc->name);
	node(tr, "domid", "%u", tr->domid);
	cpu_nodes(tr, dc);
	node(tr, "memory/static-max", "%llu",
	     (unsigned long long)dc->maxmem_kb);
	node(tr, "memory/target", "%llu",
	     (unsigned long long)(dc->memory_kb - dc->videoram_kb));
	node(tr, "memory/videoram", "%llu",
	     (unsigned long long)dc->videoram_kb);
	folder(tr, "device", false);
	folder(tr, "control", false);
	guest_folders(tr, dc->type, dc->driver_domain == TRI_YES);
	if (dc->type == TYPE_HVM)
		hvm_nodes(tr, dc);
	libxl_nodes(tr, dc);
}

bool domstore_make(uint32_t domid, struct domain_config *dc)
{
	struct tree tr = {.domid = domid};
	bool ok;

	snprintf(tr.uuid, sizeof(tr.uuid), UUID_FMT, UUID_ARG(dc->uuid));
	do {
		if (!batch_begin(&tr.b, true))
			return false;
		all_nodes(&tr, dc);
		ok = batch_commit(&tr.b);
	} while (!ok && errno == EAGAIN);
	return ok;
}

/* Where the builder put tables that hvmloader is to pass on. */
static void table_nodes(struct tree *tr, const char *what, uint64_t address,
			uint64_t length)
{
	char path[48];

	if (!length)
		return;
	snprintf(path, sizeof(path), "hvmloader/%s/address", what);
	node(tr, path, "0x%llx", (unsigned long long)address);
	snprintf(path, sizeof(path), "hvmloader/%s/length", what);
	node(tr, path, "0x%llx", (unsigned long long)length);
}

bool domstore_rings(uint32_t domid, const struct build_result *r)
{
	struct device console = {"console", domid, 0, 0, ""};
	char port[16], gfn[24];
	const struct dev_node back[] = {{"protocol", "vt100"}};
	const struct dev_node front[] = {
		{"limit", "1048576"}, {"type", "xenconsoled"},
		{"output", "pty"},    {"tty", ""},
		{"port", port},       {"ring-ref", gfn},
	};
	struct tree tr = {.domid = domid};

	snprintf(port, sizeof(port), "%u", r->console_port);
	snprintf(gfn, sizeof(gfn), "%llu", (unsigned long long)r->console_gfn);
	if (!batch_begin(&tr.b, false))
		return false;
	folder(&tr, "store", false);
	node(&tr, "store/port", "%u", r->store_port);
	node(&tr, "store/ring-ref", "%llu", (unsigned long long)r->store_gfn);
	table_nodes(&tr, "smbios", r->smbios_addr, r->smbios_length);
	table_nodes(&tr, "acpi", r->acpi_addr, r->acpi_length);
	return batch_commit(&tr.b) && dev_add(&console, back, ARRAY_SIZE(back),
					      front, ARRAY_SIZE(front));
}

static void remove_at(struct batch *b, const char *fmt, uint32_t domid)
{
	char path[128];

	snprintf(path, sizeof(path), fmt, domid);
	batch_rm(b, path);
}

void domstore_remove(uint32_t domid)
{
	char *vm = host_read("/local/domain/%u/vm", domid);
	struct batch b;

	if (batch_begin(&b, false)) {
		if (vm && !strncmp(vm, "/vm/", 4))
			batch_rm(&b, vm);
		remove_at(&b, "/local/domain/%u", domid);
		remove_at(&b, "/local/domain/0/device-model/%u", domid);
		remove_at(&b, "/libxl/%u", domid);
		batch_commit(&b);
	}
	free(vm);
}
