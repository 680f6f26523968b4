# SPDX-License-Identifier: MIT
# A dom0 in Bochs makes guests of its own; everything is slower there.
. /lab/tap.sh
like "xl list shows dom0" '^Domain-0 +0 ' xl list
like "xl info counts CPUs" "^nr_cpus +: $(nproc)" xl info
for name in hello faults events apic; do
	LIMIT=60 freestanding $name /lab/guest/$name 'memory=64' >/run/$name.out
	like "guest $name" '^# guest .* ends: [0-9]+ passed, 0 failed' \
		cat /run/$name.out
done
LIMIT=90 freestanding smp /lab/guest/smp 'memory=64' 'vcpus=2' >/run/smp.out
like "guest smp on two CPUs" '^# guest .* ends' cat /run/smp.out
# What made them exit, for people.
xenperf 2>/dev/null | grep '^exit ' | tr -s ' ' | sed 's/^/# /'
done_testing
