#!/bin/bash
# SPDX-License-Identifier: MIT
# xen/image, built freestanding and linked with the decompressors' archives and
# no C library, must leave exactly the symbols of xen/image/libc-shim undefined.
set -u
src=@srcdir@ cc='@CC@'
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
echo 1..1
mkdir "$tmp/lib"
printf '%s\n' '#include <stddef.h>' 'void *memcpy(void *, const void *, size_t);' \
	'void *memset(void *, int, size_t);' \
	'int memcmp(const void *, const void *, size_t);' >"$tmp/lib/string.h"
archives=
for lib in lzma zstd lz4 z; do
	file=$($cc -print-file-name=lib$lib.a)
	[ -f "$file" ] || { echo "ok 1 - libc shim # SKIP no lib$lib.a"; exit 0; }
	archives="$archives $file"
done
for f in "$src"/xen/image/*.c; do
	$cc -std=gnu11 -O2 -ffreestanding -fno-stack-protector -fno-pic \
		-mno-red-zone -mgeneral-regs-only -I"$src/xen" -I"$tmp" \
		-c "$f" -o "$tmp/$(basename "$f" .c).o" || exit 1
done
ld -r -o "$tmp/all.rel" "$tmp"/*.o --start-group $archives --end-group || exit 1
nm -u "$tmp/all.rel" | awk '$1 == "U" && $2 !~ /^_GLOBAL/ { print $2 }' |
	LC_ALL=C sort >"$tmp/got"
if diff <(grep -v '^#' "$src/xen/image/libc-shim") "$tmp/got" >"$tmp/diff"; then
	echo "ok 1 - xen/image needs what libc-shim lists"
else
	sed 's/^/# /' "$tmp/diff"
	echo "not ok 1 - xen/image needs what libc-shim lists"
	exit 1
fi
