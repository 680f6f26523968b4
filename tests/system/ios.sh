# SPDX-License-Identifier: MIT
# What small reads of a disk cost an HVM guest: how many a second, and how many
# exits each takes (where the hypervisor counts them), with PV drivers and by
# the emulated disk. Wants the device model in dom0 (dm=1) and
# /lab/disk-6.1.img.
. /lab/tap.sh
mods blk
mv /lab/disk-6.1.img /lab/guest-disk.img
before=$(at_rest)
# exits: all since the start.
exits() {
	xenperf 2>/dev/null | awk '/^exit / { sub(/.*T= */, ""); n += $1 } END { print n + 0 }'
}
# reads LOG: how many the guest has said.
reads() { sed -n 's/^GUEST-READS //p' "$1" | tail -1 | tr -d '\r'; }
# next LOG: waits for its next line, so that two counts are of one moment.
next() {
	local i n
	n=$(reads "$1")
	for ((i = 0; i < 500; i++)); do
		[ "$(reads "$1")" = "$n" ] || return 0
		nap 0.02
	done
	return 1
}
# measure NAME LOG WORDS [LINE...]
measure() {
	local name=$1 log=$2 words=$3 n e t
	shift 3
	rm -f "$log"
	grub_disk /run/ios.img "$words loglevel=4 panic=5 do=reads" 64M
	config "$name" hvm "" 'memory=192' 'vga="none"' 'vnc=0' 'usb=0' \
		'hdtype="ahci"' 'disk=["/run/ios.img,raw,hda,w"]' \
		'serial="file:/run/ios.serial"' "$@"
	ok "$name: create" xl create -q "/run/$name.cfg"
	has "$log" '^GUEST-READS' 150
	verdict $? "$name: it reads" "$(tail -c 200 "$log" | tr -c ' -~' ' ')"
	next "$log"
	n=$(reads "$log") e=$(exits) t=${EPOCHREALTIME/./}
	nap 5
	next "$log"
	n=$(($(reads "$log") - n)) e=$(($(exits) - e))
	t=$((${EPOCHREALTIME/./} - t))
	[ "$n" -gt 0 ]
	verdict $? "$name: and goes on" "$n reads"
	[ "$n" -gt 0 ] && echo "# $name: $((n * 1000000 / t)) reads of 4 KiB" \
		"a second, $((e * 10 / n)) tenths of an exit each"
	[ $e -lt $((n * 60)) ]
	verdict $? "$name: sixty exits each at most" "$e of $n reads"
	ok "$name: destroy" xl destroy "$name"
}
measure drivers "$LOG/guest-drivers.log" console=hvc0
measure pure /run/ios.serial 'console=ttyS0 nopv on=emulated' 'xen_platform_pci=0'
rm -f /run/ios.img /run/ios.serial
settled "$before"
done_testing
