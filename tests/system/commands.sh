# SPDX-License-Identifier: MIT
# Each command of the stock toolstack on a small guest that does nothing
# (guests/pvh/peer), and the errors that people meet.
. /lab/tap.sh
before=$(at_rest)
cpus=$(xl info | sed -n 's/^nr_cpus *: //p')

config idle pvh /lab/guest/peer 'memory=32' 'vcpus=2'
ok "create -p" xl create -q -p /run/idle.cfg
like "it is paused and has not run" '^idle +[0-9]+ +3[0-9] +[12] +--p--- +0\.0' \
	xl list idle
fails "create it again" 'already exists' xl create -q /run/idle.cfg
like "list -l" '"name": "idle"' xl list -l idle
like "list -v" '^idle .* [0-9a-f]{8}-[0-9a-f]{4}-' xl list -v idle
like "vm-list" ' idle' xl vm-list
like "vcpu-list" '^idle +[0-9]+ +1 ' xl vcpu-list idle
ok "vcpu-pin, hard" xl vcpu-pin idle 0 0
ok "vcpu-pin, soft" xl vcpu-pin idle 1 - 0
like "vcpu-list has it: hard" '^idle +[0-9]+ +0 .* 0 / all' xl vcpu-list idle
like "vcpu-list has it: soft" '^idle +[0-9]+ +1 .* all / 0' xl vcpu-list idle
fails "vcpu-pin to no CPU" . xl vcpu-pin idle 0 200
ok "vcpu-pin back" xl vcpu-pin idle all all all
ok "sched-credit2 -w -c" xl sched-credit2 -d idle -w 100 -c 50
like "it is kept" '^idle +[0-9]+ +100 +50' xl sched-credit2 -d idle
fails "a weight of 0" 'out of range' xl sched-credit2 -d idle -w 0
like "sched-credit2 -s" 'ratelimit=[0-9]+us' xl sched-credit2 -s -p Pool-0
fails "sched-credit for it" 'credit2 not credit' xl sched-credit -d idle
ok "mem-max" xl mem-max idle 48
fails "mem-max below what it has" . xl mem-max idle 8
ok "mem-set" xl mem-set idle 24
ok "vcpu-set" xl vcpu-set idle 1
for t in power sleep; do
	ok "trigger $t: no button, no error" xl trigger idle $t
done
like "xentop -v" 'VCPUs\(sec\): +0: ' xentop -b -i 1 -v -f
like "xentop has it" '^ +idle +-*p-* ' xentop -b -i 1
like "lsevtchn" 'VCPU 0: ' lsevtchn "$(xl domid idle)"
like "xen-hvmctx" 'CPU: ' xen-hvmctx "$(xl domid idle)"
like "xen-diag" 'nr_frames=[0-9]+, max_nr_frames=[0-9]+' \
	xen-diag gnttab_query_size "$(xl domid idle)"
ok "unpause" xl unpause idle
heard idle 'peer ready' 20
verdict $? "it runs"
ok "rename" xl rename idle bored
fails "the old name is nobody's" 'invalid domain' xl pause idle
attach() { timeout 2 xl console "$1" </dev/null; :; }
like "console" 'peer ready' attach bored
like "uptime" '^bored .* 0:0[01]:[0-9]{2}' xl uptime
for key in q r e g; do
	ok "debug-keys $key" xl debug-keys $key
done
like "dmesg has what they print" "'q' pressed" xl dmesg
ok "pause" xl pause bored
ok "unpause again" xl unpause bored
fails "destroy of nobody" 'invalid domain' xl destroy idle
ok "destroy" xl destroy bored
# shown [LINE]: CPUID's leaf 1 as a guest is shown it, ECX and EDX.
shown() {
	config shown pvh /lab/guest/cpuid 'memory=32' "$@"
	timeout 30 xl create -c -q /run/shown.cfg </dev/null >/run/shown.out
	gone shown 10 && grep -q '^# guest cpuid ends' /run/shown.out &&
		! grep '^not ok' /run/shown.out &&
		sed -n 's/^# leaf 1: ecx \(0x[0-9a-f]*\) edx \(0x[0-9a-f]*\).*/\1 \2/p' \
			/run/shown.out
}
like "create -c shows the console, to the end" '^0x[0-9a-f]+ 0x[0-9a-f]+$' shown
read -r ecx _ < <(sed -n 's/^# leaf 1: ecx //p' /run/shown.out)
# POPCNT, bit 23 of ECX, taken away in both ways of writing it.
less=$(printf '0x%x' $((ecx & ~(1 << 23))))
[ "$less" != "$ecx" ]
verdict $? "the machine has POPCNT"
like "cpuid= in libxl's words: the guest has it not" "^$less " \
	shown 'cpuid="host,popcnt=0"'
like "cpuid= in libxc's words: nor here" "^$less " \
	shown 'cpuid=["0x1:ecx=xxxxxxxx0xxxxxxxxxxxxxxxxxxxxxxx"]'

like "cpupool-list" "^Pool-0 +$cpus +credit2 +y +1" xl cpupool-list
like "cpupool-list -c" '^Pool-0 +0' xl cpupool-list -c
fails "cpupool-destroy of the only one" . xl cpupool-destroy Pool-0
like "claims" '^Domain-0 ' xl claims
like "xenpm get-cpuidle-states" 'C-state|cpuidle' xenpm get-cpuidle-states
like "xenpm get-cpu-topology" '^CPU0' xenpm get-cpu-topology
ok "xenpm get-cpufreq-states" xenpm get-cpufreq-states
like "xenpm get-cpufreq-para: no driver" 'failed to get cpufreq' \
	xenpm get-cpufreq-para
ok "xenpm get-cpufreq-average" xenpm get-cpufreq-average
if [ "$cpus" -gt 1 ]; then
	ok "xen-hptool cpu-offline" xen-hptool cpu-offline 1
	like "one CPU less" "^nr_cpus +: $((cpus - 1))$" xl info
	like "dom0's vCPUs run on the others" '^Domain-0 +0 +1 +[0-] ' xl vcpu-list 0
	ok "xen-hptool cpu-online" xen-hptool cpu-online 1
	like "it is back" "^nr_cpus +: $cpus$" xl info
fi
fails "xen-hptool cpu-offline of none" . xen-hptool cpu-offline 77
fails "xen-hptool cpu-offline of the first" . xen-hptool cpu-offline 0
like "xen-hptool mem-status" 'is (online|not)|Memory Status' \
	xen-hptool mem-status 1000
settled "$before"
done_testing
