# SPDX-License-Identifier: MIT
# A driver domain: a Linux guest whose kernel has the back ends and whose
# xl devd serves them. Another guest's disk and card are there, and dom0 has no
# part in what goes through them. KINDS=qdisk: with a QEMU there, too.
. /lab/tap.sh
before=$(at_rest)
memory=320
[ "$KINDS" = qdisk ] && memory=768
drv=$LOG/guest-driver.log usr=$LOG/guest-user.log
# say WORD: to the driver domain's console.
say() { echo "$1" >"$(xenstore-read "/local/domain/$D/console/tty")"; }
# holds WHAT: what the driver domain's back ends hold, in the end.
holds() {
	local i
	for ((i = 0; i < 200; i++)); do
		[ "$(sed -n 's/\r//;s/^GUEST-HOLDS //p' "$drv" | tail -1)" = "$1" ] && return 0
		nap 0.1
	done
	return 1
}
# is WHAT NAME: a verdict on that.
is() {
	holds "$1"
	verdict $? "$2" "$(grep GUEST-HOLDS "$drv" | tail -1)"
}
# user [LINE...]: the guest that is served.
user() {
	rm -f "$usr"
	config user pvh /lab/guest-kernel 'ramdisk="/lab/guest.cpio"' 'memory=192' \
		'extra="console=hvc0 loglevel=4 panic=5 do=blk,net,echo ip=10.9.1.2 peer=10.9.1.1"' \
		"$@"
}
config driver pvh /lab/guest-kernel 'ramdisk="/lab/driver.cpio"' "memory=$memory" \
	'driver_domain=1' \
	'extra="console=hvc0 loglevel=4 panic=5 do=driver,echo peer=10.9.1.1"'
user 'vif=["backend=driver,bridge=xenbr0,mtu=1400"]' \
	'disk=["backend=driver,vdev=xvda,target=/disk.img"]'
fails "no such back end domain" 'backend=driver: there is no such domain|rc=|failed' \
	xl create -q /run/user.cfg
ok "the driver domain is created" xl create -q /run/driver.cfg
heard driver GUEST-LISTENS 90
verdict $? "it comes up" "$(tail -3 "$drv")"
D=$(xl domid driver)
sum=$(sed -n 's/^GUEST-DISK \([0-9a-f]*\).*/\1/p' "$drv" | tail -1)
like "it has its folders" . xenstore-list "/local/domain/$D"
ok "one for xl devd" xenstore-exists "/local/domain/$D/libxl"
ok "one for a device model" xenstore-exists "/local/domain/$D/device-model"
fails "xl devd is not for dom0" 'driver domains' /usr/local/sbin/xl devd -F

# It serves what was there before it, too.
ok "a guest of its back ends" xl create -q /run/user.cfg
is 'loops=0 ports=0' "nothing is attached without xl devd"
say devd
heard driver 'GUEST-DEVD on' 20
verdict $? "xl devd starts"
heard user GUEST-LISTENS 90
verdict $? "the guest does its work" "$(tail -3 "$usr")"
carried "$usr" "$sum"
U=$(xl domid user)
is 'loops=1 ports=1' "its disk and its card are there"
[ ! -e "/sys/class/net/vif$U.0" ] && [ -z "$(losetup -a)" ]
verdict $? "and not in dom0" "$(losetup -a)"
like "block-list names the domain" "^51712 +$D " xl block-list user
like "network-list names the domain" "^0 +$D " xl network-list user
like "the card's MTU" 1400 xenstore-read "/local/domain/$D/backend/vif/$U/0/mtu"

say nodevd
heard driver 'GUEST-DEVD off' 20
say devd
nap 2
ok "xl devd is another: network-detach" xl network-detach user 0
is 'loops=1 ports=0' "the card is gone there"
ok "block-attach" xl block-attach user 'backend=driver,vdev=xvdb,access=ro,target=/init'
is 'loops=2 ports=0' "the second disk is there"
ok "network-attach with a script of the driver domain" \
	xl network-attach user backend=driver script=vif-own
heard driver "GUEST-SCRIPT online type_if=vif vif$U.0 backend/vif/$U/0" 20
verdict $? "it was run" "$(grep GUEST-SCRIPT "$drv")"
is 'loops=2 ports=1' "the card is on the bridge"
ok "block-detach" xl block-detach user xvdb
is 'loops=1 ports=1' "the second disk is gone there"
ok "destroy" xl destroy user
is 'loops=0 ports=0' "all is gone there"
heard driver "GUEST-SCRIPT offline type_if=vif vif$U.0" 5
verdict $? "the script was run for its end"
left=$(xenstore-ls -f "/local/domain/$D/backend" 2>/dev/null)
[ -z "$left" ]
verdict $? "nothing is left of it in the store" "$left"

if [ "$KINDS" = qdisk ]; then
	user 'disk=["backend=driver,backendtype=qdisk,vdev=xvda,target=/disk.img"]'
	sed -i s/do=blk,net,/do=blk,/ /run/user.cfg
	ok "a guest of a QEMU there" xl create -q /run/user.cfg
	heard user GUEST-LISTENS 120
	grep -q "GUEST-BLK sum=$sum" "$usr"
	verdict $? "it reads its disk" "$(tail -3 "$usr")"
	is 'loops=0 ports=0 qemu' "QEMU runs there"
	[ -z "$(running xen-domid)" ]
	verdict $? "and not in dom0"
	ok "destroy" xl destroy user
	is 'loops=0 ports=0' "QEMU is gone"
	[ -z "$(xenstore-list "/local/domain/$D/libxl")" ]
	verdict $? "its number is forgotten"
fi

# What the driver domain has not got.
user 'disk=["backend=driver,vdev=xvda,target=/nosuch.img"]'
ok "a disk that is not there" xl create -q -p /run/user.cfg
U=$(xl domid user)
for ((i = 0; i < 100; i++)); do
	status=$(xenstore-read "/local/domain/$D/backend/vbd/$U/51712/hotplug-status" 2>/dev/null)
	[ "$status" = error ] && break
	nap 0.1
done
[ "$status" = error ]
verdict $? "is said in the store" "$status"
ok "destroy" xl destroy user
is 'loops=0 ports=0' "nothing is held there"
if [ $BAD != 0 ]; then
	say log
	nap 1
	sed -n 's/^GUEST-LOG/#/p' "$drv"
fi
ok "the driver domain is destroyed" xl destroy driver
settled "$before"
done_testing
