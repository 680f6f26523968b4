# SPDX-License-Identifier: MIT
# Where a guest PC starts from (boot=), and what its serial lines are: the same
# boot sector (sector.S) on a disk and on a disc, a card's boot ROM; a tablet;
# another BIOS file; Debian's 6.12 by direct kernel boot. Wants the device model
# in dom0 (dm=1), /lab/sector, /lab/sector.iso, /lab/vmlinuz-6.12 and
# /lab/guest-6.12.cpio.gz.
. /lab/tap.sh
. /lab/screen.sh
mods blk net
before=$(at_rest)
why() { tail -c 200 "/run/$1.serial" 2>/dev/null | tr -c ' -~' ' '; }
# disk LETTERS: the sector, its count of starts and its plan.
disk() {
	cp /lab/sector /run/disk.img
	printf '\0%s' "$1" >>/run/disk.img
	truncate -s 8M /run/disk.img
}
# machine NAME ORDER [LINE...]
machine() {
	local name=$1 order=$2
	shift 2
	rm -f "/run/$name.serial"
	config "$name" hvm "" 'memory=32' "boot=\"$order\"" 'vnc=0' \
		'disk=["/run/disk.img,raw,hda,w","/lab/sector.iso,raw,hdc,cdrom"]' "$@"
}
# from ORDER DRIVE: it starts from there.
from() {
	machine from "$1" 'vga="none"' 'usb=0' 'serial="file:/run/from.serial"'
	ok "boot=\"$1\"" xl create -q /run/from.cfg
	has /run/from.serial "sector from drive $2" 40
	verdict $? "boot=\"$1\": from drive $2" "$(why from)"
	ok "boot=\"$1\": destroy" xl destroy from
}
disk w
from c 80
from d e0
from dc e0
from cd 80
truncate -s 0 /run/disk.img
truncate -s 8M /run/disk.img
from cd e0

# echoed NAME: what is written to descriptor 7 comes back from there.
echoed() {
	local line heard=
	while read -r -t 40 line <&7; do
		echo "# $line" | tr -d '\r'
		case $line in
		*"start 00"*) printf Q >&7 ;;
		*"heard Q"*) heard=yes && break ;;
		esac
	done
	exec 7>&-
	[ -n "$heard" ]
	verdict $? "$1: it hears, and is heard"
	ok "$1: destroy" xl destroy "$1"
}
disk e
cp /usr/share/seabios/bios-256k.bin /run/my-bios
machine tcp c 'vga="none"' 'usb=0' 'bios_path_override="/run/my-bios"' \
	'serial=["tcp:127.0.0.1:7101,server=on,wait=off","file:/run/tcp.serial"]'
ok "tcp: create" xl create -q -p /run/tcp.cfg
exec 7<>/dev/tcp/127.0.0.1/7101
verdict $? "tcp: it answers"
ok "tcp: unpause" xl unpause tcp
echoed tcp

disk e
machine pty c 'vga="none"' 'usb=0' 'serial="pty"'
ok "pty: create" xl create -q -p /run/pty.cfg
tty=$(xenstore-read "/local/domain/$(xl domid pty)/serial/0/tty")
exec 7<>"$tty" && stty -F "$tty" raw -echo
verdict $? "pty: it is there" "$tty"
ok "pty: unpause" xl unpause pty
echoed pty

bridge
disk w
machine net n 'vga="stdvga"' 'usb=1' 'usbdevice="tablet"' 'vif=["bridge=xenbr0"]' \
	'serial="file:/run/net.serial"'
ok "boot=\"n\", a tablet" xl create -q /run/net.cfg
shown net iPXE 60
verdict $? "the card's boot ROM runs" "$(text net | grep . | tail -2)"
like "the device model has a tablet" 'QEMU USB Tablet' \
	xl qemu-monitor-command net 'info usb'
ok "destroy" xl destroy net

rm -f /run/direct.serial
config direct hvm /lab/vmlinuz-6.12 'ramdisk="/lab/guest-6.12.cpio.gz"' \
	'cmdline="console=ttyS0 loglevel=4 panic=5 do=input"' 'memory=256' \
	'vga="none"' 'vnc=0' 'usb=1' 'usbdevice=["tablet"]' \
	'serial="file:/run/direct.serial"'
ok "direct kernel boot" xl create -q /run/direct.cfg
has /run/direct.serial GUEST-UP 240
verdict $? "Debian's 6.12 comes up" "$(why direct)"
sed -n 's/^GUEST-UP/# &/p' /run/direct.serial | tr -d '\r'
grep -qa 'GUEST-UP .*kernel=6\.12' /run/direct.serial
verdict $? "it says so"
has /run/direct.serial GUEST-DONE 60
verdict $? "it does its work" "$(why direct)"
grep -qa 'GUEST-INPUT .*QEMU USB Tablet' /run/direct.serial
verdict $? "it finds the tablet" "$(grep -a GUEST-INPUT /run/direct.serial)"
gone direct 30
verdict $? "it powers itself off"
ip link del xenbr0
rm -f /run/disk.img
settled "$before"
done_testing
