/* SPDX-License-Identifier: MIT */
/*
 * A domain's devices in the store, against the real xenstored: written, listed
 * and taken out again, with the folders that nobody needs any more. Runs in
 * the build directory.
 */
#include "xlstore.h"

/* "a b" for a folder's names, "-" if there is no such folder. */
static const char *names(const char *path)
{
	static char text[256];
	unsigned int n = 0;
	char **list = xs_directory(xs, XBT_NULL, path, &n);

	strcpy(text, list ? "" : "-");
	for (unsigned int i = 0; list && i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, list[i]);
	}
	free(list);
	return text;
}

#define SAME(path, want)                                                       \
	do {                                                                   \
		if (strcmp(names(path), want)) {                               \
			printf("# %s holds %s\n", path, names(path));          \
			test_failures++;                                       \
		}                                                              \
	} while (0)

static void add(const char *kind, uint32_t domid, uint32_t devid)
{
	struct device d = {kind, domid, devid, 0, ""};
	const struct dev_node back[] = {{"mode", "w"}, {"absent", NULL}};
	const struct dev_node front[] = {{"x", "1"}};

	if (!strcmp(kind, "qdisk")) {
		d.kind = "vbd";
		strcpy(d.back_kind, kind);
	}
	CHECK(dev_add(&d, back, 2, front, 1));
}

static void forget_all(uint32_t domid, unsigned int want)
{
	unsigned int nr;
	struct device *list = dev_list(domid, &nr);

	CHECK_EQ(nr, want);
	dev_forget_nodes(list, nr);
	dev_free_list(list, nr);
	list = dev_list(domid, &nr);
	CHECK_EQ(nr, 0);
	dev_free_list(list, nr);
}

static void test_forget(void)
{
	add("console", 5, 0);
	add("vbd", 5, 51712);
	add("vbd", 5, 51728);
	add("qdisk", 5, 51744);
	add("vif", 5, 0);
	add("vif", 6, 0);
	SAME("/local/domain/0/backend/vif", "5 6");
	forget_all(5, 5);
	/* Another's folder stays, with what is above it. */
	SAME("/local/domain/0/backend", "vif");
	SAME("/local/domain/0/backend/vif", "6");
	SAME("/local/domain/0/backend/vif/6", "0");
	SAME("/local/domain/5/device/vbd", "");
	/* A console's front end is the domain's, not the device's. */
	SAME("/local/domain/5", "console device");
	forget_all(6, 1);
	SAME("/local/domain/0", "");
}

static void test_one_of_two(void)
{
	struct device d = {"vbd", 7, 51712, 0, ""};

	add("vbd", 7, 51712);
	add("vbd", 7, 51728);
	dev_forget_nodes(&d, 1);
	SAME("/local/domain/0/backend/vbd/7", "51728");
	SAME("/libxl/7/device/vbd", "51728");
	forget_all(7, 1);
	dev_forget_nodes(&d, 1);
	SAME("/local/domain/0/backend", "-");
}

int main(void)
{
	static const struct test_case cases[] = {
		{"xldevices: nodes and empty folders go, others stay",
		 test_forget},
		{"xldevices: one of two, and one that there is not",
		 test_one_of_two},
	};
	int rc;

	if (!start_daemon())
		return 1;
	rc = RUN_CASES(cases);
	batch_forget();
	return stop_daemon(rc);
}
