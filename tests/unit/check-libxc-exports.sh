#!/bin/bash
# SPDX-License-Identifier: MIT
# Our libxenctrl.so.4.17 exports every symbol that the stock programs import,
# with the stock library's version; and, where the stock library is here too,
# nothing under that version that the stock one does not have.
set -u
so=@builddir@/tools/libxc/libxenctrl.so.4.17
list=@srcdir@/tools/libxc/imports
n=0 bad=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
notok() { n=$((n + 1)) bad=1; echo "not ok $n - $1"; }
exported() { nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort -u; }

missing=$(LC_ALL=C comm -23 \
	<(grep -v '^#' "$list" | sed 's/$/@@VERS_4.17.0/' | LC_ALL=C sort -u) \
	<(exported "$so"))
if [ -z "$missing" ]; then
	ok "libxenctrl: exports all $(grep -vc '^#' "$list") imported symbols"
else
	printf '# missing: %s\n' $missing
	notok "libxenctrl: exports all imported symbols"
fi

name=$(readelf -d "$so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
if [ "$name" = libxenctrl.so.4.17 ]; then
	ok "libxenctrl: soname"
else
	notok "libxenctrl: soname is $name"
fi

stock=/usr/lib/x86_64-linux-gnu/libxenctrl.so.4.17
if [ ! -e "$stock" ]; then
	ok "libxenctrl: no name of our own # SKIP no stock library"
else
	extra=$(LC_ALL=C comm -13 <(exported "$stock") <(exported "$so"))
	if [ -z "$extra" ]; then
		ok "libxenctrl: no name of our own"
	else
		printf '# not in the stock library: %s\n' $extra
		notok "libxenctrl: no name of our own"
	fi
fi
echo 1..$n
exit $bad
