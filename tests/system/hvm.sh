# SPDX-License-Identifier: MIT
# HVM guests with QEMU as their device model: firmware and a boot sector from an
# emulated disk, Debian's kernel with and without its PV drivers, and a device
# model that is killed; KINDS=firmware: only the boot sector. Wants the device
# model in dom0 (dm=1), /lab/guest-vmlinuz and /lab/guest-hvm.cpio.
. /lab/tap.sh
mods blk net
before=$(at_rest)

# hvm NAME [LINE...]: writes /run/NAME.cfg.
hvm() {
	local name=$1
	shift
	rm -f "/run/$name.serial" "$LOG/guest-$name.log"
	printf '%s\n' "name=\"$name\"" 'type="hvm"' 'vga="none"' 'vnc=0' \
		'usb=0' 'on_crash="destroy"' 'on_reboot="destroy"' \
		"serial=\"file:/run/$name.serial\"" "$@" >"/run/$name.cfg"
}
# linux NAME CONSOLE WORDS [LINE...]
linux() {
	local name=$1 console=$2 words=$3
	shift 3
	hvm "$name" 'memory=128' 'kernel="/lab/guest-vmlinuz"' \
		'ramdisk="/lab/guest-hvm.cpio"' \
		"extra=\"console=$console loglevel=4 panic=5 $words\"" "$@"
}
# says FILE PATTERN SECONDS
says() {
	local i=$(($3 * 5))
	while [ $i -gt 0 ]; do
		grep -qE -- "$2" "$1" 2>/dev/null && return 0
		nap 0.2
		i=$((i - 1))
	done
	return 1
}
why() { tail -3 "$1" 2>/dev/null | tr -d '\r' | tr '\n' ' '; }

# A boot sector: to the serial line, port 0xe9 and the screen (INT 10h); three
# ticks of the BIOS clock; then off through ACPI's PM1a_CNT. In 16 bits: jmp
# 0x7c0:5; DS = CS; SI = the text; LODSB until 0; wait for bit 5 of port 0x3fd,
# OUT to 0x3f8 and 0xe9, INT 10h; STI, HLT until the byte at 0:0x46c has changed
# three times; the second text; OUT 0x2000 to port 0xb004; CLI, HLT.
{
	printf '\xea\x05\x00\xc0\x07\x8c\xc8\x8e\xd8\xbe\x5b\x00\xfc\xac\x84'
	printf '\xc0\x74\x1d\x88\xc4\xba\xfd\x03\xec\xa8\x20\x74\xfb\x88\xe0'
	printf '\xba\xf8\x03\xee\xba\xe9\x00\xee\xb4\x0e\xbb\x07\x00\xcd\x10'
	printf '\xeb\xde\x81\xfe\x74\x00\x77\x1b\x1e\x31\xdb\x8e\xdb\xb9\x03'
	printf '\x00\xfb\xa0\x6c\x04\xf4\x3a\x06\x6c\x04\x74\xf9\xe2\xf4\x1f'
	printf '\xbe\x74\x00\xeb\xbd\xba\x04\xb0\xb8\x00\x20\xef\xfa\xf4\xeb'
	printf '\xf5'
	printf 'boot sector says hello\r\n\0three ticks\r\n\0'
} >/run/boot.img
truncate -s 510 /run/boot.img
printf '\x55\xaa' >>/run/boot.img
truncate -s 8M /run/boot.img

hvm firmware 'memory=32' 'disk=["/run/boot.img,raw,hda,w"]'
ok "create one that boots from its disk" xl create /run/firmware.cfg
says /run/firmware.serial 'boot sector says hello' 60
verdict $? "the boot sector speaks" "$(why /run/firmware.serial)"
says /run/firmware.serial 'three ticks' 20
verdict $? "the BIOS clock ticks"
gone firmware 20
verdict $? "it switches itself off"
# All that there is time for on a slow machine.
if [ "${KINDS:-}" = firmware ]; then
	settled "$before"
	done_testing
fi

dd if=/dev/urandom of=/run/disk.img bs=1M count=8 2>/dev/null
truncate -s 32M /run/disk.img
sum=$(dd if=/run/disk.img bs=1M count=8 2>/dev/null | md5sum | cut -d' ' -f1)
bridge

linux pvhvm hvc0 'do=blk,net ip=10.9.0.2 peer=10.9.0.1' \
	'disk=["/run/disk.img,raw,xvda,w"]' 'vif=["bridge=xenbr0"]'
ok "create with PV drivers" xl create /run/pvhvm.cfg
log=$LOG/guest-pvhvm.log
says "$log" GUEST-UP 90
verdict $? "Linux comes up" "$(why "$log")"
says "$log" GUEST-DONE 120
verdict $? "it does its work" "$(why "$log")"
sed -n 's/^GUEST-\(UP\|RATE\|FAIL\)/# &/p' "$log"
grep -q "GUEST-UP .*type=HVM" "$log"
verdict $? "it knows that it is HVM"
carried "$log" "$sum"
gone pvhvm 30
verdict $? "it powers itself off"

linux pure ttyS0 'nopv on=emulated do=blk' 'disk=["/run/disk.img,raw,hda,w"]' \
	'xen_platform_pci=0'
ok "create without PV drivers" xl create /run/pure.cfg
log=/run/pure.serial
says "$log" GUEST-DONE 150
verdict $? "it does its work" "$(why "$log")"
sed -n 's/^GUEST-\(UP\|FAIL\)/# &/p' "$log"
grep -q "GUEST-BLK sum=$sum" "$log"
verdict $? "the IDE disk's bytes are right"
gone pure 30
verdict $? "it powers itself off"

# On the stock hypervisor a guest without a device model waits for ever.
if xl dmesg | grep -q Ostler; then
	linux orphan hvc0 'do=idle'
	ok "create one to be orphaned" xl create /run/orphan.cfg
	says "$LOG/guest-orphan.log" GUEST-IDLE 90
	verdict $? "it idles" "$(why "$LOG/guest-orphan.log")"
	kill -9 "$(xenstore-read "/local/domain/$(xl domid orphan)/image/device-model-pid")"
	gone orphan 20
	verdict $? "it ends with its device model"
fi
ip link del xenbr0
rm -f /run/disk.img /run/boot.img
settled "$before"
done_testing
