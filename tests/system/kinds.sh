# SPDX-License-Identifier: MIT
# A Debian guest of each kind with a disk and a network card: created, listed,
# spoken with over its console, rebooted, destroyed. KINDS= names the kinds:
# pv, pvh, pvhvm (HVM with PV drivers), hvm (without), qdisk (PVH, its disk
# through QEMU), uefi (HVM, no further than its firmware).
. /lab/tap.sh
before=$(at_rest)
truncate -s 32M /run/disk.img
dd if=/dev/urandom of=/run/disk.img bs=1M count=8 conv=notrunc 2>/dev/null
sum=$(dd if=/run/disk.img bs=1M count=8 2>/dev/null | md5sum | cut -d' ' -f1)
mods blk net
bridge
verdict $? "a bridge"

# be32 NUMBER...: big-endian, without a fork.
be32() {
	local n s
	for n; do
		printf -v s '\\x%02x\\x%02x\\x%02x\\x%02x' $((n >> 24)) \
			$((n >> 16 & 255)) $((n >> 8 & 255)) $((n & 255))
		printf '%b' "$s"
	done
}
# qcow2 RAW FILE: the 32 MiB of RAW as a qcow2 image with clusters of 64 KiB:
# header, table of reference counts, a block of them, L1, L2, then the data.
qcow2() {
	local i k=65536 copied=$((1 << 31))
	{ printf 'QFI\xfb'; be32 2 0 0 0 16 0 $((32 << 20)) 0 1 0 $((3 * k)) 0 $k 1; } >"$2"
	truncate -s $k "$2"
	be32 0 $((2 * k)) >>"$2"
	truncate -s $((2 * k)) "$2"
	for ((i = 0; i < 5 + 512; i++)); do printf '\0\1'; done >>"$2"
	truncate -s $((3 * k)) "$2"
	be32 $copied $((4 * k)) >>"$2"
	truncate -s $((4 * k)) "$2"
	for ((i = 5; i < 5 + 512; i++)); do be32 $copied $((i * k)); done >>"$2"
	dd if="$1" of="$2" bs=64k seek=5 conv=notrunc 2>/dev/null
}
# emulated: what an HVM guest without PV drivers is given.
emulated() {
	words="console=ttyS0 on=emulated nopv xen_nopv"
	lines+=('xen_platform_pci=0' 'serial="pty"'
		'vif=["bridge=xenbr0,model=e1000,type=ioemu"]'
		'disk=["/run/disk.img,raw,hda,w","devtype=cdrom,,,hdc"]')
}
# guest KIND: its configuration.
guest() {
	local type=$1 kernel=/lab/guest-kernel words=console=hvc0 lines=()
	local initrd=/lab/guest.cpio
	case $1 in
	hvm | pvhvm)
		# QEMU loads them as they are, byte by byte.
		type=hvm kernel=/lab/guest-vmlinuz initrd=/lab/guest-hvm.cpio
		lines+=('vga="none"' 'vnc=0' 'usb=0')
		;;
	qdisk) type=pvh ;;
	esac
	case $1 in
	hvm) emulated ;;
	qdisk)
		qcow2 /run/disk.img /run/disk.qcow2
		lines+=('vif=["bridge=xenbr0,script=vif-bridge"]'
			'disk=["/run/disk.qcow2,qcow2,xvda,w"]')
		;;
	*) lines+=('vif=["bridge=xenbr0"]' 'disk=["/run/disk.img,raw,xvda,w"]') ;;
	esac
	rm -f "$LOG/guest-$1.log"
	config "$1" "$type" $kernel "ramdisk=\"$initrd\"" 'memory=192' \
		'on_reboot="restart"' 'cpuid="host,stepping=9,ffxsr=0"' "${lines[@]}" \
		"extra=\"loglevel=4 panic=5 do=blk,net,echo ip=10.9.0.2 peer=10.9.0.1 $words\""
	sed -i '/^on_reboot="destroy"/d' "/run/$1.cfg"
}
# attach KIND: a client of its console, which takes what standard input says.
# The stock one must be told to, where that is no terminal.
attach() {
	local type=pv
	[ "$1" = hvm ] && type=serial
	case $(command -v xl) in
	/usr/local/*) exec xl console "$1" ;;
	*) exec xenconsole "$(xl domid "$1")" --num 0 --type $type --interactive ;;
	esac
}
# listen KIND: its console is kept. xenconsoled does it but for a serial port;
# what is said there while nobody listens is lost.
CLIENT=
listen() {
	rm -f /run/keys
	mkfifo /run/keys
	attach "$1" <>/run/keys >"${2:-$LOG/guest-$1.log}" 2>/run/console.err &
	CLIENT=$!
}
deaf() {
	[ -z "$CLIENT" ] || kill "$CLIENT" 2>/dev/null
	wait "$CLIENT" 2>/dev/null
	CLIENT=
}
# talk KIND WORD: said on its console until the guest answers.
talk() {
	local i log=/run/talk.out
	[ "$1" = hvm ] && log=$LOG/guest-hvm.log
	for ((i = 0; i < limit; i++)); do
		[ -n "$CLIENT" ] && kill -0 "$CLIENT" 2>/dev/null || listen "$1" $log
		echo "$2" >/run/keys
		for _ in 1 2 3 4 5; do
			nap 0.2
			grep -q "GUEST-HEARD $2" $log && return 0
		done
	done
	return 1
}
# restarted KIND OLD: there is a domain of the name with another number.
restarted() {
	local i id
	for ((i = 0; i < 60; i++)); do
		id=$(xl domid "$1" 2>/dev/null)
		[ -n "$id" ] && [ "$id" != "$2" ] && return 0
		nap 0.5
	done
	return 1
}
works() {
	local kind=$1 log=$LOG/guest-$1.log
	heard "$kind" 'GUEST-LISTENS' "$limit"
	verdict $? "$kind: it comes up and does its work" "$(tail -2 "$log")"
	grep -q '^GUEST-UP .* stepping=9 ffxsr=0' "$log"
	verdict $? "$kind: its CPUID is as cpuid= has it"
	sed -n '/^GUEST-\(UP\|RATE\|FAIL\)/s/^/# /p' "$log" | tr -d '\r'
	carried "$log" "$sum" "$kind: "
}
through() {
	local kind=$1 id
	guest "$kind"
	ok "$kind: create" xl create -q -p "/run/$kind.cfg"
	id=$(xl domid "$kind") || return
	[ "$kind" = hvm ] && listen hvm
	ok "$kind: unpause" xl unpause "$kind"
	works "$kind"
	on_our_library "$kind"
	[ "$kind" = pvh ] && facts "$kind" "$id"
	like "$kind: list" "^$kind +$id +(19[0-9]) +1 " xl list
	like "$kind: block-list" '^(51712|768) ' xl block-list "$kind"
	like "$kind: network-list" '^0 +0 +00:16:3e' xl network-list "$kind"
	counted
	[ "$kind" = pvh ] && replugged "$kind"
	case $kind in
	hvm | pvhvm | qdisk)
		like "$kind: qemu-monitor-command" '^VM status: running' \
			xl qemu-monitor-command "$kind" 'info status'
		;;
	esac
	talk "$kind" hello
	verdict $? "$kind: its console answers" "$(tail -2 /run/console.err)"
	if [ "$kind" = hvm ]; then
		changes_cd
		fails "$kind: has nothing to ask for a reboot" . xl reboot "$kind"
		echo reboot >/run/keys
	else
		ok "$kind: reboot" xl reboot "$kind"
	fi
	restarted "$kind" "$id"
	verdict $? "$kind: it is a new domain"
	deaf
	# A firmware, its boot loader and the unpacking once more take too long.
	case $kind in
	hvm | pvhvm) ;;
	*)
		wait_twice "$kind"
		verdict $? "$kind: and comes up again" "$(tail -2 "$LOG/guest-$kind.log")"
		;;
	esac
	[ "$kind" = pvh ] && as_left "$kind"
	ok "$kind: destroy" xl destroy "$kind"
	fails "$kind: it is gone" 'invalid domain|does not exist' xl domid "$kind"
	fails "$kind: nothing is left in the store" . \
		xenstore-ls "/local/domain/$((id + 1))"
}
# on_our_library KIND: its device model, where the image has our libxenctrl.
on_our_library() {
	local pid used
	[ -e /lab/libxenctrl.so.4.17 ] || return
	pid=$(xenstore-read "/local/domain/$(xl domid "$1")/image/device-model-pid" 2>/dev/null) || return
	used=$(sed -n 's/.* \([^ ]*libxenctrl.so.4.17\)$/\1/p' "/proc/$pid/maps" | head -1)
	ok "$1: QEMU runs on our libxenctrl" cmp "$used" /lab/libxenctrl.so.4.17
}
# facts KIND: what our xl prints as JSON; the rig holds it against the schema.
facts() {
	local c
	case $(command -v xl) in /usr/local/*) ;; *) return ;; esac
	for c in list vm-list claims vcpu-list info uptime sched-credit sched-credit2 \
		dmesg cpupool-list sharing "vkb-list $1" "pci-list $1" "block-list $1" \
		"network-list $1" "domid $1" "domname $2"; do
		echo "JSON ${c%% *} $(xl $c --json | tr -d '\n')"
	done
}
# replugged KIND, as_left KIND: what is detached and attached while it runs is
# so in the domain that follows it, too.
replugged() {
	truncate -s 1M /run/two.img
	ok "$1: detach its card" xl network-detach "$1" 0
	ok "$1: attach a disk" xl block-attach "$1" /run/two.img,raw,xvdb,w
}
as_left() {
	! xl network-list "$1" | grep -q 00:16:3e
	verdict $? "$1: the card stays detached" "$(xl network-list "$1")"
	like "$1: the disk stays attached" '^51728 ' xl block-list "$1"
	like "$1: and so does its first" '^51712 ' xl block-list "$1"
}
changes_cd() {
	printf OSTLERCD >/run/cd.iso
	truncate -s 1M /run/cd.iso
	ok "hvm: cd-insert" xl cd-insert hvm hdc /run/cd.iso
	echo cd >/run/keys
	heard hvm 'GUEST-CD OSTLERCD' 20
	verdict $? "hvm: it reads the CD" "$(tail -1 "$LOG/guest-hvm.log")"
	ok "hvm: cd-eject" xl cd-eject hvm hdc
	rm /run/cd.iso
}
wait_twice() {
	local i
	for ((i = 0; i < limit * 5; i++)); do
		[ "$(grep -c GUEST-UP "$LOG/guest-$1.log")" -ge 2 ] && return 0
		nap 0.2
	done
	return 1
}
# uefi: an HVM guest with nothing to boot; OVMF clears its serial terminal.
firmware() {
	printf '%s\n' 'name="uefi"' 'type="hvm"' 'memory=192' 'bios="ovmf"' \
		'vga="none"' 'vnc=0' 'usb=0' 'on_crash="destroy"' \
		'serial="file:/run/uefi.serial"' >/run/uefi.cfg
	ok "uefi: create" xl create -q /run/uefi.cfg
	local i
	for ((i = 0; i < limit; i++)); do
		grep -q '\[2J' /run/uefi.serial 2>/dev/null && break
		nap 1
	done
	grep -q '\[2J' /run/uefi.serial
	verdict $? "uefi: OVMF has its console"
	ok "uefi: destroy" xl destroy uefi
}
for k in ${KINDS:-pv pvh qdisk pvhvm hvm uefi}; do
	limit=90
	case $k in hvm | pvhvm) limit=200 ;; esac
	case $k in
	uefi) firmware ;;
	*) through "$k" ;;
	esac
done
[ -z "$(losetup -a)" ]
verdict $? "no loop device is left" "$(losetup -a)"
[ -z "$(ls /sys/class/net/xenbr0/brif)" ]
verdict $? "no interface is left"
ip link del xenbr0
rm -f /run/disk.img /run/disk.qcow2 /run/two.img
settled "$before"
counted
done_testing
