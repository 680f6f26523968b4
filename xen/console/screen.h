/* SPDX-License-Identifier: MIT */
/*
 * The machine's screen as the boot loader left it: VGA's text mode, or pixels
 * in memory. Messages are shown there until domain 0 runs, and then it is
 * domain 0's, which is told what it is (vga=keep: both write).
 */
#ifndef OSTLER_CONSOLE_SCREEN_H
#define OSTLER_CONSOLE_SCREEN_H

#include "lib/types.h"

/* Multiboot2 Specification 2.0, "Framebuffer info". */
#define FRAMEBUFFER_INDEXED 0
#define FRAMEBUFFER_RGB     1
#define FRAMEBUFFER_TEXT    2

struct framebuffer {
	paddr_t addr; /* 0: the loader told of none */
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct dom0_vga_console_info;

/*
 * Finds the screen; efi: the loader's pixels are UEFI's, and there is no text
 * mode to fall back on. Memory is up.
 */
void screen_find(const struct framebuffer *f, bool efi);
/* Clears it and makes it show what screen_putc() is given; false: there is none
 * that we can write to. */
bool screen_open(void);
/* A character. '\n', '\r', '\t' and '\b' move; escape sequences are left out.
 * Nothing happens unless it is open. The caller keeps two out of it at once. */
void screen_putc(char c);
/* Whether characters are shown that screen_release() will end: not with
 * vga=keep. */
bool screen_is_borrowed(void);
/* No more is written to it, if it is borrowed: domain 0 starts. */
void screen_release(void);
/* What domain 0 is told of it (public/xen.h); false: there is none. */
bool screen_info(struct dom0_vga_console_info *info);

/*
 * How a kind of screen shows cells of a character each. For screen.c.
 */
struct screen_kind {
	/* Maps and clears it, and says its size in cells; false: it cannot be
	 * used. */
	bool (*open)(const struct framebuffer *f, unsigned int *columns,
		     unsigned int *rows);
	void (*draw)(unsigned int column, unsigned int row, char c);
	void (*cursor)(unsigned int column, unsigned int row);
	/* How many rows go at once when the last one is full: all that changes
	 * is drawn again. */
	unsigned int (*scroll)(unsigned int rows);
};
extern const struct screen_kind screen_text, screen_pixels;
#define TEXT_COLUMNS 80
#define TEXT_ROWS    25
/* Whether VGA's text memory is there. */
bool screen_text_probe(void);

/* 5 by 7 dots for each character from ' ' to '~'; a row's leftmost is bit 4. */
#define FONT_FIRST  ' '
#define FONT_LAST   '~'
#define FONT_HEIGHT 7
extern const uint8_t font[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];

#endif
