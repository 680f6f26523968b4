/* SPDX-License-Identifier: MIT */
/*
 * VGA's text mode 3, which BIOSes leave: 80 by 25 cells of a character and its
 * colours at 0xb8000, and a cursor in the CRT controller (IBM VGA Technical
 * Reference, "CRT Controller Registers").
 */
#include "console/screen.h"
#include "lib/x86.h"
#include "mem/map.h"

#define TEXT_ADDR 0xb8000
#define GREY      0x0700

/* The CRT controller's index and data ports, and where its cursor is. */
#define CRTC_INDEX  0x3d4
#define CRTC_DATA   0x3d5
#define CURSOR_HIGH 0x0e
#define CURSOR_LOW  0x0f

static volatile uint16_t *cells;

/* Memory that keeps what is written to it. */
bool __init screen_text_probe(void)
{
	static const __initdata uint16_t patterns[] = {0x0755, 0x07aa};
	uint16_t was;
	bool kept = true;

	cells = map_mmio(TEXT_ADDR, TEXT_COLUMNS * TEXT_ROWS * sizeof(*cells));
	if (!cells)
		return false;
	was = cells[0];
	for (unsigned int i = 0; i < ARRAY_SIZE(patterns); i++) {
		cells[0] = patterns[i];
		kept = kept && cells[0] == patterns[i];
	}
	cells[0] = was;
	return kept;
}

static bool __init text_open(const struct framebuffer *f __maybe_unused,
			     unsigned int *columns, unsigned int *rows)
{
	for (unsigned int i = 0; i < TEXT_COLUMNS * TEXT_ROWS; i++)
		cells[i] = GREY | ' ';
	*columns = TEXT_COLUMNS;
	*rows = TEXT_ROWS;
	return true;
}

static void text_draw(unsigned int column, unsigned int row, char c)
{
	cells[row * TEXT_COLUMNS + column] = GREY | (uint8_t)c;
}

static void text_cursor(unsigned int column, unsigned int row)
{
	unsigned int at = row * TEXT_COLUMNS + column;

	outb(CRTC_INDEX, CURSOR_HIGH);
	outb(CRTC_DATA, (uint8_t)(at >> 8));
	outb(CRTC_INDEX, CURSOR_LOW);
	outb(CRTC_DATA, (uint8_t)at);
}

static unsigned int text_scroll(unsigned int rows __maybe_unused)
{
	return 1;
}

const struct screen_kind screen_text = {text_open, text_draw, text_cursor,
					text_scroll};
