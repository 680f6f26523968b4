# SPDX-License-Identifier: MIT
# Many small guests at a time.
. /lab/tap.sh
before=$(at_rest)
for i in {1..32}; do
	cat >/run/many.cfg <<-END
		name="many$i"
		type="pvh"
		kernel="/lab/guest/peer"
		memory=24
	END
	xl create -q /run/many.cfg || break
done
verdict $? "create 32 small guests"
up=0
for i in {1..32}; do
	heard "many$i" 'peer ready' 20 && up=$((up + 1))
done
verdict $((up != 32)) "all of them run" "$up do"
like "xl list has them" '^many32 ' xl list
for i in {1..32}; do
	xl destroy "many$i" || break
done
verdict $? "destroy them"
settled "$before"
done_testing
