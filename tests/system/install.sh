# SPDX-License-Identifier: MIT
# A system is installed on a guest PC's empty disk, as from a distribution's
# disc: the disc's loader starts Linux, which partitions the disk, makes a file
# system, copies itself and GRUB there, and reboots; the PC starts from its disk
# then, and once more. One configuration, boot="cd", does for all. Wants the
# device model in dom0 (dm=1) and /lab/install.iso.
. /lab/tap.sh
mods blk
before=$(at_rest)
truncate -s 96M /run/target.img
config target hvm "" 'memory=224' 'boot="cd"' 'hdtype="ahci"' 'vga="none"' \
	'vnc=0' 'usb=0' \
	'disk=["/run/target.img,raw,hda,w","/lab/install.iso,raw,hdc,cdrom"]'
sed -i '/^on_reboot/s/destroy/restart/' /run/target.cfg
log=$LOG/guest-target.log
why() { tail -2 "$log" | tr -d '\r' | tr '\n' ' '; }
rm -f "$log" /var/log/xen/xl-target.log
ok "create" xl create -q /run/target.cfg
first=$(xl domid target)
has "$log" '^INSTALL starts' 200
verdict $? "the disc starts its installer" "$(why)"
has "$log" '^INSTALL (done|failed)' 90
! grep -a '^INSTALL failed' "$log"
verdict $? "it installs" "$(why)"
sed -n 's/^INSTALL /# installer: /p' "$log" | tr -d '\r'
has /var/log/xen/xl-target.log 'reason code 1 ' 30
verdict $? "it reboots"
has "$log" '^INSTALLED start=1 root=/dev/xvda1' 120
verdict $? "the PC starts from its disk" "$(why)"
has "$log" '^INSTALLED start=2 root=/dev/xvda1' 120
verdict $? "and once more, its files as it left them" "$(why)"
sed -n 's/^INSTALLED /# system: /p' "$log" | tr -d '\r'
has /var/log/xen/xl-target.log 'reason code 0 ' 30
gone target 20
verdict $? "it powers itself off"
[ "$(grep -c 'reason code 1 .*restart\|is restart' /var/log/xen/xl-target.log)" -ge 2 ]
verdict $? "two restarts" "$(tail -3 /var/log/xen/xl-target.log)"
grep -q "(domid $first)" /var/log/xen/xl-target.log
verdict $? "one watch saw to all"
# Whoever looks from outside sees a partition with that system in it.
mkdir -p /run/look
loop=$(losetup -f --show -o 1048576 /run/target.img)
mods disks
mount -t ext4 -o ro "$loop" /run/look && [ "$(cat /run/look/etc/starts)" = 2 ]
verdict $? "its disk has the file system"
umount /run/look
losetup -d "$loop"
rm -f /run/target.img
settled "$before"
done_testing
