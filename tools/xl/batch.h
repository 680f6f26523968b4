/* SPDX-License-Identifier: MIT */
/*
 * Many requests to the store in one exchange: all of them go out in one write,
 * then the answers are read. Asked one after the other, each would be a change
 * of process and back. It has a connection of its own.
 */
#ifndef OSTLER_XL_BATCH_H
#define OSTLER_XL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch {
	uint32_t tx; /* the transaction, 0: none */
	unsigned int nr;
	char *buf;
	size_t len, room;
	bool broken; /* out of memory, or a path too long */
};

/* An answer: an errno, or a body with a zero byte after its len bytes. */
typedef void batch_answer(void *arg, unsigned int id, int error,
			  const char *body, size_t len);

/* False, errno set, when the store cannot be reached. */
bool batch_begin(struct batch *b, bool transaction);
void batch_write(struct batch *b, const char *path, const char *value);
/* A folder that owner owns and reader may read (DOMID_INVALID: nobody). */
void batch_folder(struct batch *b, const char *path, uint32_t owner,
		  uint32_t reader);
void batch_rm(struct batch *b, const char *path);
void batch_directory(struct batch *b, const char *path);
/*
 * Sends what there is and hands over each answer, by the number that its
 * request had. The batch, a transaction's too, can be gone on with. False when
 * the connection failed: then batch_commit() is still to be called.
 */
bool batch_exchange(struct batch *b, batch_answer *got, void *arg);
/*
 * Sends all, ends the transaction, and reads the answers. False with errno: of
 * the first request that failed, EAGAIN for a conflict, after which all must
 * be asked again. A request that fails does not take the others back: what
 * was written is the caller's to remove.
 */
bool batch_commit(struct batch *b);
/* Reads many paths: values[i] is malloced, or NULL if there is none. */
bool batch_read(char *const *paths, unsigned int nr, char **values);
/* After a fork: the connection is the parent's. */
void batch_forget(void);

#endif
