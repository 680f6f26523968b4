/* SPDX-License-Identifier: MIT */
/*
 * The peer grants a page to each of the PEER_GRANTS domains created after it,
 * writable, by references from PEER_FIRST_REF on: the first such domain has the
 * first reference. A page begins with the number of its reference.
 */
#ifndef OSTLER_GUEST_PEER_H
#define OSTLER_GUEST_PEER_H

#define PEER_FIRST_REF 16
#define PEER_GRANTS    64

#endif
