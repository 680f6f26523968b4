# SPDX-License-Identifier: MIT
# What the tools say of a machine with nothing but dom0 on it.
. /lab/tap.sh
like "xl list shows dom0" '^Domain-0 +0 +[0-9]+ +[0-9]+ +r' xl list
like "xl list -v" '^Domain-0 ' xl list -v
like "xl list -l is JSON" '"domid": 0' xl list -l
like "xl info" '^xen_version +: 4\.17' xl info
like "xl info counts CPUs" "^nr_cpus +: [1-9]" xl info
like "xl info knows the scheduler" '^xen_scheduler +: credit' xl info
like "xl vcpu-list" '^Domain-0 +0 +0 +0' xl vcpu-list
like "xl uptime" '^Domain-0 ' xl uptime
like "xl dmesg" . xl dmesg
ok "xl debug-keys" xl debug-keys h
like "xl sched-credit2" 'Domain-0 +0 +256' xl sched-credit2
like "xl cpupool-list" '^Pool-0' xl cpupool-list
like "xl domid" '^0$' xl domid Domain-0
like "xl domname" '^Domain-0$' xl domname 0
like "xenstore-ls" '^ *name = "Domain-0"' xenstore-ls /local/domain/0
ok "xenstore-write" xenstore-write /test/a 1 /test/b 2
like "xenstore-read" '^2$' xenstore-read /test/b
ok "xenstore-rm" xenstore-rm /test
fails "xenstore-read of nothing" . xenstore-read /test/a
like "lsevtchn" 'VCPU 0' lsevtchn 0
like "xentop" 'Domain-0' xentop -b -i 1
like "xenpm get-cpu-topology" '^CPU' xenpm get-cpu-topology
fails "xl destroy of nobody" 'invalid domain identifier' xl destroy nobody
fails "xl destroy of dom0" . xl destroy 0
fails "xl create without a file" . xl create /run/none.cfg
ok "xl mem-set of dom0" xl mem-set 0 700
i=0
while ! xl list | grep -qE '^Domain-0 +0 +(69|70)[0-9] ' && [ $i -lt 20 ]; do
	nap 0.5
	i=$((i + 1))
done
like "dom0 gave memory back" '^Domain-0 +0 +(69|70)[0-9] ' xl list
done_testing
