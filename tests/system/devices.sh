# SPDX-License-Identifier: MIT
# dom0's own devices (the machine of tests/rig/devices.py): three disks on
# three controllers, two network cards on one wire, with interrupts of all
# kinds, and a screen. Every byte is compared.
. /lab/tap.sh
mods disks nics

wait_for() {
	local i=0
	while [ ! -e "$1" ] && [ $i -lt 50 ]; do
		nap 0.1
		i=$((i + 1))
	done
	[ -e "$1" ]
}
sum() { dd if="$1" bs=1M count=8 2>/dev/null | md5sum | cut -d' ' -f1; }

# The machine's screen, in the mode in which the boot loader left it.
like "a frame buffer" '^0 (EFI|VESA) VGA' cat /proc/fb

dd if=/dev/urandom of=/run/new bs=1M count=8 2>/dev/null
new=$(sum /run/new)
# /lab/disk-NAME.md5 has the sum of what the host wrote.
for disk in virtio:vda ahci:sda nvme:nvme0n1; do
	name=${disk%%:*} node=/dev/${disk#*:}
	wait_for "$node"
	verdict $? "$name: the disk is there"
	like "$name: what the host wrote" "^$(cat "/lab/disk-$name.md5")$" sum "$node"
	ok "$name: write" dd if=/run/new of="$node" bs=256k conv=fsync
	echo 3 >/proc/sys/vm/drop_caches
	like "$name: what dom0 wrote" "^$new$" sum "$node"
done

# One card here, the other in a network of its own: all goes over the wire.
cards=$(cd /sys/class/net && echo eth*)
driver() { basename "$(readlink "/sys/class/net/$1/device/driver")"; }
for card in $cards; do
	declare "$(driver "$card")=$card"
done
like "virtio-net and e1000 are there" '^eth. eth.$' echo "$virtio_net $e1000"
ok "a network apart" ip netns add apart
ip link set "$e1000" netns apart
apart() { ip netns exec apart "$@"; }
ip addr add 10.8.0.1/24 dev "$virtio_net" && ip link set "$virtio_net" up &&
	apart ip addr add 10.8.0.2/24 dev "$e1000" &&
	apart ip link set "$e1000" up
verdict $? "both cards are up"
like "ping" ' 0% packet loss' ping -c 3 -i 0.2 -w 10 10.8.0.2
# A listener whose input ends would end the connection: 9 never does (lib.sh).
apart nc -l -p 5000 -w 30 <&9 >/run/got &
nap 0.5
ok "send 8 MiB from virtio-net to e1000" nc -w 30 10.8.0.2 5000 </run/new
wait $!
like "they arrive" "^$new$" sum /run/got
nc -l -p 5001 -w 30 <&9 >/run/got &
nap 0.5
ok "send 8 MiB from e1000 to virtio-net" \
	apart nc -w 30 10.8.0.1 5001 </run/new
wait $!
like "they arrive" "^$new$" sum /run/got

# The kinds of interrupt, as the kernel names them, each of them used.
taken() { awk -v d="$1" '$NF ~ d { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++)
	n += $i; print } END { exit !(n > 10) }' /proc/interrupts; }
like "INTx, through the I/O APIC: e1000" 'IO-APIC|ioapic' apart cat /proc/interrupts
like "MSI: AHCI" 'PCI-MSI|-msi' taken 'ahci'
like "MSI-X: NVMe" 'PCI-MSI|-msi' taken 'nvme0q[1-9]'
like "MSI-X: virtio" 'PCI-MSI|-msi' taken 'virtio[0-9]-req'
ok "INTx: e1000's came" taken "$e1000"
ip netns del apart
rm -f /run/got /run/new
done_testing
