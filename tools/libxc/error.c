/* SPDX-License-Identifier: MIT */
/* Messages: to the caller's logger, the last error kept in the handle. */
#include "private.h"

const xc_error *xc_get_last_error(xc_interface *xch)
{
	return &xch->last_error;
}

void xc_clear_last_error(xc_interface *xch)
{
	xch->last_error.code = XC_ERROR_NONE;
	xch->last_error.message[0] = '\0';
}

const char *xc_error_code_to_desc(int code)
{
	static const char *const text[] = {
		[XC_ERROR_NONE] = "No error details",
		[XC_INTERNAL_ERROR] = "Internal error",
		[XC_INVALID_KERNEL] = "Invalid kernel",
		[XC_INVALID_PARAM] = "Invalid configuration",
		[XC_OUT_OF_MEMORY] = "Out of memory",
	};

	if (code < 0 || (size_t)code >= sizeof(text) / sizeof(text[0]))
		return "Unknown error code";
	return text[code];
}

void xc_reportv(xc_interface *xch, xentoollog_logger *lg,
		xentoollog_level level, int code, const char *fmt, va_list args)
{
	char scratch[XC_MAX_ERROR_MSG_LEN], *msg = scratch;
	int saved = errno;
	size_t len;

	if (level >= XTL_ERROR) {
		msg = xch->last_error.message;
		xch->last_error.code = (enum xc_error_code)code;
	}
	vsnprintf(msg, XC_MAX_ERROR_MSG_LEN, fmt, args);
	len = strlen(msg);
	if (len && msg[len - 1] == '\n')
		msg[len - 1] = '\0';
	if (code)
		xtl_log(lg, level, -1, "xc", "%s: %s", msg,
			xc_error_code_to_desc(code));
	else
		xtl_log(lg, level, -1, "xc", "%s", msg);
	errno = saved;
}

void xc_report(xc_interface *xch, xentoollog_logger *lg, xentoollog_level level,
	       int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	xc_reportv(xch, lg, level, code, fmt, args);
	va_end(args);
}

void xc_report_error(xc_interface *xch, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	xc_reportv(xch, xch->error_handler, XTL_ERROR, code, fmt, args);
	va_end(args);
}

const char *xc_set_progress_prefix(xc_interface *xch, const char *doing)
{
	const char *old = xch->currently_progress_reporting;

	xch->currently_progress_reporting = doing;
	return old;
}

void xc_report_progress_single(xc_interface *xch, const char *doing)
{
	xtl_progress(xch->error_handler, "xc", doing, 0, 0);
}

void xc_report_progress_step(xc_interface *xch, unsigned long done,
			     unsigned long total)
{
	xtl_progress(xch->error_handler, "xc",
		     xch->currently_progress_reporting, (int)done, total);
}

const char *xc_strerror(xc_interface *xch, int errcode)
{
	static _Thread_local char text[64];

	(void)xch;
	/* The GNU strerror_r: thread-safe, and may return a constant. */
	return strerror_r(errcode, text, sizeof(text));
}
