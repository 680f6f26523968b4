# SPDX-License-Identifier: MIT
# The stock programs on our libxenctrl.so.4.17, and our domain builder alone.
. /lab/tap.sh
before=$(at_rest)
for program in xl xenstored xenconsoled; do
	path=$(ldd "$(command -v $program)" 2>/dev/null |
		sed -n 's/.*libxenctrl.so.4.17 => \([^ ]*\).*/\1/p')
	[ -n "$path" ] || path=/lib/x86_64-linux-gnu/libxenctrl.so.4.17
	ok "$program: the library is ours" cmp "$path" /lab/libxenctrl.so.4.17
done
for pid in $(cat /run/xen/xenstored.pid /run/xen/xenconsoled.pid 2>/dev/null); do
	like "daemon $pid runs on it" libxenctrl cat "/proc/$pid/maps"
done

freestanding drop /lab/guest/hello 'memory=32' >/run/out
like "stock xl runs a PVH guest to its end" '^# guest .* ends' cat /run/out
config idle pvh /lab/guest/hello 'memory=32'
ok "create paused" xl create -q -p /run/idle.cfg
like "xl list has it" '^idle +[0-9]+ +3[0-9] +1 +--p' xl list
like "xentop has it" ' idle ' xentop -b -i 1
like "xl vcpu-list has it" '^idle +[0-9]+ +0 ' xl vcpu-list idle
ok "vcpu-pin" xl vcpu-pin idle 0 0
ok "mem-max" xl mem-max idle 40
ok "sched-credit2" xl sched-credit2 -d idle -w 300
like "its weight is kept" 'idle +[0-9]+ +300' xl sched-credit2 -d idle
like "xen-hvmctx reads its state" 'CPU' xen-hvmctx "$(xl domid idle)"
ok "destroy" xl destroy idle
fails "it is gone" 'invalid domain|not exist' xl domid idle
like "xenpm on a machine without C-states" . xenpm get-cpuidle-states
ok "test-resource" test-resource

# mkdomain calls the builder as our xl does; -i makes the guest known to
# xenstored and xenconsoled.
rm -f "$LOG"/guest-mkdomain.log
like "our builder makes a PVH guest" '^domid [0-9]+' \
	mkdomain -t pvh -m 32 -k /lab/guest/hello -i
heard mkdomain '^# guest .* ends' 20
verdict $? "it runs to its end" "$(tail -2 "$LOG/guest-mkdomain.log")"
for id in $(xl list | sed -n 's/^mkdomain *\([0-9]*\) .*/\1/p'); do
	xl destroy "$id" 2>/dev/null
done
like "twenty times over" '^domid' mkdomain -t pvh -m 32 -k /lab/guest/hello -p -n 20
for id in $(xl list | sed -n 's/^[^ ]* *\([0-9]*\) .* --p.*/\1/p'); do
	[ "$id" = 0 ] || xl destroy "$id" 2>/dev/null
done
fails "too little memory is refused with the sizes" 'too small for the kernel' \
	mkdomain -t pvh -m 4 -k /lab/guest/hello
fails "more memory than there is, too" 'wants 99999 MiB, the host has' \
	mkdomain -t pvh -m 99999 -k /lab/guest/hello
fails "a PVH kernel as PV" 'no Xen PV entry' \
	mkdomain -t pv -m 64 -k /lab/guest/hello
settled "$before"
done_testing
