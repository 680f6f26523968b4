# SPDX-License-Identifier: MIT
# UEFI: OVMF for Xen (rig/make-ovmf), by bios_path_override=, starts GRUB from
# the disk's file system, and that Debian's kernel, which finds its PV disk.
# Wants the device model in dom0 (dm=1), /lab/OvmfXen.fd and /lab/uefi.img.
. /lab/tap.sh
mods blk
before=$(at_rest)
config uefi hvm "" 'memory=256' 'bios="ovmf"' \
	'bios_path_override="/lab/OvmfXen.fd"' 'vga="stdvga"' 'vnc=0' 'usb=0' \
	'hdtype="ahci"' 'disk=["/lab/uefi.img,raw,hda,w"]' \
	'serial="file:/run/uefi.serial"'
why() { tail -c 200 /run/uefi.serial | tr -c ' -~' ' '; }
ok "create" xl create -q /run/uefi.cfg
# Minutes in an emulated machine.
has /run/uefi.serial 'Welcome to GRUB' 400
verdict $? "OVMF starts GRUB" "$(why)"
has /run/uefi.serial '^GUEST-DONE' 200
verdict $? "and that Linux" "$(why)"
sed -n 's/^GUEST-\(UP\|RATE\|FAIL\)/# &/p' /run/uefi.serial | tr -d '\r'
# Which bytes nobody can say: OVMF keeps its variables in a file there.
grep -qa 'GUEST-BLK sum=[0-9a-f]' /run/uefi.serial
verdict $? "it reads its disk"
gone uefi 30
verdict $? "it powers itself off"
settled "$before"
done_testing
