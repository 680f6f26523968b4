# SPDX-License-Identifier: MIT
# A Debian kernel as a PVH guest: created, looked at, changed while it runs,
# stopped in every way; with a disk and a network card whose backends are
# dom0's. Wants /lab/guest-kernel and /lab/guest.cpio; KINDS=pv for a PV one.
. /lab/tap.sh
kind=${KINDS:-pvh}
before=$(at_rest)
guest() {
	local name=$1 words=$2
	shift 2
	rm -f "$LOG/guest-$name.log"
	config "$name" "$kind" /lab/guest-kernel 'ramdisk="/lab/guest.cpio"' \
		"extra=\"console=hvc0 loglevel=4 panic=5 $words\"" "$@"
}

guest life 'do=idle' 'memory=256' 'vcpus=2' 'maxvcpus=2' 'maxmem=256'
ok "create" xl create -q /run/life.cfg
heard life 'GUEST-UP.*cpus=2' 90
verdict $? "it comes up with 2 CPUs" "$(tail -2 "$LOG/guest-life.log")"
sed -n 's/^GUEST-UP/# &/p' "$LOG/guest-life.log"
heard life 'GUEST-IDLE' 20
like "xl list has it" '^life +[0-9]+ +25[0-9] +2 ' xl list
ok "pause" xl pause life
like "it is paused" '^life .* -[b-]p' xl list
ok "unpause" xl unpause life
ok "rename" xl rename life alive
like "it has its new name" '^alive ' xl list
like "vcpu-list" '^alive +[0-9]+ +1 ' xl vcpu-list alive
ok "vcpu-pin" xl vcpu-pin alive 0 0
ok "mem-set" xl mem-set alive 200
i=0
while ! xl list alive | grep -qE '^alive +[0-9]+ +(199|200|201) ' &&
	[ $i -lt 30 ]; do
	nap 0.3
	i=$((i + 1))
done
like "the balloon gave memory back" '^alive +[0-9]+ +(199|200|201) ' xl list alive
ok "sysrq" xl sysrq alive h
heard life 'sysrq' 10
verdict $? "the guest heard it"
ok "vcpu-set" xl vcpu-set alive 1
ok "destroy" xl destroy alive
fails "it is gone" 'invalid domain|does not exist' xl domid alive
settled "$before"

truncate -s 64M /run/disk.img
dd if=/dev/urandom of=/run/disk.img bs=1M count=8 conv=notrunc 2>/dev/null
sum=$(dd if=/run/disk.img bs=1M count=8 2>/dev/null | md5sum | cut -d' ' -f1)
mods blk net
bridge
verdict $? "a bridge"
# Debian's xl asks for every frame below 4 GiB one by one: minutes, here.
case $(command -v xl) in
/usr/local/*)
	config small pvh /lab/guest/peer 'memory=32'
	ok "create a small one" xl create -q /run/small.cfg
	heard small 'peer ready' 20
	ok "dump-core" xl dump-core small /run/core
	like "it is an ELF file" '^ 7f 45 4c 46' od -A n -t x1 -N 4 /run/core
	strings -t d /run/core >/run/core.strings
	for part in .note.Xen .xen_prstatus .xen_shared_info .xen_pages .xen_pfn; do
		grep -qF " $part" /run/core.strings || break
	done
	verdict $? "with each section" "$part"
	[ "$(stat -c %s /run/core)" -ge $((32 << 20)) ]
	verdict $? "and all of its memory" "$(stat -c %s /run/core) bytes"
	at() { sed -n 's/^ *\([0-9]*\) .*peer ready.*/\1/p' "$1" | head -1; }
	strings -t d /lab/guest/peer >/run/peer.strings
	ok "a page is as the guest has it" cmp -n 256 /run/core \
		/lab/guest/peer "$(at /run/core.strings)" "$(at /run/peer.strings)"
	rm -f /run/core
	ok "destroy it" xl destroy small
	config packed pvh /lab/guest-vmlinuz 'memory=128'
	ok "create from vmlinuz as it is packed" xl create -q -p /run/packed.cfg
	ok "destroy it" xl destroy packed
	[ -n "$(find /var/cache/ostler -type f -size +16384)" ]
	verdict $? "its kernel is kept unpacked"
	ok "create again" xl create -q -p /run/packed.cfg
	ok "and destroy" xl destroy packed
	;;
esac

guest devices 'do=blk,net ip=10.9.0.2 peer=10.9.0.1' 'memory=128' \
	'disk=["/run/disk.img,raw,xvda,w"]' 'vif=["bridge=xenbr0"]'
ok "create with a disk and a card" xl create -q /run/devices.cfg
heard devices GUEST-DONE 150
verdict $? "it does its work" "$(tail -3 "$LOG/guest-devices.log")"
grep -E '^GUEST-(RATE|NET|FAIL)' "$LOG/guest-devices.log" | sed 's/^/# /'
carried "$LOG/guest-devices.log" "$sum"
gone devices 30
verdict $? "it powers itself off"
ip link del xenbr0
rm -f /run/disk.img
done_testing
