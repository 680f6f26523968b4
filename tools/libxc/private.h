/* SPDX-License-Identifier: MIT */
/*
 * Inside libxc: the handle, hypercall-safe memory, and the hypercalls that the
 * rest is built from. xenctrl.h, the distribution's, is the public interface.
 *
 * Functions return what their declaration in xenctrl.h promises: 0 or a count,
 * or -1 with errno set.
 */
#ifndef OSTLER_LIBXC_PRIVATE_H
#define OSTLER_LIBXC_PRIVATE_H

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include <xenctrl.h>
#include <xencall.h>
#include <xenforeignmemory.h>
#include <xendevicemodel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/sys/privcmd.h>

#define PAGE_SIZE  XC_PAGE_SIZE
#define PAGE_SHIFT XC_PAGE_SHIFT

/*
 * The stock libxenguest reaches into this structure for its loggers and
 * handles, so order and types are part of the interface (version 4.17).
 */
struct xc_interface_core {
	int flags;
	xentoollog_logger *error_handler, *error_handler_tofree;
	xentoollog_logger *dombuild_logger, *dombuild_logger_tofree;
	struct xc_error last_error;
	FILE *dombuild_logger_file;
	const char *currently_progress_reporting;
	xencall_handle *xcall;
	xenforeignmemory_handle *fmem;
	xendevicemodel_handle *dmod;
};

/* ---- Memory that a hypercall may read and write ---- */

enum { SAFE_IN = 1, SAFE_OUT = 2, SAFE_BOTH = 3 };

/* A caller's buffer and its safe copy p, which is NULL for a NULL buffer. */
struct safe {
	void *user;
	size_t size;
	int dir;
	void *p;
};

/* Makes the copy, filled for SAFE_IN. 0, or -1 with errno ENOMEM. */
int safe_get(xc_interface *xch, struct safe *s, const void *user, size_t size,
	     int dir);
/* Copies back for SAFE_OUT and frees. Keeps errno. */
void safe_put(xc_interface *xch, struct safe *s);

/* A caller's hypercall buffer, or what it stands for; NULL for none. */
static inline void *buffer_of(const xc_hypercall_buffer_t *b)
{
	if (!b)
		return NULL;
	return b->param_shadow ? b->param_shadow->hbuf : b->hbuf;
}

/* ---- Hypercalls with one argument structure ---- */

int do_physdev_op(xc_interface *xch, unsigned int cmd, void *op, size_t size);
int do_platform_op(xc_interface *xch, struct xen_platform_op *op);
int do_evtchn_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size);
int do_sched_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size);
int do_hvm_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size);
int do_mca(xc_interface *xch, struct xen_mc *mc);
int do_kexec_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size);
/* Again while Xen says EAGAIN; and for buffers that may fault, on EFAULT. */
int do_sysctl_again(xc_interface *xch, struct xen_sysctl *op);
int do_domctl_retry_fault(xc_interface *xch, struct xen_domctl *op);

#define DOMCTL(name, id)                                                       \
	{                                                                      \
		.cmd = XEN_DOMCTL_##name, .domain = (domid_t)(id)              \
	}
#define SYSCTL(name)                                                           \
	{                                                                      \
		.cmd = XEN_SYSCTL_##name                                       \
	}

/* ---- Messages ---- */

void xc_report_error(xc_interface *xch, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void xc_reportv(xc_interface *xch, xentoollog_logger *lg,
		xentoollog_level level, int code, const char *fmt, va_list args)
	__attribute__((format(printf, 5, 0)));
void xc_report(xc_interface *xch, xentoollog_logger *lg, xentoollog_level level,
	       int code, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
const char *xc_set_progress_prefix(xc_interface *xch, const char *doing);
void xc_report_progress_single(xc_interface *xch, const char *doing);
void xc_report_progress_step(xc_interface *xch, unsigned long done,
			     unsigned long total);

/* ---- Exported for the stock libxenguest, declared in no public header ---- */

#define MAX_MMU_UPDATES 1024
struct xc_mmu {
	mmu_update_t updates[MAX_MMU_UPDATES];
	int idx;
	unsigned int subject;
};

int xc__hypercall_bounce_pre(xc_interface *xch, xc_hypercall_buffer_t *b);
void xc__hypercall_bounce_post(xc_interface *xch, xc_hypercall_buffer_t *b);

struct xc_mmu *xc_alloc_mmu_updates(xc_interface *xch, unsigned int subject);
int xc_add_mmu_update(xc_interface *xch, struct xc_mmu *mmu,
		      unsigned long long ptr, unsigned long long val);
int xc_flush_mmu_updates(xc_interface *xch, struct xc_mmu *mmu);
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num,
			  xen_pfn_t *arr);
void *xc_map_foreign_ranges(xc_interface *xch, uint32_t dom, size_t size,
			    int prot, size_t chunksize,
			    privcmd_mmap_entry_t entries[], int nentries);

int read_exact(int fd, void *data, size_t size);
int write_exact(int fd, const void *data, size_t size);
int writev_exact(int fd, const struct iovec *iov, int iovcnt);
void discard_file_cache(xc_interface *xch, int fd, int flush);
void bitmap_64_to_byte(uint8_t *bytes, const uint64_t *words, int nbits);
void bitmap_byte_to_64(uint64_t *words, const uint8_t *bytes, int nbits);
int xc_ffs8(uint8_t x);
int xc_ffs16(uint16_t x);
int xc_ffs32(uint32_t x);
int xc_ffs64(uint64_t x);

#endif
