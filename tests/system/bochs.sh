# SPDX-License-Identifier: MIT
# A dom0 in Bochs makes guests of its own; everything is slower there.
. /lab/tap.sh
like "xl list shows dom0" '^Domain-0 +0 ' xl list
like "xl info counts CPUs" "^nr_cpus +: $(nproc)" xl info
for name in hello faults events apic; do
	LIMIT=60 freestanding $name /lab/guest/$name 'memory=64' \
		"vcpus=$([ $name = apic ] && echo 2 || echo 1)" >/run/$name.out
	like "guest $name" '^# guest .* ends: [0-9]+ passed, 0 failed' \
		cat /run/$name.out
done
LIMIT=90 freestanding smp /lab/guest/smp 'memory=64' 'vcpus=2' >/run/smp.out
like "guest smp on two CPUs" '^# guest .* ends' cat /run/smp.out
# Instructions per operation of an ordinary domain.
config peer pvh /lab/guest/peer 'memory=32'
ok "a second domain" xl create -q /run/peer.cfg
heard peer 'peer ready' 30
LIMIT=90 freestanding bench /lab/guest/bench 'memory=64' \
	"extra=\"peer=$(xl domid peer) n=50\"" >/run/bench.out
like "guest bench" '^# guest bench ends: [0-9]+ passed, 0 failed' \
	cat /run/bench.out
sed -n 's/^.*\(bench [a-z_0-9]* ticks=.*\)/# \1/p' /run/bench.out
ok "the second domain goes" xl destroy peer
# What made them exit, for people.
xenperf 2>/dev/null | grep '^exit ' | tr -s ' ' | sed 's/^/# /'
done_testing
