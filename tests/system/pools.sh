# SPDX-License-Identifier: MIT
# Processor pools on a host of two processors, by our xl and by Debian's in
# turns: what one leaves the other finds. A hypervisor with one pool only says
# so, and keeps that whole.
. /lab/tap.sh
ours=/usr/local/sbin/xl theirs=/usr/lib/xen-4.17/bin/xl
# pool NAME CPUS SCHED DOMAINS: a line of cpupool-list.
pool() { like "$N1: $1 has $2 CPUs, $4 domains" "^$1 +$2 +$3 +y +$4\$" "$XL" cpupool-list; }
free_is() { like "$N1: $1 are free" "^$1\$" "$ours" info free_cpus; }
pools() {
	pool Pool-0 2 credit2 2
	ok "$N1: cpupool-cpu-remove" "$XL" cpupool-cpu-remove Pool-0 1
	pool Pool-0 1 credit2 2
	free_is 1
	like "$N1: cpupool-list -c" '^Pool-0 +0$' "$XL" cpupool-list -c
	like "$N1: cpupool-create" 'number of cpus: 1' \
		"$XL" cpupool-create 'name="side"' 'sched="credit"' 'cpus=["1"]'
	free_is 0
	fails "$N1: of a processor that is another's" 'not free' \
		"$XL" cpupool-create 'name="third"' 'cpus=["1"]'
	pool side 1 credit 0
	ok "$N1: cpupool-migrate" "$XL" cpupool-migrate inpool side
	pool side 1 credit 1
	pool Pool-0 1 credit2 1
	like "$N1: vcpu-list has it there" '^inpool .* 1 +--. ' "$XL" vcpu-list inpool
	like "$N1: list -c" '^inpool .* side$' "$XL" list -c
	fails "$N1: destroy of one with a domain" . "$XL" cpupool-destroy side
	pool side 1 credit 1
	like "$N1: its last processor stays" 'may (not have|have not)' \
		sh -c "$XL cpupool-cpu-remove side 1 2>&1"
	pool side 1 credit 1
	ok "$N1: another domain is made there" "$XL" create -q -p /run/there.cfg
	pool side 1 credit 2
	"$XL" destroy there
	ok "$N1: back" "$XL" cpupool-migrate inpool Pool-0
	ok "$N1: cpupool-destroy" "$XL" cpupool-destroy side
	free_is 1
	ok "$N1: cpupool-cpu-add" "$XL" cpupool-cpu-add Pool-0 1
	free_is 0
	pool Pool-0 2 credit2 2
	ok "$N1: cpupool-numa-split of one node" "$XL" cpupool-numa-split
	pool Pool-node0 2 credit2 2
	ok "$N1: cpupool-rename" "$XL" cpupool-rename Pool-node0 Pool-0
}
config inpool pvh /lab/guest/peer 'memory=32'
config there pvh /lab/guest/peer 'memory=32' 'pool="side"'
XL=$ours N1=both
ok "a domain" "$XL" create -q -p /run/inpool.cfg
if "$XL" cpupool-create 'name="probe"' >/run/probe 2>&1; then
	"$XL" cpupool-destroy probe
	XL=$ours N1=ours pools
	XL=$theirs N1="Debian's" pools
else
	fails "one pool only: cpupool-create" 'one pool only' \
		"$XL" cpupool-create 'name="probe"'
	fails "cpupool-destroy of it" . "$XL" cpupool-destroy Pool-0
	like "its last processor stays" 'may (not have|have not)' \
		sh -c "$XL cpupool-cpu-remove Pool-0 all 2>&1"
	pool Pool-0 2 credit2 2
fi
ok "destroy" "$XL" destroy inpool
done_testing
