/* SPDX-License-Identifier: MIT */
/* The configuration language, the specifications in it, and the keys. */
#include "harness.h"

#include <ctype.h>
#include <stdbool.h>
#include <unistd.h>

#include "../../tools/xl/domconf.h"
#include "../../tools/xl/hostconf.h"
#include "../../tools/xl/kepttext.h"
#include "../../tools/xl/keys.h"

#define STOCK_MANUAL      "/usr/share/man/man5/xl.cfg.5.gz"
#define STOCK_HOST_MANUAL "/usr/share/man/man5/xl.conf.5.gz"

struct parsed {
	struct cfg cfg;
	struct diag diag;
	struct domain_config dc;
	char *said;
	size_t said_len;
	bool ok;
};

/* Parses a text as a file "t" and settles it; said is what was printed. */
static struct parsed *parse(const char *text)
{
	static struct parsed p;

	memset(&p, 0, sizeof(p));
	cfg_init(&p.cfg);
	p.diag.out = open_memstream(&p.said, &p.said_len);
	p.ok = cfg_parse(&p.cfg, "t", text, strlen(text), &p.diag);
	p.ok &= domconf_from_cfg(&p.dc, &p.cfg, &p.diag);
	fflush(p.diag.out);
	return &p;
}

static void done(struct parsed *p)
{
	fclose(p->diag.out);
	free(p->said);
	domconf_free(&p->dc);
	cfg_free(&p->cfg);
}

#define HEAD "name='a'\ntype='pvh'\nkernel=\"/k\"\n"

static void test_values(void)
{
	struct parsed *p = parse("name = \"x\\x41\\t\\101\" # c\n"
				 "memory=0x40; vcpus=010\nmaxvcpus='9'\n"
				 "kernel='/k \"q\"'\n"
				 "bootloader_args=[ 'a',\n\n 'b', ]\n");

	CHECK(p->ok);
	CHECK(!strcmp(p->dc.name, "xA\tA"));
	CHECK_EQ(p->dc.memory_kb, 65536);
	CHECK_EQ(p->dc.vcpus, 8);
	CHECK_EQ(p->dc.maxvcpus, 9);
	CHECK(!strcmp(p->dc.kernel, "/k \"q\""));
	CHECK_EQ(p->dc.bootloader_args.nr, 2);
	done(p);
}

static void test_override(void)
{
	struct parsed *p = parse(HEAD "extra='a'\nextra='b'\n"
				      "serial=['x']\nserial+=['y','z']\n");

	CHECK(p->ok);
	CHECK(!strcmp(domconf_cmdline(&p->dc), "b"));
	CHECK_EQ(p->dc.serial.nr, 3);
	done(p);
}

static void test_command_line(void)
{
	struct parsed *p = parse(HEAD "root='/dev/xvda'\nextra='quiet'\n");

	CHECK(!strcmp(domconf_cmdline(&p->dc), "root=/dev/xvda quiet"));
	done(p);
}

static const struct {
	const char *text, *where, *what;
} bad_texts[] = {
	{"foo=\n", "t:1:5: ", "expected a value"},
	{"a 'b'\n", "t:1:3: ", "expected '=' after 'a'; found 'b'"},
	{"a = [ 1, 2\nb=3\n", "t:2:1: ", "that line 1 opens"},
	{"a='x\n", "t:1:3: ", "no closing '"},
	{"a=12ab\n", "t:1:3: ", "a string needs quotes"},
	{"a=99999999999999999999\n", "t:1:3: ", "too large"},
	{"a='\\q'\n", "t:1:5: ", "expected an escape"},
	{"a=1 b=2\n", "t:1:5: ", "the end of the line"},
	{"\n\t@=1\n", "t:2:2: ", "found '@'"},
	{HEAD "memory='lots'\n", "t:4:8: ", "expected memory to be a number"},
	{HEAD "memory=[1]\n", "t:4:8: ", "found a list"},
	{HEAD "vcpus=0\n", "t:4:7: ", "from 1 to 8192"},
	{HEAD "on_crash='boom'\n", "t:4:10: ", "rename-restart"},
	{HEAD "disk=['/a,raw,xvda,q']\n", "t:4:20: ", "an access mode"},
	{HEAD "disk=['/a,raw,zz']\n", "t:4:15: ", "a virtual device"},
	{HEAD "disk=['/a,,xvda','/b,,xvda']\n", "t:4:18: ", "two disks"},
	{HEAD "vif=['mac=00:16:3e:0:0:0']\n", "t:4:11: ", "a MAC address"},
	{HEAD "pci=['01:00.0']\n", "t:4:1: ", "not supported"},
	{HEAD "maxmem=10\nmemory=20\n", "t:4:1: ", "is less than"},
	{"name='a'\ntype='pv'\n", "t:2:1: ", "needs kernel="},
	{"type='hvm'\n", "xl: ", "no name"},
};

static void test_complaints(void)
{
	for (unsigned int i = 0; i < sizeof(bad_texts) / sizeof(*bad_texts);
	     i++) {
		struct parsed *p = parse(bad_texts[i].text);

		CHECK(!p->ok);
		if (!strstr(p->said, bad_texts[i].where) ||
		    !strstr(p->said, bad_texts[i].what)) {
			printf("# case %u said: %s\n", i, p->said);
			test_failures++;
		}
		done(p);
	}
}

static void test_shows_the_line(void)
{
	struct parsed *p = parse(HEAD "\tvcpus = -1\n");

	CHECK(strstr(p->said, "\n    \tvcpus = -1\n    \t        ^\n"));
	done(p);
}

static void test_all_errors_at_once(void)
{
	struct parsed *p = parse("a b\nc=[1\n 2\n 3]\nd e\nname='x'\n");

	CHECK(strstr(p->said, "t:1:3"));
	CHECK(strstr(p->said, "t:3:2"));
	CHECK(!strstr(p->said, "t:4:"));
	done(p);
}

/* What boots an HVM guest: OVMF, another hvmloader (NULL: neither), or a no. */
static void test_firmware(void)
{
	static const struct {
		const char *line, *loader;
		bool ok, ovmf;
	} cases[] = {
		{"", NULL, true, false},
		{"bios='seabios'", NULL, true, false},
		{"bios='ovmf'", NULL, true, true},
		{"firmware='bios'", NULL, true, false},
		{"firmware='uefi'", NULL, true, true},
		{"firmware='ovmf'\nbios='seabios'", NULL, true, true},
		{"firmware='/l'", "/l", true, false},
		{"firmware_override='/l'\nbios='ovmf'", "/l", true, true},
		{"bios='uefi'", NULL, false, false},
		{"bios='rombios'", NULL, false, false},
		{"firmware='rombios'", NULL, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128];
		struct parsed *p;

		snprintf(text, sizeof(text), "name='a'\ntype='hvm'\n%s\n",
			 cases[i].line);
		p = parse(text);
		CHECK_EQ(p->ok, cases[i].ok);
		CHECK_EQ(p->dc.ovmf, cases[i].ovmf);
		CHECK_EQ(!p->dc.firmware_override, !cases[i].loader);
		if (cases[i].loader && p->dc.firmware_override)
			CHECK(!strcmp(p->dc.firmware_override,
				      cases[i].loader));
		done(p);
	}
}

static void test_unknown_key(void)
{
	struct parsed *p = parse(HEAD "memmory=5\nbanana=1\n");

	CHECK(p->ok);
	CHECK_EQ(p->diag.warnings, 2);
	CHECK(strstr(p->said, "is memory meant?"));
	done(p);
}

static void test_refused_key_off(void)
{
	struct parsed *p = parse(HEAD "spice=0\npci=[]\nnestedhvm=0\n");

	CHECK(p->ok);
	CHECK_EQ(p->diag.warnings, 0);
	done(p);
}

static void test_deep_lists(void)
{
	char text[256] = "a=";

	memset(text + 2, '[', 100);
	struct parsed *p = parse(text);

	CHECK(strstr(p->said, "deeper"));
	done(p);
}

static void test_keys_once(void)
{
	for (unsigned int i = 0; i < domain_keys.nr; i++)
		for (unsigned int j = 0; j < i; j++)
			if (!strcmp(domain_keys.key[i].name,
				    domain_keys.key[j].name)) {
				printf("# %s twice\n", domain_keys.key[i].name);
				test_failures++;
			}
}

static bool word_char(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_';
}

/* Is it there as a word of its own? */
static bool has_word(const char *text, const char *word)
{
	const char *p = text;
	size_t n = strlen(word);

	for (; (p = strstr(p, word)); p++)
		if (p > text && !word_char(p[-1]) && !word_char(p[n]))
			return true;
	return false;
}

static void test_manual(void)
{
	static char text[65536];
	FILE *f = fopen(MANUAL, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	REQUIRE(n > 1000);
	for (unsigned int i = 0; i < domain_keys.nr; i++) {
		if (has_word(text, domain_keys.key[i].name))
			continue;
		printf("# xl.cfg.5 does not have %s\n",
		       domain_keys.key[i].name);
		test_failures++;
	}
}

/*
 * The stock manual page, where the distribution's package is installed: each
 * key it heads a paragraph with is one of ours, but for those that are parts
 * of a list's elements.
 */
static void test_stock_manual(void)
{
	static const char parts[] =
		" backend connection controller height hostaddr hostbus path "
		"pnode policy port ports size strategy tag vdistances version "
		"width ";
	FILE *f = popen("zcat " STOCK_MANUAL " 2>/dev/null | sed -n "
			"'/^\\.IP/{s/\\\\f[BIR]//g;"
			"s/^\\.IP \"\\([a-z0-9_]*\\) *=.*/\\1/p;}'",
			"r");
	char name[64], word[70];
	unsigned int n = 0;

	REQUIRE(f);
	while (fscanf(f, "%63s%*[^\n]", name) == 1) {
		bool known = false;

		n++;
		for (unsigned int i = 0; i < domain_keys.nr; i++)
			known |= !strcmp(domain_keys.key[i].name, name);
		snprintf(word, sizeof(word), " %s ", name);
		if (known || strstr(parts, word))
			continue;
		printf("# the stock xl.cfg(5) has %s\n", name);
		test_failures++;
	}
	pclose(f);
	if (access(STOCK_MANUAL, R_OK))
		printf("# SKIP no " STOCK_MANUAL "\n");
	else
		CHECK(n > 100);
}

static const struct {
	const char *spec, *target, *vdev;
	enum disk_format format;
	bool writable, cdrom;
} disks[] = {
	/* the manual's equal ones */
	{"/dev/vg/g,,hda", "/dev/vg/g", "hda", DISK_RAW, true, false},
	{"/dev/vg/g,raw,hda,rw", "/dev/vg/g", "hda", DISK_RAW, true, false},
	{"format=raw, vdev=hda, access=rw, target=/dev/vg/g", "/dev/vg/g",
	 "hda", DISK_RAW, true, false},
	{"raw:/dev/vg/g,hda,w", "/dev/vg/g", "hda", DISK_RAW, true, false},
	{"/i.iso,,hdc,cdrom", "/i.iso", "hdc", DISK_RAW, false, true},
	{"/i.iso,,hdc,,cdrom", "/i.iso", "hdc", DISK_RAW, false, true},
	{"/i.iso,raw,hdc,devtype=cdrom", "/i.iso", "hdc", DISK_RAW, false,
	 true},
	{"format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/i.iso",
	 "/i.iso", "hdc", DISK_RAW, false, true},
	{"raw:/i.iso,hdc:cdrom,ro", "/i.iso", "hdc", DISK_RAW, false, true},
	/* and more */
	{"vg/g,,xvda", "/dev/vg/g", "xvda", DISK_RAW, true, false},
	{",,hdc,cdrom", "", "hdc", DISK_EMPTY, false, true},
	{"vdev=xvdb,format=qcow2,target=/a,b = c ", "/a,b = c ", "xvdb",
	 DISK_QCOW2, true, false},
	{",qcow2,xvdb,r,target=/x,y", "/x,y", "xvdb", DISK_QCOW2, false, false},
	{"tap:aio:/f,xvda,w", "/f", "xvda", DISK_RAW, true, false},
};

static void test_disks(void)
{
	struct arena a = {0};

	for (unsigned int i = 0; i < sizeof(disks) / sizeof(*disks); i++) {
		struct spec_error e = {0};
		struct disk_spec d;

		if (!disk_parse(&a, disks[i].spec, &d, &e)) {
			printf("# %s: %s\n", disks[i].spec, e.what);
			test_failures++;
			continue;
		}
		CHECK(!strcmp(d.target, disks[i].target));
		CHECK(!strcmp(d.vdev, disks[i].vdev));
		CHECK_EQ(d.format, disks[i].format);
		CHECK_EQ(d.writable, disks[i].writable);
		CHECK_EQ(d.cdrom, disks[i].cdrom);
		CHECK_EQ(d.discard, d.writable);
	}
	arena_free(&a);
}

/* What is not written to has nothing thrown away, unless that is wanted. */
static void test_discard(void)
{
	struct arena a = {0};
	struct spec_error e;
	struct disk_spec d;

	CHECK(disk_parse(&a, "/f,,xvda,discard,access=ro", &d, &e));
	CHECK(d.discard && !d.writable);
	CHECK(disk_parse(&a, "/f,,xvda,access=rw,no-discard", &d, &e));
	CHECK(!d.discard && d.writable);
	arena_free(&a);
}

static void test_bad_disks(void)
{
	static const char *const bad[] = {
		"",
		"/a",
		"/a,raw",
		"/a,raw,xvda,w,extra",
		"/a,foo,xvda",
		"/a,raw,xvda,vdev=xvdb",
		"/a,raw,xvda,bogus=1",
		",raw,xvda",
		"/a,,xvda,backendtype=x",
		"/a,,xvda,specification=virtio",
	};
	struct arena a = {0};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct spec_error e = {0};
		struct disk_spec d;

		CHECK(!disk_parse(&a, bad[i], &d, &e));
		CHECK(e.what[0] && e.at <= strlen(bad[i]));
	}
	arena_free(&a);
}

static const struct {
	const char *name;
	uint32_t devid;
} vdevs[] = {
	{"xvda", 51712},   {"xvda1", 51713},     {"xvdb", 51728},
	{"xvdp15", 51967}, {"xvdq", 268439552},  {"hda", 768},
	{"hdb3", 835},     {"hdc", 5632},        {"sda", 2048},
	{"sdp15", 2303},   {"xvdaa", 268442112},
};

static void test_vdevs(void)
{
	unsigned int disk;
	uint32_t id;
	char buf[32];

	for (unsigned int i = 0; i < sizeof(vdevs) / sizeof(*vdevs); i++) {
		CHECK(vdev_parse(vdevs[i].name, &id, &disk));
		CHECK_EQ(id, vdevs[i].devid);
		CHECK(!strcmp(vdev_name(id, buf, sizeof(buf)), vdevs[i].name));
	}
	CHECK(vdev_parse("d0p1", &id, &disk) && id == 51713);
	CHECK(vdev_parse("51712", &id, &disk) && id == 51712);
	CHECK(!vdev_parse("hde", &id, &disk));
	CHECK(!vdev_parse("sdq", &id, &disk));
	CHECK(!vdev_parse("xvd", &id, &disk));
	CHECK(!vdev_parse("xvda-1", &id, &disk));
	CHECK(!vdev_parse("d", &id, &disk));
}

static void test_vifs(void)
{
	struct arena a = {0};
	struct spec_error e = {0};
	struct vif_spec v;

	CHECK(vif_parse(&a, "", &v, &e));
	CHECK(!v.has_mac && v.devid == -1);
	CHECK(vif_parse(&a, "mac=00:16:3E:74:3d:76,model=e1000,bridge=br1", &v,
			&e));
	CHECK(v.has_mac && v.mac[5] == 0x76 && !strcmp(v.model, "e1000"));
	CHECK(vif_parse(&a, "rate=10Mb/s", &v, &e));
	CHECK_EQ(v.rate_bytes, 62500);
	CHECK_EQ(v.rate_usecs, 50000);
	CHECK(vif_parse(&a, "rate=1MB/s@20ms,untrusted", &v, &e));
	CHECK_EQ(v.rate_bytes, 20000);
	CHECK(v.untrusted);
	CHECK(!vif_parse(&a, "rate=fast", &v, &e));
	CHECK(!vif_parse(&a, "mac=01:00:00:00:00:00", &v, &e));
	CHECK(!vif_parse(&a, "bridge=averyveryverylongname", &v, &e));
	CHECK(!vif_parse(&a, "colour=red", &v, &e));
	CHECK(!vif_parse(&a, "xenbr0", &v, &e));
	arena_free(&a);
}

static const struct {
	const char *list, *want;
} cpulists[] = {
	{"all", "all"},
	{"0-3,5,^1", "0,2-3,5"},
	{"all,^7", "0-6"},
	{"nodes:0-1,^node:1", "0-3"},
	{"1,node:1,^6", "1,4-5,7"},
	{"^1", "none"},
	{"2", "2"},
};

static void test_cpulists(void)
{
	static const uint32_t nodes[8] = {0, 0, 0, 0, 1, 1, 1, 1};
	struct arena a = {0};
	struct spec_error e = {0};
	struct cpu_list l;
	uint8_t map[1];
	char buf[64];

	for (unsigned int i = 0; i < sizeof(cpulists) / sizeof(*cpulists);
	     i++) {
		CHECK(cpulist_parse(&a, cpulists[i].list, &l, &e));
		cpulist_resolve(&l, 8, nodes, map);
		cpumap_format(map, 8, buf, sizeof(buf));
		CHECK(!strcmp(buf, cpulists[i].want));
	}
	CHECK(!cpulist_parse(&a, "3-1", &l, &e));
	CHECK(!cpulist_parse(&a, "", &l, &e));
	CHECK(!cpulist_parse(&a, "0,x", &l, &e) && e.at == 2);
	arena_free(&a);
}

/* Each specification is one register's change, seen as its 32 characters. */
static const struct {
	const char *spec;
	uint32_t leaf, subleaf;
	unsigned int reg;
	const char *want;
} cpuids[] = {
	{"host,sse3=0", 1, CPUID_NO_SUBLEAF, 2,
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0"},
	{"host, sse3=0,,aesni=1,aes=k", 1, CPUID_NO_SUBLEAF, 2,
	 "xxxxxxkxxxxxxxxxxxxxxxxxxxxxxxx0"},
	{"host,3dnow=s", 0x80000001, CPUID_NO_SUBLEAF, 3,
	 "sxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	{"host,LAHF_LM=1", 0x80000001, CPUID_NO_SUBLEAF, 2,
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1"},
	{"host,avx512-4fmaps=0", 7, 0, 3, "xxxxxxxxxxxxxxxxxxxxxxxxxxxx0xxx"},
	{"host,sse4.1=0,sse4_2=1", 1, CPUID_NO_SUBLEAF, 2,
	 "xxxxxxxxxxx10xxxxxxxxxxxxxxxxxxx"},
	{"host,cet-sss=1", 7, 1, 3, "xxxxxxxxxxxxx1xxxxxxxxxxxxxxxxxx"},
	{"host,lfence+=1", 0x80000021, CPUID_NO_SUBLEAF, 0,
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx1xx"},
	{"host,family=6,model=0x3c,stepping=3", 1, CPUID_NO_SUBLEAF, 0,
	 "xxxx000000000011xxxx011011000011"},
	{"host,family=25", 1, CPUID_NO_SUBLEAF, 0,
	 "xxxx00001010xxxxxxxx1111xxxxxxxx"},
	{"host,family=k", 1, CPUID_NO_SUBLEAF, 0,
	 "xxxxkkkkkkkkxxxxxxxxkkkkxxxxxxxx"},
	{"host,apicidsize=5", 0x80000008, CPUID_NO_SUBLEAF, 2,
	 "xxxxxxxxxxxxxxxx0101xxxxxxxxxxxx"},
	{"host,maxleaf=0x80000000", 0, CPUID_NO_SUBLEAF, 0,
	 "10000000000000000000000000000000"},
	{"7,0:ebx=0x1ksxxxxxxxxxxxxxxxxxxxxxxxxx01", 7, 0, 1,
	 "0x1ksxxxxxxxxxxxxxxxxxxxxxxxxx01"},
	{"0x80000001:ecx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0", 0x80000001,
	 CPUID_NO_SUBLEAF, 2, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0"},
};

static void test_cpuids(void)
{
	for (unsigned int i = 0; i < sizeof(cpuids) / sizeof(*cpuids); i++) {
		struct cpuid_list l = {.nr = 0};
		struct spec_error e = {0};
		struct arena a = {0};
		bool named = cpuids[i].spec[0] == 'h';

		if (!(named ? cpuid_parse
			    : cpuid_parse_xend)(&a, cpuids[i].spec, &l, &e) ||
		    l.nr != 1 || l.leaf[0].leaf != cpuids[i].leaf ||
		    l.leaf[0].subleaf != cpuids[i].subleaf ||
		    !l.leaf[0].reg[cpuids[i].reg] ||
		    strcmp(l.leaf[0].reg[cpuids[i].reg], cpuids[i].want)) {
			printf("# %s: %s\n", cpuids[i].spec, e.what);
			test_failures++;
		}
		arena_free(&a);
	}
}

static const struct {
	const char *spec;
	size_t at;
} bad_cpuids[] = {
	{"", 0},
	{"sse3=0", 0},
	{"host=1", 0},
	{"host,sse3", 5},
	{"host,nonsense=0", 5},
	{"host,sse3=2", 10},
	{"host,sse3=", 10},
	{"host,sse3=xk", 10},
	{"host,sse3=-1", 10},
	{"host,family=271", 12},
	{"host,model=256", 11},
	{"host,nc=99999999999999999999", 8},
	{"host,rdcl-no=2", 13}, /* of an MSR */
	{":ecx=0", 0},
	{"1,:ecx=0", 2},
	{"1,0,0:ecx=0", 2},
	{"0xffffffff:eax=00000000000000000000000000000000", 0},
	{"1:exx=00000000000000000000000000000000", 2},
	{"1:ecx=0", 7},
	{"1:ecx=000000000000000000000000000000000", 38},
	{"1:ecx=0000000000000000000000000000000y", 37},
};

static void test_bad_cpuids(void)
{
	for (unsigned int i = 0; i < sizeof(bad_cpuids) / sizeof(*bad_cpuids);
	     i++) {
		const char *s = bad_cpuids[i].spec;
		struct cpuid_list l = {.nr = 0};
		struct spec_error e = {0};
		struct arena a = {0};
		bool xend = strchr(s, ':') != NULL;

		CHECK(!(xend ? cpuid_parse_xend : cpuid_parse)(&a, s, &l, &e));
		if (!e.what[0] || e.at != bad_cpuids[i].at) {
			printf("# %s: at %zu: %s\n", s, e.at, e.what);
			test_failures++;
		}
		arena_free(&a);
	}
}

static void test_cpuid_key(void)
{
	struct parsed *p =
		parse(HEAD "cpuid=[\"1:edx=xx0xxxxxxxxxxxxxxxxxxxxxxxxxxxxx,"
			   "ecx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0\",\n"
			   "\"7,0:ebx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxk\"]\n");

	CHECK(p->ok && p->dc.cpuid.nr == 2);
	done(p);
	/* Bits of ARCH_CAPABILITIES: 0 and 26 here. */
	p = parse(HEAD "cpuid='host,rdcl-no=1,RRSBA=k,tm=0'\n");
	CHECK(p->ok && p->dc.cpuid.nr == 1 && p->dc.cpuid.arch_caps &&
	      strlen(p->dc.cpuid.arch_caps) == 64 &&
	      p->dc.cpuid.arch_caps[63] == '1' &&
	      p->dc.cpuid.arch_caps[63 - 19] == 'k');
	done(p);
	p = parse(HEAD "cpuid='host,tm=0,colour=1'\n");
	CHECK(!p->ok && strstr(p->said, "t:4:18: "));
	done(p);
}

static void kept_case(const char *text, const char *key, uint32_t devid,
		      unsigned int disks_left, unsigned int vifs_left)
{
	char *rest = kept_without(text, key, devid);
	struct parsed *p;

	REQUIRE(rest);
	p = parse(rest);
	CHECK(p->ok && p->dc.nr_disks == disks_left &&
	      p->dc.nr_vifs == vifs_left);
	for (unsigned int i = 0; i < p->dc.nr_disks; i++)
		CHECK(strcmp(key, "disk") || p->dc.disks[i].devid != devid);
	for (unsigned int i = 0; i < p->dc.nr_vifs; i++)
		CHECK(strcmp(key, "vif") || p->dc.vifs[i].devid != (int)devid);
	done(p);
	free(rest);
}

static void test_kept(void)
{
	static const char text[] = HEAD
		"disk=['/a,raw,xvda,w','/b \\'q\\',raw,xvdb,w']\n"
		"vif=['','bridge=x','devid=9']\ndisk+=['/c,,xvdc']\n";
	struct parsed *p;
	char *rest;

	kept_case(text, "disk", 51712, 2, 3);
	kept_case(text, "disk", 51744, 2, 3);
	kept_case(text, "vif", 9, 3, 2);
	CHECK(!kept_without(text, "disk", 51760));
	CHECK(!kept_without(HEAD, "vif", 0));
	rest = kept_with(text, "disk", "vdev=xvdd,target=/a \"b\\c");
	p = parse(rest);
	CHECK(p->ok && p->dc.nr_disks == 4 &&
	      !strcmp(p->dc.disks[3].target, "/a \"b\\c"));
	done(p);
	free(rest);
	/* What stays has the number that it had by its place. */
	rest = kept_without(text, "vif", 0);
	REQUIRE(rest);
	p = parse(rest);
	CHECK(p->ok && p->dc.nr_vifs == 2 && p->dc.vifs[0].devid == 1);
	CHECK(!strcmp(p->dc.vifs[0].bridge, "x") && p->dc.vifs[1].devid == 9);
	CHECK(!strcmp(p->dc.disks[1].target, "/b 'q'"));
	done(p);
	free(rest);
}

static bool host_parse(struct host_conf *hc, const char *text, char **said)
{
	struct diag d = {.out = NULL};
	size_t len;
	bool ok;

	d.out = open_memstream(said, &len);
	ok = hostconf_parse(hc, "h", text, strlen(text), &d);
	fclose(d.out);
	return ok;
}

static void test_host_conf(void)
{
	struct host_conf hc;
	char *said;

	CHECK(host_parse(&hc, "", &said) && !*said);
	CHECK(hc.autoballoon == BALLOON_AUTO && hc.max_grant_frames == -1);
	CHECK(!strcmp(hc.lockfile, "/var/lock/xl") && !hc.vif_bridge);
	hostconf_free(&hc);
	free(said);
	CHECK(host_parse(&hc,
			 "autoballoon='off'\nvif.default.bridge=\"br7\"\n"
			 "claim_mode=0\nmax_grant_frames=70\n"
			 "domid_policy='random'\nvm.pv.cpumask='0-3,^1'\n",
			 &said));
	CHECK(!*said && hc.autoballoon == BALLOON_OFF);
	CHECK(!strcmp(hc.vif_bridge, "br7") && hc.claim_mode == TRI_NO);
	CHECK(hc.max_grant_frames == 70 && hc.domid_policy == DOMID_AT_RANDOM);
	CHECK(hc.mask[MASK_PV].nr == 2 && !hc.mask[MASK_ALL].nr);
	hostconf_free(&hc);
	free(said);
}

static const struct {
	const char *text, *said;
	bool ok;
} host_texts[] = {
	{"autoballoon='maybe'\n", "h:1:13: ", false},
	{"\nlockfile=[]\n", "h:2:10: ", false},
	{"vm.cpumask='0,x'\n", "h:1:15: ", false},
	{"vif.default='x'\n", "h:1:1: ", true},
	{"vif.default.scrip='x'\n", "is vif.default.script meant?", true},
	{"defaultbridge='x'\n", "vif.default.bridge", true},
	{"output_format='sxp'\n", "h:1:1: ", true},
	{"run_hotplug_scripts=0\n", "no effect", true},
	{"blkdev_start='xvda'\n", "no effect", true},
};

static void test_host_complaints(void)
{
	for (unsigned int i = 0; i < sizeof(host_texts) / sizeof(*host_texts);
	     i++) {
		struct host_conf hc;
		char *said;

		CHECK_EQ(host_parse(&hc, host_texts[i].text, &said),
			 host_texts[i].ok);
		if (!strstr(said, host_texts[i].said)) {
			printf("# case %u said: %s\n", i, said);
			test_failures++;
		}
		hostconf_free(&hc);
		free(said);
	}
}

/* Each key that the distribution's page heads a paragraph with. */
static void test_stock_host_manual(void)
{
	FILE *f = popen("zcat " STOCK_HOST_MANUAL " 2>/dev/null | sed -n "
			"'s/\\\\f[A-Z]//g;s/\\\\s-*[0-9]//g;"
			"s/.*\\.IP \"\\([a-z0-9_.]*\\)=.*/\\1/p'",
			"r");
	char name[64], text[80], *said;
	unsigned int n = 0;

	REQUIRE(f);
	while (fscanf(f, "%63s%*[^\n]", name) == 1) {
		struct host_conf hc;

		n++;
		snprintf(text, sizeof(text), "%s='0'\n", name);
		host_parse(&hc, text, &said);
		if (strstr(said, "is not a key")) {
			printf("# the stock xl.conf(5) has %s\n", name);
			test_failures++;
		}
		hostconf_free(&hc);
		free(said);
	}
	pclose(f);
	if (access(STOCK_HOST_MANUAL, R_OK))
		printf("# SKIP no " STOCK_HOST_MANUAL "\n");
	else
		CHECK(n > 15);
}

static void test_sizes(void)
{
	uint64_t n;
	uint8_t u[16];

	CHECK(memsize_parse("2048m", 1024, &n) && n == 2048ull << 20);
	CHECK(memsize_parse("5", 1024, &n) && n == 5 * 1024);
	CHECK(memsize_parse("1T", 1, &n) && n == 1ull << 40);
	CHECK(!memsize_parse("foo", 1, &n));
	CHECK(!memsize_parse("1mb", 1, &n));
	CHECK(!memsize_parse("99999999999999g", 1, &n));
	CHECK(uuid_parse("e02e52f1-58e7-48a9-900d-9d96c1a992d1", u));
	CHECK(u[0] == 0xe0 && u[15] == 0xd1);
	CHECK(!uuid_parse("e02e52f1", u));
	CHECK(!uuid_parse("e02e52f1-58e7-48a9-900d-9d96c1a992d1ff", u));
}

int main(void)
{
	static const struct test_case cases[] = {
		{"xlcfg: strings, numbers, lists, escapes", test_values},
		{"xlcfg: the last setting counts, += extends", test_override},
		{"xlcfg: root and extra make the command line",
		 test_command_line},
		{"xlcfg: complaints say where and what", test_complaints},
		{"xlcfg: complaints show the line", test_shows_the_line},
		{"xlcfg: every mistake in one run", test_all_errors_at_once},
		{"xlcfg: unknown keys are warned of", test_unknown_key},
		{"xlcfg: what boots an HVM guest", test_firmware},
		{"xlcfg: a refused key that is off passes",
		 test_refused_key_off},
		{"xlcfg: lists do not nest for ever", test_deep_lists},
		{"xlcfg: no key is in the table twice", test_keys_once},
		{"xlcfg: the manual has every key", test_manual},
		{"xlcfg: every key of the stock manual is known",
		 test_stock_manual},
		{"xlcfg: disks", test_disks},
		{"xl: discard, by default of what is written to", test_discard},
		{"xlcfg: bad disks", test_bad_disks},
		{"xlcfg: virtual device numbers", test_vdevs},
		{"xlcfg: network interfaces", test_vifs},
		{"xlcfg: processor lists", test_cpulists},
		{"xlcfg: CPUID bits", test_cpuids},
		{"xlcfg: bad CPUID bits", test_bad_cpuids},
		{"xlcfg: cpuid= in both forms", test_cpuid_key},
		{"xlcfg: a kept text without a device", test_kept},
		{"xlcfg: xl.conf", test_host_conf},
		{"xlcfg: complaints about xl.conf", test_host_complaints},
		{"xlcfg: every key of the stock xl.conf(5) is known",
		 test_stock_host_manual},
		{"xlcfg: sizes and UUIDs", test_sizes},
	};

	return RUN_CASES(cases);
}
