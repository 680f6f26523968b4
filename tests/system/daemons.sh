# SPDX-License-Identifier: MIT
# Our daemons and xl's supervisor die while a Linux guest runs beside them: it
# goes on, and they start again. xenstored becomes itself anew (live update).
. /lab/tap.sh
truncate -s 8M /run/one.img /run/two.img
mods blk
config lives pvh /lab/guest-kernel 'ramdisk="/lab/guest.cpio"' 'memory=128' \
	'disk=["/run/one.img,raw,xvda,w"]' \
	'extra="console=hvc0 loglevel=4 panic=5 do=blk,echo"'
ok "create" xl create -q /run/lives.cfg
heard lives GUEST-LISTENS 60
verdict $? "it listens" "$(tail -2 "$LOG/guest-lives.log")"
id=$(xl domid lives)

# said WORD: on its console; it answers in xenconsoled's log.
said() {
	local i
	mkfifo /run/keys
	xl console -t pv lives <>/run/keys >/run/console.out 2>&1 &
	for i in 1 2 3 4 5 6 7 8 9 10; do
		echo "$1" >/run/keys
		heard lives "GUEST-HEARD $1" 1 && break
	done
	kill $!
	wait $! 2>/dev/null
	rm /run/keys
	grep -q "GUEST-HEARD $1" "$LOG/guest-lives.log"
}
mkfifo /run/silence
xl console -t pv lives <>/run/silence >/run/second.out 2>&1 &
second=$!
said before
verdict $? "its console answers"
grep -q 'GUEST-HEARD before' /run/second.out
verdict $? "and a second viewer sees it" "$(tail -2 /run/second.out)"
kill $second
pid=$(cat /run/xen/xenconsoled.pid)
kill -9 "$pid"
i=0
while kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do nap 0.1; i=$((i + 1)); done
fails "no console without its daemon" . timeout 5 xl console -t pv lives
ok "xenconsoled starts again" xenconsoled --pid-file=/run/xen/xenconsoled.pid \
	--log=guest --log-dir="$LOG"
said after
verdict $? "and serves the guest that was there" "$(tail -2 /run/console.out)"

pid=$(cat /run/xen/xenstored.pid)
ok "xenstored: a live update" \
	xenstore-control live-update "$(command -v xenstored)"
[ "$(running --live-update)" = "$pid" ]
verdict $? "the process is the same, and another program"
like "its nodes are there" '^lives$' xenstore-read "/local/domain/$id/name"
# The guest's and dom0's kernels speak with it over their rings.
ok "attach a disk" xl block-attach lives '/run/two.img,raw,xvdb,w'
i=0
while ! xl block-list lives | grep -qE '^51728 +0 +[0-9]+ +4 ' && [ $i -lt 50 ]; do
	nap 0.2
	i=$((i + 1))
done
like "both kernels connect it" '^51728 +0 +[0-9]+ +4 ' xl block-list lives
ok "detach it" xl block-detach lives xvdb
like "xenstore-control check" OK xenstore-control check
like "Debian's test-xenstore" '^ta err ' test-xenstore

# One that prints without end holds up no other, nor the daemon.
flooded() { [ "$(stat -c %s "$LOG/guest-lives.log")" -gt 100000 ]; }
said flood
i=0
while ! flooded && [ $i -lt 100 ]; do nap 0.2; i=$((i + 1)); done
flooded
verdict $? "it floods its console"
like "another's console comes through" '^# guest .* ends' \
	freestanding quick /lab/guest/hello 'memory=32'

supervisor=$(running lives.cfg)
ok "the supervisor is killed" kill -9 "$supervisor"
like "the guest goes on" "^lives +$id +1[0-9]+ +1 " xl list
ok "shutdown" xl shutdown lives
i=0
while ! xl list | grep -qE '^lives .*s-' && [ $i -lt 100 ]; do
	nap 0.2
	i=$((i + 1))
done
like "it has stopped and waits for somebody" '^lives .*--s' xl list
ok "destroy" xl destroy lives
[ -z "$(losetup -a)" ]
verdict $? "no loop device is left"

# Last, since dom0's kernel cannot be told of a new store.
kill -9 "$(cat /run/xen/xenstored.pid)"
nap 0.3
fails "xl without a store" "is xenstored running" timeout 10 xl list
ok "xenstored starts again" xenstored --pid-file /run/xen/xenstored.pid
ok "it serves" xenstore-write /again 1
ok "xl, too" xl list
done_testing
