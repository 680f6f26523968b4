/* SPDX-License-Identifier: MIT */
/*
 * Characters on a screen of pixels, each in a cell of 8 by 16: the font's dots
 * twice as high as wide. Colours are white and black, in whatever way the
 * screen stores them.
 */
#include "console/screen.h"
#include "console/printk.h"
#include "lib/string.h"
#include "mem/map.h"

#define CELL_WIDTH  8
#define CELL_HEIGHT 16
#define MARGIN      1 /* of a cell: columns before the dots, rows above */

static struct {
	volatile uint8_t *memory;
	uint32_t pitch;
	unsigned int bytes; /* of a pixel */
	uint32_t white;
} pixels;

static uint32_t all_of(uint8_t pos, uint8_t size)
{
	return pos < 32 && size && size <= 32 - pos
		       ? (uint32_t)GENMASK(pos + size - 1, pos)
		       : 0;
}

/* What the loader says, as far as we can draw on it. */
static bool __init makes_sense(const struct framebuffer *f)
{
	unsigned int bytes = DIV_ROUND_UP(f->bpp, 8);

	return bytes >= 2 && bytes <= 4 && f->width >= CELL_WIDTH &&
	       f->height >= CELL_HEIGHT && f->width <= 65535 &&
	       f->height <= 65535 && f->pitch <= 65535 * 4U &&
	       f->pitch >= f->width * bytes && !(f->addr >> 48);
}

static bool __init pixels_open(const struct framebuffer *f,
			       unsigned int *columns, unsigned int *rows)
{
	size_t size = (size_t)f->pitch * f->height;

	if (!makes_sense(f)) {
		printk(XENLOG_WARNING
		       "Screen: %ux%u pixels of %u bits, %u bytes a line at "
		       "%#lx: not used\n",
		       f->width, f->height, f->bpp, f->pitch, f->addr);
		return false;
	}
	pixels.memory = map_framebuffer(f->addr, size);
	if (!pixels.memory)
		return false;
	memset((void *)pixels.memory, 0, size);
	pixels.pitch = f->pitch;
	pixels.bytes = DIV_ROUND_UP(f->bpp, 8);
	pixels.white = all_of(f->red_pos, f->red_size) |
		       all_of(f->green_pos, f->green_size) |
		       all_of(f->blue_pos, f->blue_size);
	*columns = f->width / CELL_WIDTH;
	*rows = f->height / CELL_HEIGHT;
	return true;
}

static void set_pixel(volatile uint8_t *at, uint32_t value)
{
	if (pixels.bytes == 4) {
		*(volatile uint32_t *)at = value;
		return;
	}
	for (unsigned int i = 0; i < pixels.bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* The dots of one line of a cell, the leftmost in bit 7. */
static uint8_t dots(char c, unsigned int line)
{
	unsigned int row = (line - MARGIN) / 2;

	if (line < MARGIN || row >= FONT_HEIGHT)
		return 0;
	return (uint8_t)(font[c - FONT_FIRST][row] << (3 - MARGIN));
}

static void pixels_draw(unsigned int column, unsigned int row, char c)
{
	volatile uint8_t *line = pixels.memory +
				 (size_t)row * CELL_HEIGHT * pixels.pitch +
				 (size_t)column * CELL_WIDTH * pixels.bytes;

	for (unsigned int y = 0; y < CELL_HEIGHT; y++, line += pixels.pitch) {
		uint8_t bits = dots(c, y);

		for (unsigned int x = 0; x < CELL_WIDTH; x++)
			set_pixel(line + x * pixels.bytes,
				  bits & BIT(7 - x) ? pixels.white : 0);
	}
}

static void pixels_cursor(unsigned int column __maybe_unused,
			  unsigned int row __maybe_unused)
{
}

static unsigned int pixels_scroll(unsigned int rows)
{
	return DIV_ROUND_UP(rows, 4);
}

const struct screen_kind screen_pixels = {pixels_open, pixels_draw,
					  pixels_cursor, pixels_scroll};
