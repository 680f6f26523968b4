/* SPDX-License-Identifier: MIT */
/*
 * Lines of text on the machine's screen (console/screen.h). What is shown is
 * kept here, so that the screen's own memory, which is slow to read, never is,
 * and only what differs is drawn.
 */
#include "console/screen.h"
#include "console/printk.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "lib/string.h"
#include "mem/alloc.h"

#include <xen/xen.h>

#define TAB    8
#define ESCAPE 0x1b

static struct {
	struct framebuffer frame;
	const struct screen_kind *kind; /* NULL: there is no screen */
	bool efi, open;
	unsigned int columns, rows, column, row;
	char *cells;
	enum { PLAIN, AFTER_ESCAPE, IN_SEQUENCE } state;
} screen;

static bool keep;

/* The mode is the loader's choice; what is left of Xen's words is "keep". */
static int __init parse_vga(const struct param *p, const char *value)
{
	(void)p;
	if (!value)
		return -EINVAL;
	for (;;) {
		const char *comma = strchr(value, ',');
		size_t n = comma ? (size_t)(comma - value) : strlen(value);

		if (word_is(value, n, "keep"))
			keep = true;
		else if (!word_is(value, n, "current"))
			printk("Command line: vga=%s: the mode stays as the "
			       "boot loader left it\n",
			       value);
		if (!comma)
			return 0;
		value = comma + 1;
	}
}
PARAM_CUSTOM("vga", parse_vga, "keep: go on writing to the screen");

void __init screen_find(const struct framebuffer *f, bool efi)
{
	screen.frame = *f;
	screen.efi = efi;
	if (f->addr && f->type == FRAMEBUFFER_RGB)
		screen.kind = &screen_pixels;
	else if (!efi && (!f->addr || f->type == FRAMEBUFFER_TEXT) &&
		 screen_text_probe())
		screen.kind = &screen_text;
}

bool __init screen_open(void)
{
	unsigned int columns, rows;

	if (!screen.kind || !screen.kind->open(&screen.frame, &columns, &rows))
		return false;
	screen.cells = xmalloc((size_t)columns * rows);
	if (!screen.cells)
		return false;
	memset(screen.cells, ' ', (size_t)columns * rows);
	screen.columns = columns;
	screen.rows = rows;
	screen.open = true;
	return true;
}

static void show(unsigned int column, unsigned int row, char c)
{
	char *cell = &screen.cells[row * screen.columns + column];

	if (*cell == c)
		return;
	*cell = c;
	screen.kind->draw(column, row, c);
}

static void scroll(void)
{
	unsigned int by = screen.kind->scroll(screen.rows);

	for (unsigned int row = 0; row < screen.rows; row++)
		for (unsigned int column = 0; column < screen.columns; column++)
			show(column, row,
			     row + by < screen.rows
				     ? screen.cells[(row + by) *
							    screen.columns +
						    column]
				     : ' ');
	screen.row -= by;
}

static void new_line(void)
{
	screen.column = 0;
	if (++screen.row == screen.rows)
		scroll();
}

/* ECMA-48, "Control sequences": from ESC [ to a byte of 0x40 and above. */
static bool in_escape(char c)
{
	switch (screen.state) {
	case PLAIN:
		if (c != ESCAPE)
			return false;
		screen.state = AFTER_ESCAPE;
		return true;
	case AFTER_ESCAPE:
		screen.state = c == '[' ? IN_SEQUENCE : PLAIN;
		return true;
	default:
		if (c >= 0x40 && c <= 0x7e)
			screen.state = PLAIN;
		return true;
	}
}

static void put_plain(char c)
{
	if (c < FONT_FIRST || c > FONT_LAST)
		c = '?';
	show(screen.column, screen.row, c);
	if (++screen.column == screen.columns)
		new_line();
}

void screen_putc(char c)
{
	if (!screen.open || in_escape(c))
		return;
	switch (c) {
	case '\n':
		new_line();
		break;
	case '\r':
		screen.column = 0;
		break;
	case '\b':
		screen.column -= screen.column > 0;
		break;
	case '\t':
		do
			put_plain(' ');
		while (screen.column % TAB);
		break;
	case '\0':
	case '\a':
		return;
	default:
		put_plain(c);
	}
	screen.kind->cursor(screen.column, screen.row);
}

bool screen_is_borrowed(void)
{
	return screen.open && !keep;
}

void screen_release(void)
{
	screen.open = screen.open && keep;
}

static void text_info(struct dom0_vga_console_info *info)
{
	info->video_type = XEN_VGATYPE_TEXT_MODE_3;
	info->u.text_mode_3.font_height = 16;
	info->u.text_mode_3.cursor_x = (uint16_t)screen.column;
	info->u.text_mode_3.cursor_y = (uint16_t)screen.row;
	info->u.text_mode_3.rows = TEXT_ROWS;
	info->u.text_mode_3.columns = TEXT_COLUMNS;
}

static void pixels_info(struct dom0_vga_console_info *info)
{
	const struct framebuffer *f = &screen.frame;
	uint64_t size = (uint64_t)f->pitch * f->height;

	info->video_type = screen.efi ? XEN_VGATYPE_EFI_LFB
				      : XEN_VGATYPE_VESA_LFB;
	info->u.vesa_lfb.width = (uint16_t)f->width;
	info->u.vesa_lfb.height = (uint16_t)f->height;
	info->u.vesa_lfb.bytes_per_line = (uint16_t)f->pitch;
	info->u.vesa_lfb.bits_per_pixel = f->bpp;
	info->u.vesa_lfb.lfb_base = (uint32_t)f->addr;
	info->u.vesa_lfb.ext_lfb_base = (uint32_t)(f->addr >> 32);
	info->u.vesa_lfb.lfb_size = (uint32_t)DIV_ROUND_UP(size, 65536);
	info->u.vesa_lfb.red_pos = f->red_pos;
	info->u.vesa_lfb.red_size = f->red_size;
	info->u.vesa_lfb.green_pos = f->green_pos;
	info->u.vesa_lfb.green_size = f->green_size;
	info->u.vesa_lfb.blue_pos = f->blue_pos;
	info->u.vesa_lfb.blue_size = f->blue_size;
	/* What 32 bits have beside the colours. */
	if (f->bpp == 32) {
		info->u.vesa_lfb.rsvd_pos = 24;
		info->u.vesa_lfb.rsvd_size = 8;
	}
}

bool screen_info(struct dom0_vga_console_info *info)
{
	memset(info, 0, sizeof(*info));
	if (!screen.kind)
		return false;
	if (screen.kind == &screen_text)
		text_info(info);
	else
		pixels_info(info);
	return true;
}
