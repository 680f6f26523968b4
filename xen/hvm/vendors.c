/* SPDX-License-Identifier: MIT */
/* The vendors that this build knows, in the order in which they are tried. */
#include "hvm/svm/svm.h"

extern const struct hvm_ops *const hvm_vendors[];
const struct hvm_ops *const hvm_vendors[] = {&svm_ops, NULL};
