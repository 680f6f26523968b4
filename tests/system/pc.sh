# SPDX-License-Identifier: MIT
# A PC: its firmware starts GRUB from its disk, GRUB Debian's kernel, and that
# unplugs the emulated disk and card and goes on with PV drivers. Before, one
# without a disk, for what a device model asks of the hypervisor (dmops.c), and
# its death. Wants the device model in dom0 (dm=1) and /lab/guest-disk.img.
. /lab/tap.sh
mods blk net
before=$(at_rest)

why() { tail -3 "$1" 2>/dev/null | tr -d '\r' | tr '\n' ' '; }

config doomed hvm "" 'memory=32' 'vga="none"' 'vnc=0' 'usb=0'
ok "create one without a disk" xl create -q -p /run/doomed.cfg
id=$(xl domid doomed)
/lab/dmops "$id" >/run/dmops.out
verdict $? "a device model's requests, records of the hardware"
grep -E '^(not ok|#)' /run/dmops.out | sed 's/^/# /'
echo "# $(grep -c '^ok' /run/dmops.out) of them as they should be"
ok "unpause" xl unpause doomed
kill -9 "$(xenstore-read "/local/domain/$id/image/device-model-pid")"
# On the stock hypervisor a guest without a device model waits for ever.
if xl dmesg | grep -q Ostler; then
	gone doomed 20
	verdict $? "it ends with its device model"
else
	ok "destroy" xl destroy doomed
fi

grub_disk /run/pc.img 'console=hvc0 loglevel=4 panic=5 do=blk,net ip=10.9.0.2 peer=10.9.0.1' 64M
verdict $? "a disk with GRUB"
sum=$(dd if=/run/pc.img bs=1M count=8 2>/dev/null | md5sum | cut -d' ' -f1)
bridge
verdict $? "a bridge"
# SeaBIOS reads an AHCI disk by DMA; an IDE one word by word, each a round trip.
config pc hvm "" 'memory=192' 'vcpus=2' 'vga="none"' 'vnc=0' 'usb=0' 'hdtype="ahci"' \
	'disk=["/run/pc.img,raw,hda,w"]' 'vif=["bridge=xenbr0"]'
log=$LOG/guest-pc.log
rm -f "$log"
ok "create" xl create -q /run/pc.cfg
heard pc GUEST-UP 150
verdict $? "Linux comes up" "$(why "$log")"
heard pc GUEST-DONE 90
verdict $? "it does its work" "$(why "$log")"
sed -n 's/^GUEST-\(UP\|RATE\|FAIL\)/# &/p' "$log" | tr -d '\r'
grep -q "GUEST-UP .*type=HVM" "$log"
verdict $? "it knows that it is HVM"
grep -q "GUEST-UP .*cpus=2 .*hpet=1" "$log"
verdict $? "it has two CPUs, and found the HPET's table"
carried "$log" "$sum"
gone pc 30
verdict $? "it powers itself off"
ip link del xenbr0
rm -f /run/pc.img
settled "$before"
done_testing
