# SPDX-License-Identifier: MIT
# Guests that only compute, on one CPU: the shares of two are as their weights,
# within 2 %, and a third stays below its cap. In nanoseconds of CPU, as the
# hypervisor counts them.
. /lab/tap.sh
before=$(at_rest)

# spinning NAME LINE...: a guest that loops with interrupts off.
spinning() {
	config "$1" pvh /lab/guest/spin 'memory=32' 'cpus="0"' "${@:2}"
	xl create -q "/run/$1.cfg" && heard "$1" begins 20
	verdict $? "create $1"
}
# had NAME: how many of these a guest had between both looks.
had() {
	local id
	id=$(xl domid "$1")
	echo $(($(sed -n "s/^$id //p" /run/after) - $(sed -n "s/^$id //p" /run/start)))
}
# near VALUE WANTED: within 2 % of what is wanted.
near() { [ $(($1 * 100)) -ge $(($2 * 98)) ] && [ $(($1 * 100)) -le $(($2 * 102)) ]; }

spinning heavy 'cpu_weight=512'
spinning light 'cpu_weight=256'
spinning capped 'cpu_weight=256' 'cap=20'
nap 1
/lab/pages times >/run/start
nap 3
/lab/pages times >/run/after
heavy=$(had heavy) light=$(had light) capped=$(had capped)
took=$(($(sed -n 's/^now //p' /run/after) - $(sed -n 's/^now //p' /run/start)))
echo "# of $took ns: heavy $heavy, light $light, capped $capped"
near "$heavy" $((light * 2))
verdict $? "twice the weight has twice the time" "$heavy and $light ns"
[ $((capped * 500)) -le $((took * 102)) ] && [ "$capped" -gt 0 ]
verdict $? "a cap of 20 is at most a fifth of a CPU" "$capped of $took ns"
for guest in heavy light capped; do
	ok "destroy $guest" xl destroy $guest
done
settled "$before"
done_testing
