# SPDX-License-Identifier: MIT
# A second device model beside QEMU, that answers well, late, wrongly or not at
# all (model.c), and a guest that it has by its ports (guests/pvh/asker.c):
# that guest's matter alone. Wants the device model in dom0 (dm=1), /lab/model
# and /lab/guest/asker.
. /lab/tap.sh
before=$(at_rest)
ours() { xl dmesg | grep -q Ostler; }
# asker WHAT HOW...: a guest with its second model; HOW as model.c has it.
asker() {
	local what=$1
	shift
	xl destroy asker 2>/dev/null # where the one before went wrong
	rm -f "$LOG/guest-asker.log" /run/model.out
	config asker hvm "" 'memory=40' 'vga="none"' 'vnc=0' 'usb=0' \
		'firmware_override="/lab/guest/asker"'
	ok "$what: create" xl create -q -p /run/asker.cfg
	/lab/model "$(xl domid asker)" "$@" >/run/model.out 2>&1 &
	model=$!
	has /run/model.out ready 10 && xl unpause asker
	verdict $? "$what: it runs"
}
# well WHAT PATTERN: it got to its end, and the model saw this.
well() {
	heard asker '^# guest asker ends: 2 passed, 0 failed' 40
	verdict $? "$1: the guest gets to its end" "$(tail -2 "$LOG/guest-asker.log")"
	wait $model
	like "$1: what its model saw" "$2" cat /run/model.out
	gone asker 20
	verdict $? "$1: it is gone"
	sed -n 's/^\(bench\|#  *[0-9]\)/# &/p' "$LOG/guest-asker.log"
}
# ill WHAT: the guest is ended by the hypervisor.
ill() {
	gone asker 30
	verdict $? "$1: the guest is ended"
	kill $model 2>/dev/null
	wait $model 2>/dev/null
}
asker answers answers 100
well answers ended
asker "a string" string 100
well "a string" '^100 reads in [0-9]+ requests'
grep -q '^# 0 are left, 100 of 100 right' "$LOG/guest-asker.log"
verdict $? "a string: its bytes are right" "$(tail -3 "$LOG/guest-asker.log")"
# The ring has 511 places; one stays free.
asker "a full ring" video 2000
well "a full ring" '^51[01] buffered, 0 wrong, (1489|1490) directly'
grep -q 'written, then read: 77' "$LOG/guest-asker.log"
verdict $? "a full ring: the read after it is right"
asker rubbish rubbish
if ours; then
	well rubbish '1050 answers'
else
	# That one looks at what we do not believe anyway, and ends the guest.
	ill rubbish
fi
asker "a state that there is not" state 9
ill "a state that there is not"
asker "an answer that never comes" silent
has /run/model.out asked 20
verdict $? "an answer that never comes: asked"
nap 2
like "the guest waits" "^asker .* [-r]b----|^asker .*------" xl list
ok "others go on meanwhile" freestanding hello /lab/guest/hello 'memory=32'
ok "destroy it" xl destroy asker
gone asker 20
verdict $? "it is gone"
kill $model
wait $model 2>/dev/null
for seed in 1 2; do
	asker "storm $seed" storm $seed
	wait $model
	like "storm $seed: its model was heard" '^[0-9]+ random requests between' \
		cat /run/model.out
	sed 's/^/# /' /run/model.out
	xl destroy asker 2>/dev/null
	gone asker 20
	verdict $? "storm $seed: it is gone"
done
if ours; then
	asker "one whose model dies" silent
	has /run/model.out asked 20
	kill -9 $model
	ill "one whose model dies"
fi
settled "$before"
done_testing
