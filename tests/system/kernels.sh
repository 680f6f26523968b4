# SPDX-License-Identifier: MIT
# Other kernels as guests (KINDS=pv: PV ones; else PVH), and the ends that a guest can have: Debian's 6.12
# with four vCPUs and 2 GiB, the cloud kernel as its package has it, in little
# memory. Then destroying at any moment.
. /lab/tap.sh
kind=${KINDS:-pvh}
before=$(at_rest)
# linux NAME WHICH WORDS LINE...
linux() {
	local name=$1 which=$2 words=$3
	shift 3
	rm -f "$LOG/guest-$name.log"
	config "$name" "$kind" "/lab/kernel-$which" "ramdisk=\"/lab/guest-$which.cpio\"" \
		"extra=\"console=hvc0 loglevel=4 panic=5 $words\"" "$@"
}
said() { tail -2 "$LOG/guest-$1.log"; }
# times NAME PATTERN COUNT SECONDS: waits for so many lines.
times() {
	local i=0
	while [ "$(grep -cE -- "$2" "$LOG/guest-$1.log")" -lt "$3" ]; do
		[ $i -lt $(($4 * 5)) ] || return 1
		nap 0.2
		i=$((i + 1))
	done
}

linux big 6.12 'do=cpus' 'memory=2048' 'vcpus=4' 'on_reboot="restart"'
linux cloud cloud 'do=time xen_legacy_crash' 'memory=96' 'maxmem=160' \
	'on_crash="preserve"'
ok "create 6.12 with 4 vCPUs and 2 GiB" xl create -q /run/big.cfg
ok "create the cloud kernel, packed, with 96 MiB" xl create -q /run/cloud.cfg
heard cloud GUEST-TIME 90
verdict $? "the cloud kernel comes up" "$(said cloud)"
heard big 'GUEST-UP.*cpus=4' 90
verdict $? "6.12 comes up with 4 CPUs" "$(said big)"
sed -n 's/^GUEST-UP/# &/p' "$LOG/guest-big.log" "$LOG/guest-cloud.log"

shrunk() {
	local i=0
	while [ "$(xl list "$1" | awk 'END { print $3 }')" -gt "$2" ]; do
		[ $i -lt 50 ] || return 1
		nap 0.2
		i=$((i + 1))
	done
}
ok "with maxmem=160, its balloon goes down to 96" shrunk cloud 97

# Time: paused for a while or not, a guest's clock goes as dom0's does. (Linux
# itself loses some of it while it starts, on a machine that others use.)
clock() { sed -n 's/^GUEST-TIME \([0-9]*\) .*/\1/p' "$LOG/guest-cloud.log" | tail -1; }
apart=
together() {
	local d
	times cloud GUEST-TIME $(($(grep -c GUEST-TIME "$LOG/guest-cloud.log") + 2)) 20
	d=$(($(date +%s) - $(clock)))
	echo "its clock is $d s behind dom0's"
	: "${apart:=$d}"
	[ $((d - apart)) -le 1 ] && [ $((apart - d)) -le 1 ]
}
together >/run/apart
sed 's/^/# /' /run/apart
xl pause cloud
nap 4
xl unpause cloud
nap 1
ok "its clock goes on as dom0's, a pause included" together
grep 'GUEST-TIME' "$LOG/guest-cloud.log" | tail -1 | awk '{ exit !($11 > 0) }'
verdict $? "it has seen stolen time"

heard big 'GUEST-CPUS 0-3' 20
ok "vcpu-set 2" xl vcpu-set big 2
heard big 'GUEST-CPUS 0-1' 20
verdict $? "two of its CPUs go" "$(said big)"
ok "vcpu-set 4" xl vcpu-set --ignore-host big 4
times big 'GUEST-CPUS 0-3' 2 20
verdict $? "they come back" "$(said big)"
like "all four run" '^big +[0-9]+ +3 +[0-9] +[-r]' xl vcpu-list big

ok "crash the cloud kernel" xl sysrq cloud c
i=0
while ! xl list cloud | grep -qE '^cloud .* -*[s-]c-' && [ $i -lt 50 ]; do
	nap 0.2
	i=$((i + 1))
done
like "on_crash=preserve keeps it" '^cloud .* -*[s-]c-' xl list cloud
ok "destroy what is left" xl destroy cloud
ok "reboot 6.12" xl reboot big
times big GUEST-UP 2 90
verdict $? "it comes up again" "$(said big)"
ok "shutdown -w" timeout 60 xl shutdown -w big
gone big 20
verdict $? "it is gone"
settled "$before"

# At any moment.
config soon "$kind" /lab/kernel-cloud 'ramdisk="/lab/guest-cloud.cpio"' 'memory=96' \
	'vcpus=2' 'extra="console=hvc0 do=idle"'
for t in 0 0.5; do
	xl create -q /run/soon.cfg && nap $t && xl destroy soon ||
		verdict 1 "destroy after $t s"
done
xl create -q /run/soon.cfg &
nap 0.5
xl destroy soon 2>/dev/null
wait $!
xl destroy soon 2>/dev/null
# The backend has its pages mapped, and requests are under way.
mods blk
truncate -s 32M /run/busy.img
linux busy cloud 'do=busy' 'memory=96' 'disk=["/run/busy.img,raw,xvda,w"]'
ok "create one that never rests its disk" xl create -q /run/busy.cfg
heard busy 'GUEST-BUSY 2' 60
verdict $? "its disk works" "$(said busy)"
ok "destroy it in the middle of that" xl destroy busy
settled "$before"
rm -f /run/busy.img
done_testing
