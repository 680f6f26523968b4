# SPDX-License-Identifier: MIT
# Debian's 6.12 with four processors on a PC, started by GRUB from its disk:
# with the emulated disk only, then with PV drivers. Wants the device model in
# dom0 (dm=1) and /lab/disk-6.12.img.
. /lab/tap.sh
mods blk
before=$(at_rest)

# through NAME LOG WORDS [LINE...]
through() {
	local name=$1 log=$2 words=$3 sum
	shift 3
	rm -f "$log"
	cp /lab/disk-6.12.img /lab/guest-disk.img
	grub_disk /run/four.img "$words loglevel=4 panic=5 do=blk" 64M
	verdict $? "$name: a disk with GRUB"
	sum=$(dd if=/run/four.img bs=1M count=8 2>/dev/null | md5sum | cut -d' ' -f1)
	config "$name" hvm "" 'memory=256' 'vcpus=4' 'vga="none"' 'vnc=0' 'usb=0' \
		'hdtype="ahci"' 'disk=["/run/four.img,raw,hda,w"]' \
		'serial="file:/run/four.serial"' "$@"
	ok "$name: create" xl create -q "/run/$name.cfg"
	has "$log" GUEST-UP 200
	verdict $? "$name: Linux comes up" "$(tail -c 200 "$log" | tr -c ' -~' ' ')"
	grep -qa 'GUEST-UP .*kernel=6\.12.* cpus=4 ' "$log"
	verdict $? "$name: with four processors"
	has "$log" GUEST-DONE 150
	verdict $? "$name: it does its work" "$(tail -c 200 "$log" | tr -c ' -~' ' ')"
	sed -n 's/^GUEST-\(UP\|RATE\|FAIL\)/# &/p' "$log" | tr -d '\r'
	grep -qa "GUEST-BLK sum=$sum" "$log"
	verdict $? "$name: its disk's bytes are right"
	gone "$name" 30
	verdict $? "$name: it powers itself off"
}
through pure /run/four.serial 'console=ttyS0 nopv on=emulated' 'xen_platform_pci=0'
through drivers "$LOG/guest-drivers.log" 'console=hvc0'
rm -f /run/four.img /run/four.serial /lab/guest-disk.img
settled "$before"
done_testing
