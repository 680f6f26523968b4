/* SPDX-License-Identifier: MIT */
/* The command line: words, values, and what is said about mistakes. */
#include "harness.h"
#include "lib/errno.h"
#include "lib/param.h"

static bool flag;
static uint32_t number;
static char text[8];
static char custom[64];

static int parse_custom(const struct param *p, const char *value)
{
	snprintf(custom, sizeof(custom), "%s:%s", p->name, value ? value : "-");
	return value && !strcmp(value, "bad") ? -EINVAL : 0;
}

static const struct param table[] = {
	{"flag", param_parse_bool, &flag, 0, 1, ""},
	{"number", param_parse_uint, &number, 2, 100, ""},
	{"text", param_parse_string, text, 0, sizeof(text), ""},
	{"custom", parse_custom, NULL, 0, 0, ""},
	{"no-op", parse_custom, NULL, 0, 0, ""},
};

static char said[512];
static void report(const char *what, const char *word)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%s(%s)", what, word);
}

static void parse(const char *line)
{
	flag = false;
	number = 7;
	strcpy(text, "old");
	custom[0] = said[0] = '\0';
	param_parse_line(line, table, table + sizeof(table) / sizeof(*table),
			 report);
}

static void values(void)
{
	parse("flag number=42 text=abc custom=x,y:z");
	CHECK(flag);
	CHECK_EQ(number, 42);
	CHECK(!strcmp(text, "abc"));
	CHECK(!strcmp(custom, "custom:x,y:z"));
	CHECK(!*said);
	parse("  number=0x10\tflag=on   text=  ");
	CHECK_EQ(number, 16);
	CHECK(flag);
	CHECK(!*text);
	CHECK(!*said);
}

static void booleans(void)
{
	static const char *const yes[] = {"flag", "flag=yes", "flag=on",
					  "flag=true", "flag=1"};
	static const char *const no[] = {"flag flag=no", "flag flag=off",
					 "flag flag=false", "flag flag=0",
					 "flag no-flag"};

	for (int i = 0; i < 5; i++) {
		parse(yes[i]);
		CHECK(flag && !*said);
		parse(no[i]);
		CHECK(!flag && !*said);
	}
	parse("no-op"); /* a name of its own */
	CHECK(!strcmp(custom, "no-op:-"));
}

static void mistakes(void)
{
	parse("flag=maybe number=1 number=101 number=5x number= number "
	      "text=12345678 custom=bad");
	CHECK(!strcmp(said, "malformed(flag=maybe)malformed(number=1)"
			    "malformed(number=101)malformed(number=5x)"
			    "malformed(number=)malformed(number)"
			    "malformed(text=12345678)malformed(custom=bad)"));
	CHECK(!flag);
	CHECK_EQ(number, 7);
	CHECK(!strcmp(text, "old"));
	parse("nosuch nosuch=1 no-number no-flag=1 = flagg -- flag");
	CHECK(!strcmp(said, "unknown(nosuch)unknown(nosuch=1)"
			    "unknown(no-number)unknown(no-flag=1)unknown(=)"
			    "unknown(flagg)"));
	CHECK(!flag);
}

static void quotes_and_length(void)
{
	char line[1000];

	parse("custom=\"a b\" text='c d'");
	CHECK(!strcmp(custom, "custom:a b"));
	CHECK(!strcmp(text, "c d"));
	parse("text=\"open");
	CHECK(!strcmp(text, "open"));
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	parse(line); /* longer than any word we keep */
	CHECK(!strncmp(said, "unknown(xxx", 11));
	parse("");
	CHECK(!*said);
}

static void numbers(void)
{
	const char *end;
	uint64_t v;

	CHECK(parse_number("18446744073709551615", &v, &end) && v == ~0UL);
	CHECK(!parse_number("18446744073709551616", &v, &end));
	CHECK(!parse_number("", &v, &end));
	CHECK(!parse_number("0x", &v, &end));
	CHECK(!parse_number("x1", &v, &end));
	CHECK(parse_number("0xAbz", &v, &end) && v == 0xab && *end == 'z');
}

static void sizes(void)
{
	static const struct {
		const char *s;
		uint64_t v;
		char end;
	} good[] = {
		{"100", 100 << 10, 0},     {"5B", 5, 0},
		{"7k", 7 << 10, 0},        {"256M,max:1", 256 << 20, ','},
		{"4G", 4UL << 30, 0},      {"2T", 2UL << 40, 0},
		{"0x10m:", 16 << 20, ':'},
	};
	const char *end;
	uint64_t v;

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		CHECK(parse_size(good[i].s, &v, &end));
		CHECK_EQ(v, good[i].v);
		CHECK_EQ(*end, good[i].end);
	}
	CHECK(!parse_size("99999999999G", &v, &end));
	CHECK(!parse_size("M", &v, &end));
}

static const struct test_case cases[] = {
	{"values", values},
	{"booleans and their negation", booleans},
	{"mistakes are named, the default stays", mistakes},
	{"quotes and very long words", quotes_and_length},
	{"numbers", numbers},
	{"sizes", sizes},
};

int main(void)
{
	return RUN_CASES(cases);
}
