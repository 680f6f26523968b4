/* SPDX-License-Identifier: MIT */
/* Inside the image code: a run of ELF notes, collected into image_notes. */
#ifndef OSTLER_IMAGE_NOTES_H
#define OSTLER_IMAGE_NOTES_H

#include "image/image.h"

/* Adds the Xen notes among len bytes at data. The first of a type counts. */
int image_collect_notes(const uint8_t *data, uint64_t len,
			struct image_notes *notes, const char **why);

#endif
