# SPDX-License-Identifier: MIT
# How a guest PC resets and ends, and what its configuration makes of that: a
# boot sector (sector.S) by each of a PC's ways, a program in its firmware's
# place by a crash, and Linux with PV drivers. Wants the device model in dom0
# (dm=1), /lab/sector, /lab/guest/asker and /lab/guest-disk.img.
. /lab/tap.sh
mods blk
before=$(at_rest)

# planned NAME PLAN [LINE...]: a PC whose disk has the sector and its plan.
planned() {
	local name=$1 plan=$2
	shift 2
	cp /lab/sector "/run/$name.img"
	printf '\0%s' "$plan" >>"/run/$name.img"
	truncate -s 8M "/run/$name.img"
	pc "$name" 'memory=32' "serial=\"file:/run/$name.serial\"" \
		"disk=[\"/run/$name.img,raw,hda,w\"]" "$@"
}
# pc NAME LINE...: no more said about its ends than the lines say.
pc() {
	local name=$1
	shift
	rm -f "/run/$name.serial" "/var/log/xen/xl-$name.log"
	config "$name" hvm "" 'vga="none"' 'vnc=0' 'usb=0'
	sed -i '/^on_/d' "/run/$name.cfg"
	printf '%s\n' "$@" >>"/run/$name.cfg"
}
# starts NAME: how often the sector ran.
starts() { od -An -tu1 -j512 -N1 "/run/$1.img" | tr -d ' '; }
# ends NAME: the reasons of its ends, as xl's watch over it has noted them.
ends() {
	sed -n 's/^Domain [0-9]* has shut down, reason code \([0-9]*\) .*/\1/p' \
		"/var/log/xen/xl-$1.log" | tr '\n' ' '
}
# The stock xl leaves the old device model there, whose lock keeps the new
# one's from the disk; and writes a core page by page, for minutes here.
ours() { [[ $(command -v xl) == /usr/local/* ]]; }
# noted NAME WORDS SECONDS
noted() { has "/var/log/xen/xl-$1.log" "$2" "$3"; }

planned resets ckjto 'on_reboot="restart"'
ok "a PC that resets" xl create -q /run/resets.cfg
first=$(xl domid resets)
noted resets 'reason code 0 ' 240
verdict $? "it ends" "$(tail -2 /run/resets.serial | tr -d '\r')"
gone resets 20
verdict $? "and is gone"
[ "$(ends resets)" = "1 1 1 1 0 " ]
verdict $? "reset by port, keyboard controller, BIOS and triple fault, then off" \
	"reasons: $(ends resets)"
[ "$(starts resets)" = 5 ]
verdict $? "it started after each" "$(starts resets) times"
grep -q "^Waiting for domain resets (domid $first)" /var/log/xen/xl-resets.log
verdict $? "one watch saw to all"

renamed() {
	local first
	planned other co 'on_reboot="rename-restart"' 'on_poweroff="preserve"'
	ok "one whose old domain is kept" xl create -q /run/other.cfg
	first=$(xl domid other)
	noted other 'reason code 0 ' 60
	verdict $? "it starts again, and ends" "$(tail -3 /var/log/xen/xl-other.log)"
	like "the first is there, under another name" "^other-[0-9TZ]+ +$first .*s" xl list
	like "so is the second" '^other +[0-9]+ .*s' xl list
	[ "$(starts other)" = 2 ]
	verdict $? "it started twice" "$(starts other)"
	ok "destroy the first" xl destroy "$first"
	ok "destroy the second" xl destroy other
}
! ours || renamed

planned once c 'on_reboot="destroy"'
ok "one that is not to start again" xl create -q /run/once.cfg
gone once 40
verdict $? "it is gone"
[ "$(starts once) $(ends once)" = "1 1 " ]
verdict $? "after its first reset" "$(starts once), $(ends once)"

pc crasher 'memory=40' 'firmware_override="/lab/guest/asker"' \
	"on_crash=\"$(ours && echo coredump-)restart\""
ok "one that crashes" xl create -q -p /run/crasher.cfg
rm -f /run/model.out
/lab/model "$(xl domid crasher)" crash >/run/model.out 2>&1 &
has /run/model.out ready 10
ok "unpause" xl unpause crasher
noted crasher 'reason code 0 ' 60
verdict $? "it starts again, and ends" "$(ends crasher)"
gone crasher 20
[ "$(ends crasher)" = "3 0 " ]
verdict $? "a crash, then off" "$(ends crasher)"
if ours; then
	dump=$(ls /var/lib/xen/dump/*crasher* 2>/dev/null | head -1)
	[ "$(head -c 4 "$dump" | tail -c 3)" = ELF ]
	verdict $? "its core was written" "$(ls -l /var/lib/xen/dump)"
	rm -f /var/lib/xen/dump/*
fi

grub_disk /run/linux.img 'console=hvc0 loglevel=4 panic=5 do=idle' 64M
verdict $? "a disk with GRUB"
pc linux 'memory=192' 'hdtype="ahci"' 'disk=["/run/linux.img,raw,hda,w"]'
log=$LOG/guest-linux.log
rm -f "$log"
# up TIMES SECONDS: Linux has come up so often.
up() {
	local i
	for ((i = 0; i < $2 * 2; i++)); do
		[ "$(grep -ca GUEST-IDLE "$log")" -ge "$1" ] && return
		nap 0.5
	done
	return 1
}
ok "Linux" xl create -q /run/linux.cfg
up 1 120
verdict $? "it comes up" "$(tail -2 "$log")"
ok "xl reboot" xl reboot linux
noted linux 'reason code 1 ' 30
verdict $? "it goes down"
up 2 120
verdict $? "and comes up again" "$(tail -2 "$log")"
ok "xl sysrq: it resets the machine itself" xl sysrq linux b
up 3 120
verdict $? "and comes up again" "$(tail -2 "$log")"
ok "xl shutdown" xl shutdown -w linux
gone linux 20
verdict $? "it is gone"
[ "$(ends linux)" = "1 1 0 " ]
verdict $? "two reboots, then off" "$(ends linux)"
rm -f /run/*.img
settled "$before"
done_testing
