# SPDX-License-Identifier: MIT
# Debian's xl and ours in the same dom0, asked the same: what a script sees of
# them is the same, statuses and standard output. A guest is there for them to
# talk of: paused, with a disk and a card.
. /lab/tap.sh
theirs=/usr/lib/xen-4.17/bin/xl
ours=/usr/local/sbin/xl
mods blk net
ip link add xenbr0 type bridge && ip link set xenbr0 up
truncate -s 1M /run/one.img

# said XL WORD...: its status and what it prints, without what no two runs have
# alike (times, memory that is free) and the end of lines.
said() {
	timeout 10 "$@" </dev/null >/run/said 2>/dev/null
	echo "status $?"
	[ -n "$STATUS_ONLY" ] || sed -E 's/[0-9]+\.[0-9]+( |$)/T\1/g
		s/[0-9]+:[0-9]{2}(:[0-9]{2})?/T/g
		s/^(free_memory|sharing_[a-z_]*|cc_compile_date|xen_changeset) .*/\1/
		s/ +$//' /run/said
}
# same WORD...
same() {
	local a b
	a=$(said $theirs "$@")
	b=$(said $ours "$@")
	[ "$a" = "$b" ]
	verdict $? "xl $*"
	[ "$a" = "$b" ] || diff <(echo "$a") <(echo "$b") | sed 's/^/# /' | head -12
}
status() { STATUS_ONLY=1 same "$@"; }

config idle pvh /lab/guest/peer 'memory=32' 'vcpus=2' \
	'vif=["bridge=xenbr0,mac=00:16:3e:00:00:01"]' 'disk=["/run/one.img,raw,xvda,w"]'
ok "create" xl create -q -p /run/idle.cfg
same list
same list idle
same list -v
same list -c
same vm-list
same vcpu-list
same info
same claims
same sharing
same domid idle
same domname "$(xl domid idle)"
same block-list idle
same network-list idle
same vkb-list idle
same sched-credit2
same sched-credit
same cpupool-list
same cpupool-list -c
same uptime
same getenforce
same pci-list idle
same pci-assignable-list
same usb-list idle

# Calls that are wrong.
same help
same help nosuch
same nosuch
same help cpupool-migrate
status -z list
status list --nosuch
status list nosuch
status create
status create /run/nosuch.cfg
for c in destroy block-list network-list domid; do
	status $c
	status $c nosuch
done
for c in save pci-attach cpupool-migrate qemu-monitor-command vcpu-set; do
	status $c
	status $c nosuch 1
done
status cpupool-list nosuch
status cpupool-destroy Pool-0
status sched-credit -d idle
status vcpu-pin idle 0 200

# A pool, made by one and unmade by the other.
ok "cpupool-create" $ours cpupool-create 'name="spare"' 'sched="credit"'
same cpupool-list
same sched-credit
status cpupool-create 'name="spare"'
status cpupool-migrate idle spare
ok "cpupool-rename" $ours cpupool-rename spare other
ok "Debian's finds it" $theirs cpupool-destroy other
ok "the reverse" $theirs cpupool-create 'name="spare"'
ok "ours finds it" $ours cpupool-destroy spare
same cpupool-list
ok "destroy" xl destroy idle
ip link del xenbr0
rm /run/one.img
done_testing
