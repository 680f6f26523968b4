/* SPDX-License-Identifier: MIT */
/*
 * The screen (xen/console/screen*.c) on memory of this host: what is shown
 * where, scrolling, escape sequences, screens that cannot be used, and what
 * domain 0 is told.
 */
#include "harness.h"

#include "console/printk.h"
#include "console/screen.h"
#include "mem/alloc.h"
#include "mem/map.h"

#include <stdarg.h>
#include <xen/xen.h>

/* Four rows of ten cells, and three bytes that no cell covers on each side. */
#define WIDTH  83
#define HEIGHT 67
#define PITCH  (WIDTH * 4 + 12)

static uint8_t memory[PITCH * HEIGHT];
static unsigned int mapped, warned;

volatile void *map_framebuffer(paddr_t addr, size_t size)
{
	mapped++;
	return addr == 0xe0000000 && size <= sizeof(memory) ? memory : NULL;
}

/* VGA's memory is not there. */
static uint16_t absent[80 * 25];
volatile void *map_mmio(paddr_t addr, size_t size)
{
	return addr == 0xb8000 && size == sizeof(absent) ? absent : NULL;
}

void *xmalloc(size_t size)
{
	return malloc(size);
}

void printk(const char *fmt __attribute__((unused)), ...)
{
	warned++;
}

#include "console/screen.c"
#include "console/screen_pixels.c"

static struct framebuffer usual(void)
{
	return (struct framebuffer){
		.addr = 0xe0000000,
		.pitch = PITCH,
		.width = WIDTH,
		.height = HEIGHT,
		.bpp = 32,
		.type = FRAMEBUFFER_RGB,
		.red_pos = 16,
		.red_size = 8,
		.green_pos = 8,
		.green_size = 8,
		.blue_pos = 0,
		.blue_size = 8,
	};
}

static bool opened(const struct framebuffer *f)
{
	free(screen.cells);
	memset(&screen, 0, sizeof(screen));
	memset(memory, 0x5a, sizeof(memory));
	screen_find(f, false);
	return screen_open();
}

static void write_text(const char *s)
{
	while (*s)
		screen_putc(*s++);
}

static uint32_t pixel(unsigned int x, unsigned int y)
{
	uint32_t v = 0;

	memcpy(&v, memory + y * PITCH + x * pixels.bytes, pixels.bytes);
	return v;
}

/* The character whose dots stand in a cell; 0: of none. */
static char shown(unsigned int column, unsigned int row)
{
	for (char c = FONT_FIRST; c <= FONT_LAST; c++) {
		bool same = true;

		for (unsigned int i = 0; i < 5 * FONT_HEIGHT * 2; i++) {
			unsigned int x = i % 5, y = i / 5;
			uint32_t want = font[c - FONT_FIRST][y / 2] & (16 >> x)
						? pixels.white
						: 0;

			same = same && pixel(column * 8 + 1 + x,
					     row * 16 + 1 + y) == want;
		}
		if (same)
			return c;
	}
	return 0;
}

static void check_row(unsigned int row, const char *want)
{
	char got[11] = "";

	for (unsigned int i = 0; i < 10; i++)
		got[i] = shown(i, row);
	if (strcmp(got, want)) {
		printf("# row %u: \"%s\", not \"%s\"\n", row, got, want);
		test_failures++;
	}
}

static void letters(void)
{
	struct framebuffer f = usual();

	REQUIRE(opened(&f));
	CHECK_EQ(pixels.white, 0xffffff);
	check_row(0, "          ");
	write_text("Ab~\nlonger than it\tx\r!\b\b?");
	check_row(0, "Ab~       ");
	check_row(1, "longer tha");
	check_row(2, "? it    x ");
	write_text("\n\x1b[1;31mred\x1b[0m \x1bM\x80");
	check_row(3, "red ?     ");
}

static void scrolls(void)
{
	struct framebuffer f = usual();

	REQUIRE(opened(&f));
	write_text("1\n2\n3\n4");
	check_row(0, "1         ");
	write_text("\n5");
	check_row(0, "2         ");
	check_row(2, "4         ");
	check_row(3, "5         ");
	write_text("\n\n\n\n6");
	check_row(0, "          ");
	check_row(3, "6         ");
	/* Beyond the cells there was only what clearing left. */
	CHECK_EQ(pixel(81, 3), 0);
	CHECK_EQ(pixel(5, 65), 0);
}

static void depths(void)
{
	struct framebuffer f = usual();

	f.bpp = 24;
	REQUIRE(opened(&f));
	write_text("x#");
	check_row(0, "x#        ");
	f.bpp = 16;
	f.red_pos = 11;
	f.red_size = 5;
	f.green_pos = 5;
	f.green_size = 6;
	f.blue_size = 5;
	REQUIRE(opened(&f));
	CHECK_EQ(pixels.white, 0xffff);
	write_text("16");
	check_row(0, "16        ");
}

/* What a loader could say and nobody can draw on. */
static void refused(void)
{
	const struct {
		size_t at, size;
		uint64_t value;
	} bad[] = {
#define BAD(field, value)                                                      \
	{offsetof(struct framebuffer, field),                                  \
	 sizeof(((struct framebuffer *)0)->field), value}
		BAD(bpp, 8),
		BAD(bpp, 255),
		BAD(bpp, 0),
		BAD(width, 7),
		BAD(height, 15),
		BAD(pitch, WIDTH * 4 - 1),
		BAD(pitch, 0),
		BAD(width, 0x40000001),
		BAD(height, 0xffffffff),
		BAD(addr, 1UL << 60),
#undef BAD
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct framebuffer f = usual();
		unsigned int before = mapped, said = warned;

		memcpy((char *)&f + bad[i].at, &bad[i].value, bad[i].size);
		CHECK(!opened(&f));
		CHECK_EQ(mapped, before);
		CHECK_EQ(warned, said + 1);
		screen_putc('x');
	}
}

static void released(void)
{
	struct framebuffer f = usual();

	REQUIRE(opened(&f));
	CHECK(screen_is_borrowed());
	screen_release();
	write_text("late");
	check_row(0, "          ");
	CHECK_EQ(parse_vga(NULL, "current,keep"), 0);
	REQUIRE(opened(&f));
	CHECK(!screen_is_borrowed());
	screen_release();
	write_text("kept");
	check_row(0, "kept      ");
	keep = false;
	CHECK_EQ(parse_vga(NULL, NULL), -EINVAL);
}

static void told(void)
{
	struct framebuffer f = usual(), none = {};
	struct dom0_vga_console_info info;

	f.addr = 0x4000000000;
	screen_find(&f, true);
	REQUIRE(screen_info(&info));
	CHECK_EQ(info.video_type, XEN_VGATYPE_EFI_LFB);
	CHECK_EQ(info.u.vesa_lfb.lfb_base, 0);
	CHECK_EQ(info.u.vesa_lfb.ext_lfb_base, 0x40);
	CHECK_EQ(info.u.vesa_lfb.width, WIDTH);
	CHECK_EQ(info.u.vesa_lfb.bytes_per_line, PITCH);
	CHECK_EQ(info.u.vesa_lfb.lfb_size, 1);
	CHECK_EQ(info.u.vesa_lfb.rsvd_pos, 24);
	screen.kind = NULL;
	screen_find(&none, true);
	CHECK(!screen_info(&info));
	screen_find(&none, false); /* this host keeps what is written to it */
	REQUIRE(screen_info(&info));
	CHECK_EQ(info.video_type, XEN_VGATYPE_TEXT_MODE_3);
	CHECK_EQ(info.u.text_mode_3.columns, 80);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"letters, where they belong", letters},
		{"a full screen scrolls", scrolls},
		{"depths", depths},
		{"screens that cannot be used", refused},
		{"domain 0 gets it, or shares it", released},
		{"what domain 0 is told", told},
	};

	return run_cases(cases, ARRAY_SIZE(cases));
}
