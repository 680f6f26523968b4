# SPDX-License-Identifier: MIT
# What starts on a PC before any system: a disc's boot loader, which starts a
# memory test, seen on the screen, over VNC and on the serial line. And ACPI's
# power states, by Linux without PV drivers: asleep (S3), awake again with its
# second processor, told of the button. Wants the device model in dom0 (dm=1),
# /lab/menu.iso and /lab/guest-disk.img.
. /lab/tap.sh
. /lab/screen.sh
mods blk net
before=$(at_rest)

# said NAME PATTERN SECONDS: waits for it on the guest's serial line.
said() { has "/run/$1.serial" "$2" "$3"; }
why() { tail -c 200 "/run/$1.serial" 2>/dev/null | tr -c ' -~' ' '; }
# machine NAME [LINE...]: a PC with a screen and a serial line.
machine() {
	local name=$1
	shift
	rm -f "/run/$name.serial"
	config "$name" hvm "" 'vga="stdvga"' 'vnc=1' 'usb=0' \
		"serial=\"file:/run/$name.serial\"" "$@"
}

machine disc 'memory=64' 'boot="d"' 'disk=["/lab/menu.iso,raw,hdc,cdrom"]'
ok "create one that boots from its disc" xl create -q /run/disc.cfg
shown disc 'boot:' 40
verdict $? "ISOLINUX asks" "$(text disc | grep . | tail -2 | tr '\n' ' ')"
said disc 'Memtest86' 90
verdict $? "memtest86+ comes up" "$(why disc)"
shown disc 'Errors: 0' 30
verdict $? "it tests, and shows so" "$(text disc | grep . | tail -2 | tr '\n' ' ')"
port=$(xenstore-read "/local/domain/$(xl domid disc)/console/vnc-port")
timeout 40 bash -c ". /lab/screen.sh; pixels $port /run/pixels" >/run/screen
verdict $? "a screenshot over VNC"
echo "# $(cat /run/screen)"
# Blue all over, and what is written.
read -r _ _ _ lit _ </run/screen
[ "${lit:-0}" -gt 200000 ] && [ "$(od -An -v -tu1 -w1 </run/pixels | sort -u | wc -l)" -ge 3 ]
verdict $? "… in colours"
ok "destroy" xl destroy disc

grub_disk /run/s3.img 'nopv console=ttyS0 loglevel=4 panic=5 do=sleep,button' 64M
verdict $? "a disk with GRUB"
machine s3 'memory=192' 'vcpus=2' 'hdtype="ahci"' 'xen_platform_pci=0' \
	'disk=["/run/s3.img,raw,hda,w"]'
ok "create one with Linux" xl create -q /run/s3.cfg
said s3 GUEST-SLEEPS 150
verdict $? "it goes to sleep" "$(why s3)"
nap 5
! grep -qa GUEST-AWAKE /run/s3.serial
verdict $? "and sleeps"
ok "wake it" xl trigger s3 s3resume
said s3 'GUEST-AWAKE 0 cpus=2' 60
verdict $? "it is awake, with both processors" "$(why s3)"
said s3 GUEST-WAITS 20
ok "press its power button" xl trigger s3 power
said s3 GUEST-BUTTON 20
verdict $? "it hears of that" "$(why s3)"
# Off it does not get after a sleep, on either hypervisor.
ok "destroy it" xl destroy s3
rm -f /run/s3.img /run/pixels
settled "$before"
done_testing
