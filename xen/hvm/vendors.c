/* SPDX-License-Identifier: MIT */
/* The vendors that this build knows, in the order in which they are tried. */
#include "hvm/hvm.h"

extern const struct hvm_ops svm_ops, vmx_ops;
extern const struct hvm_ops *const hvm_vendors[];
const struct hvm_ops *const hvm_vendors[] = {&svm_ops, &vmx_ops, NULL};
