# SPDX-License-Identifier: MIT
# One cell of the matrix, in dom0: guests of KIND, created, watched, measured.
# Prints "CELL NAME UNIT MEDIAN MIN MAX SAMPLES" and "COUNT NAME NUMBER" lines,
# the guest's own BENCH lines, and "CELL-FAIL why". Wants /lab/guest-kernel (ELF),
# /lab/guest-disk.img, /lab/guest.cpio, /lab/guestbench. $KIND: pv, pvh, pvhvm, hvm; $REPEAT:
# creates of a guest with a disk and a card; the last one measures, each thing $SAMPLES times. $BRIEF: no disk, no
# card, no measurements.
. /lab/lib.sh
us() { echo "${EPOCHREALTIME/./}"; }
fail() { echo "CELL-FAIL $*"; exit 1; }
# figure NAME UNIT VALUE...: median, least, greatest of integers.
figure() {
	local name=$1 unit=$2 v
	shift 2
	mapfile -t v < <(printf '%s\n' "$@" | sort -n)
	echo "CELL $name $unit ${v[$((${#v[@]} / 2))]} ${v[0]} ${v[-1]} ${#v[@]}"
}
disk=/run/matrix.img log=$LOG/guest-cell.log
[ -n "$BRIEF" ] && mods blk
if [ ! -f $disk ] && [ -z "$BRIEF" ]; then
	dd if=/dev/zero of=$disk bs=1M count=32 2>/dev/null
	mods blk net
	bridge || fail "no bridge"
	/lab/guestbench serve >/dev/null 2>&1 &
fi
# cell DO: the configuration of one guest. HVM ones boot as real machines do,
# firmware, GRUB and Linux from their disk: through QEMU's firmware interface
# (kernel=) each byte costs a round of its loop.
cell() {
	local words="loglevel=4 panic=5 samples=${SAMPLES:-7} do=$1" lines=()
	[ -n "$BRIEF" ] || words="$words ip=10.9.0.2 peer=10.9.0.1"
	case $KIND in
	pvhvm) words="$words console=hvc0" ;;
	hvm)
		words="$words console=ttyS0 on=emulated xen_nopv nopv"
		log=/run/cell.serial
		lines+=('xen_platform_pci=0' "serial=\"file:$log\"")
		;;
	*) words="$words console=hvc0" ;;
	esac
	case $KIND in
	pvhvm | hvm)
		grub_disk $disk "$words" || fail "no disk for it"
		lines+=('vga="none"' 'vnc=0' 'usb=0' 'hdtype="ahci"'
			"disk=[\"$disk,raw,hda,w\"]")
		config cell hvm "" 'memory=192' "${lines[@]}"
		;;
	*)
		[ -n "$BRIEF" ] || lines+=("disk=[\"$disk,raw,xvda,w\"]")
		config cell "$KIND" /lab/guest-kernel 'ramdisk="/lab/guest.cpio"' \
			'memory=192' "extra=\"$words\"" "${lines[@]}"
		;;
	esac
	local card=bridge=xenbr0
	[ "$KIND" != hvm ] || card=$card,model=e1000,type=ioemu
	[ -n "$BRIEF" ] || echo "vif=[\"$card\"]" >>/run/cell.cfg
}
# spoke SECONDS PATTERN: the guest's console has it; the log is whichever it is.
spoke() {
	local end=$((SECONDS + $1)) t
	while [ $SECONDS -lt $end ]; do
		grep -qE -- "$2" "$log" 2>/dev/null && return 0
		nap 0.05
	done
	return 1
}
counters() { xenperf 2>/dev/null | awk '/^T=|^ *[a-z].*T=/ { split($0, p, "T="); n = p[1]; gsub(/[ \t]+$/, "", n); gsub(/ /, "_", n); print n, p[2] + 0 }'; }

creates=() firsts=() destroys=()
for i in $(seq "${REPEAT:-3}"); do
	todo=idle
	[ "$i" = "${REPEAT:-3}" ] && [ -z "$BRIEF" ] && todo=bench,idle
	rm -f "$log" /run/cell.serial
	cell $todo
	t=$(us)
	xl create -q /run/cell.cfg >/run/create.out 2>&1 ||
		fail "xl create: $(tail -n 1 /run/create.out)"
	creates+=($((($(us) - t) / 1000)))
	spoke "${LIMIT:-120}" GUEST-UP ||
		fail "it does not come up in ${LIMIT:-120} s: $(tail -n 1 "$log" 2>/dev/null)"
	firsts+=($((($(us) - t) / 1000)))
	if [ $todo != idle ]; then
		# The guest waits a second before it begins.
		counters >/run/counters.before
		spoke "${MEASURE:-300}" GUEST-IDLE ||
			echo "CELL-NOTE not all was measured in ${MEASURE:-300} s"
		counters >/run/counters.after
		xl info | awk '/^(total|free)_memory/ { print "MEM", $1, $3 }'
		xl list | awk 'NR > 1 { n += $3 } END { print "MEM domains", n }'
		grep -aE '^BENCH' "$log" | tr -d '\r'
	fi
	t=$(us)
	xl destroy cell || fail "xl destroy"
	destroys+=($((($(us) - t) / 1000)))
done
figure create ms "${creates[@]}"
figure first_process ms "${firsts[@]}"
figure destroy ms "${destroys[@]}"
[ -n "$BRIEF" ] || awk 'NR == FNR { was[$1] = $2; next } $2 > was[$1] {
	print "COUNT", $1, $2 - was[$1] }' /run/counters.before /run/counters.after
echo CELL-DONE
