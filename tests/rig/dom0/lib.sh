# SPDX-License-Identifier: MIT
# For scripts in dom0 (source /lab/lib.sh): guests, and what they say.
LOG=/var/log/xen/console

# nap SECONDS: without a fork, which costs over 10 ms under emulation.
exec 9<> <(:)
nap() { read -r -t "$1" -u 9 || :; }

# config NAME TYPE KERNEL [LINE...]: writes /run/NAME.cfg. KERNEL "": it boots
# from its disk.
config() {
	local name=$1 type=$2 kernel=$3
	shift 3
	{
		printf 'name="%s"\ntype="%s"\n' "$name" "$type"
		[ -z "$kernel" ] || printf 'kernel="%s"\n' "$kernel"
		printf 'on_crash="destroy"\non_reboot="destroy"\n'
		printf '%s\n' "$@"
	} >"/run/$name.cfg"
}

# grub_disk FILE WORDS [SIZE]: a disk whose GRUB starts Linux with these words,
# out of /lab/guest-disk.img (rig/iso.py).
grub_disk() {
	local script
	cp /lab/guest-disk.img "$1" && truncate -s "${3:-32M}" "$1" || return 1
	script=$(dd if="$1" bs=512 skip=2040 count=8 2>/dev/null)
	printf '%s\n' "${script/WORDS/$2}" |
		dd of="$1" bs=512 seek=2040 conv=notrunc 2>/dev/null
}

# bridge: xenbr0, dom0's end at 10.9.0.1.
bridge() {
	ip link add xenbr0 type bridge && ip addr add 10.9.0.1/24 dev xenbr0 &&
		ip link set xenbr0 up
}

# has FILE PATTERN SECONDS: waits for a line in a file.
has() {
	local i=$(($3 * 10))
	while [ $i -gt 0 ]; do
		grep -qaE -- "$2" "$1" 2>/dev/null && return 0
		nap 0.1
		i=$((i - 1))
	done
	return 1
}
# heard NAME PATTERN SECONDS: waits for a line on the guest's console.
heard() { has "$LOG/guest-$1.log" "$2" "$3"; }

# gone NAME SECONDS: waits until the guest has ended.
gone() {
	local i=$(($2 * 2))
	while [ $i -gt 0 ]; do
		xl domid "$1" >/dev/null 2>&1 || return 0
		nap 0.5
		i=$((i - 1))
	done
	return 1
}

# freestanding NAME FILE [LINE...]: runs a test guest to its end and shows its
# console; the caller reads the verdicts.
freestanding() {
	local name=$1 file=$2
	shift 2
	rm -f "$LOG/guest-$name.log"
	config "$name" pvh "$file" "$@"
	xl create -q "/run/$name.cfg" || return 1
	heard "$name" '^# guest .* ends' "${LIMIT:-20}"
	gone "$name" 5 || xl destroy "$name"
	cat "$LOG/guest-$name.log"
}

# running TEXT: the processes whose command line has it, without a fork.
running() {
	local p words
	for p in /proc/[0-9]*; do
		mapfile -d '' -t words 2>/dev/null <"$p/cmdline" || continue
		[[ "${words[*]}" == *"$1"* ]] && echo "${p#/proc/}"
	done
}
