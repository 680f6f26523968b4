# SPDX-License-Identifier: MIT
# Our xl: every step of a create that fails takes away what those before it
# made. First each step is told to fail (XL_FAIL_STEP), then things that fail
# by themselves. Wants dm=1: a device model is one of the steps.
. /lab/tap.sh
mods blk net
truncate -s 1M /run/one.img /run/two.img
ip link add xenbr0 type bridge && ip link set xenbr0 up
verdict $? "a bridge"
printf '#!/bin/sh\nexit 3\n' >/run/script-that-fails
chmod +x /run/script-that-fails

# All that a domain may hold, but for the number of the next one.
everything() {
	echo "$(($(/lab/pages) / 256)) MiB free, $(lsevtchn 0 | wc -l) ports"
	xl list | wc -l
	losetup -a
	ls /sys/class/net
	xenstore-ls -f | sed 's/ = .*//' | grep -vE '^/(tool|test)|image/device-model-pid'
	ls /var/lib/xen /run/xen
	running -xen-domid
}
unchanged() {
	local i
	for ((i = 0; i < 10; i++)); do
		everything >/run/after
		cmp -s /run/before /run/after && break
		nap 0.3
	done
	cmp -s /run/before /run/after
	i=$?
	verdict $i "$1: nothing is left"
	[ $i = 0 ] && return
	diff /run/before /run/after | sed -n '/^[-+][^-+]/s/^/# /p' | head -20
	# The next is judged on its own.
	cp /run/after /run/before
}
# undo [LINE...]: the configuration.
undo() {
	config undo pvh /lab/guest/peer 'memory=32' 'vcpus=2' \
		'vif=["bridge=xenbr0","bridge=xenbr0"]' \
		'disk=["/run/one.img,raw,xvda,w","vdev=xvdb,format=raw,backendtype=qdisk,target=/run/two.img"]' "$@"
}
undo
ok "it can be created" xl create -q -p -e /run/undo.cfg
ok "and destroyed" xl destroy undo
everything >/run/before
mapfile -t steps < <(xl -v create -p -e /run/undo.cfg 2>&1 |
	sed -n 's/^.*undo: \([a-z].*[a-z]\)$/\1/p')
xl destroy undo
[ "${#steps[@]}" -ge 8 ]
verdict $? "xl -v tells its steps" "${steps[*]}"
for s in "${steps[@]}"; do
	fails "$s" "undo was not created: $s failed" \
		env XL_FAIL_STEP="$s" xl create -q -p -e /run/undo.cfg
	unchanged "$s"
done

undo 'cpus="77"'
fails "a CPU that there is not" . xl create -q -p -e /run/undo.cfg
unchanged "a CPU that there is not"
undo 'device_model_override="/run/script-that-fails"'
fails "a device model that ends" 'ended at its start' xl create -q -p -e /run/undo.cfg
unchanged "a device model that ends"
undo 'vif=["bridge=xenbr0","bridge=xenbr0,script=/run/script-that-fails"]'
fails "a script that fails" 'status 3' xl create -q -p -e /run/undo.cfg
unchanged "a script that fails"
undo 'disk=["/run/one.img,raw,xvda,w","script=/run/script-that-fails,vdev=xvdb,target=/run/two.img"]'
fails "a disk's script that fails" 'did not attach' xl create -q -p -e /run/undo.cfg
unchanged "a disk's script that fails"
cat >/run/script-that-tells <<-'END'
	#!/bin/sh
	echo "$1 $vif" >>/run/told
END
chmod +x /run/script-that-tells
undo 'vif=["bridge=xenbr0,script=/run/script-that-tells,vifname=own0"]' \
	'disk=["script=/run/script-that-tells,vdev=xvda,target=/run/one.img"]'
ok "with scripts" xl create -q -p -e /run/undo.cfg
D=$(xl domid undo)
ok "and destroyed" xl destroy undo
[ "$(sort /run/told)" = "$(printf '%s\n' 'add ' 'offline own0' "online vif$D.0" 'remove ')" ]
verdict $? "each script is run for the end, too" "$(tr '\n' ';' </run/told)"
unchanged "with scripts"
undo
printf '#!/bin/sh\nsleep 1\n' >/run/slow-script
chmod +x /run/slow-script
undo 'vif=["bridge=xenbr0","bridge=xenbr0,script=/run/slow-script"]'
xl create -q -p -e /run/undo.cfg &
for ((i = 0; i < 100; i++)); do
	[ -e /sys/class/net/xenbr0/brif/vif"$(xl domid undo 2>/dev/null)".0 ] && break
	nap 0.1
done
ok "destroyed while it is being made" xl destroy undo
wait $!
unchanged "destroyed while it is being made"
undo
mv /var/lib/xen /var/lib/xen-away
: >/var/lib/xen
fails "no place to keep it" 'cannot keep' xl create -q -p -e /run/undo.cfg
rm /var/lib/xen
mv /var/lib/xen-away /var/lib/xen
unchanged "no place to keep it"
undo 'vif=["bridge=nosuch"]'
fails "no such bridge" 'the bridge nosuch does not exist' xl create -q -p /run/undo.cfg
undo 'disk=["/run/nosuch,raw,xvda,w"]'
fails "no such image" '/run/nosuch: No such file' xl create -q -p /run/undo.cfg
undo 'memory=99999'
fails "too much memory" 'needs .* MiB, the host has .* MiB' xl create -q -p /run/undo.cfg
undo
ok "one that lives" xl create -q -p -e /run/undo.cfg
sed 's/name="undo"/name="rival"/' /run/undo.cfg >/run/rival.cfg
fails "its disk for another" 'in use by domain' xl create -q -p -e /run/rival.cfg
fails "its name for another" 'already exists' xl create -q -p -e /run/undo.cfg
ok "destroy" xl destroy undo
unchanged "at the end"

# xl.conf: what holds for all guests of this host.
printf 'claim_mode=1\nlockfile=7 7\n' >/etc/xen/xl.conf
fails "xl.conf: a mistake is shown" '^/etc/xen/xl.conf:2:12: ' xl create -q -p -e /run/undo.cfg
ip link add ownbr type bridge
cat >/etc/xen/xl.conf <<-END
	autoballoon="on"
	domid_policy="random"
	lockfile="/run/own-lock"
	max_grant_frames=16
	vif.default.bridge="ownbr"
	vm.cpumask="0"
END
mem0() { xl list 0 | sed -n 's/^Domain-0 *0 *\([0-9]*\) .*/\1/p'; }
before=$(mem0)
undo 'vif=[""]' "memory=$(($(xl info free_memory) + 40))"
ok "xl.conf: more memory than is free" xl create -q -p -e /run/undo.cfg
[ $((before - $(mem0))) -ge 40 ]
verdict $? "xl.conf: autoballoon takes it from dom0" "from $before to $(mem0) MiB"
[ -e /run/own-lock ] && [ -e "/sys/class/net/ownbr/brif/vif$(xl domid undo).0" ]
verdict $? "xl.conf: its lock file, its bridge"
like "xl.conf: its processors" '^undo .* 0 / all$|^undo .* all / all$' xl vcpu-list undo
ok "xl.conf: destroy by a random number" xl destroy "$(xl domid undo)"
xl mem-set 0 "$before"
ip link del ownbr
rm /etc/xen/xl.conf
ip link del xenbr0
rm -f /run/one.img /run/two.img
done_testing
