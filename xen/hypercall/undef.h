/* SPDX-License-Identifier: MIT */
/* After each reading of table.def: its macros may be given a new meaning. No
 * include guard: it is read many times. */
#undef CALL
#undef GROUP
#undef SUBOP
#undef SUBOP0
#undef CMD
#undef WHOLE
