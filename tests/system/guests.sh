# SPDX-License-Identifier: MIT
# The guest tests of /lab/list as ordinary domains, one after another, beside
# a peer that grants each a page. GUESTS= names some of them only.
. /lab/tap.sh
before=$(at_rest)
config peer pvh /lab/guest/peer 'memory=32'
ok "create the peer" xl create -q /run/peer.cfg
heard peer 'peer ready' 20
verdict $? "the peer is ready"
peer=$(xl domid peer)

# A guest that prints its plan: all good, and as many as planned.
by_plan() {
	local out bad count
	out=$(LIMIT=$limit freestanding "$@" "extra=\"peer=$peer $words\"") ||
		{ verdict 1 "$1" "xl create failed"; return; }
	bad=$(grep -c '^not ok' <<<"$out")
	count=$(grep -c '^ok' <<<"$out")
	if [ "$bad" = 0 ] && grep -q "^1\.\.$count[^0-9]*$" <<<"$out"; then
		verdict 0 "$1: $count checks as a domain"
	else
		grep '^not ok' <<<"$out" | sed 's/^/# /' | head
		tail -3 <<<"$out" | sed 's/^/# /'
		verdict 1 "$1" "$bad of its checks failed, $count passed"
	fi
}

# A guest that must be ended by the hypervisor.
by_crash() {
	config "$@"
	xl create -q "/run/$1.cfg" || { verdict 1 "$1" "xl create failed"; return; }
	gone "$1" "$limit"
	verdict $? "$1: the domain is ended, and only it"
	xl domid "$1" >/dev/null 2>&1 && xl destroy "$1"
}

# A guest that never ends: dom0 goes on beside it and destroys it.
by_destroy() {
	config "$@"
	xl create -q "/run/$1.cfg" || { verdict 1 "$1" "xl create failed"; return; }
	heard "$1" 'begins' "$limit"
	verdict $? "$1: runs"
	like "$1: dom0 goes on" "^$1 " xl list
	ok "$1: is destroyed" xl destroy "$1"
}

while read -r name where options; do
	case $name in '' | '#'*) continue ;; esac
	case ,$where, in *,domU,*) ;; *) continue ;; esac
	case " ${GUESTS:-$name} " in *" $name "*) ;; *) continue ;; esac
	memory=64 vcpus=1 timeout=20 words='' ends=plan
	for o in $options; do
		declare "${o%%=*}=${o#*=}"
	done
	limit=$timeout
	set -- "$name" pvh "/lab/guest/$name" "memory=$memory" "vcpus=$vcpus"
	case $ends in
	plan) shift 2; by_plan "$name" "$@" ;;
	crash) by_crash "$@" ;;
	never) by_destroy "$@" "extra=\"peer=$peer\"" ;;
	esac
done </lab/list

# The peer dies while another maps its page.
config holder pvh /lab/guest/hold 'memory=32' "extra=\"peer=$peer\""
ok "create one that holds the peer's page" xl create -q /run/holder.cfg
heard holder 'held 2' 20
verdict $? "it has the page"
ok "destroy the peer" xl destroy peer
seen=$(grep -c held "$LOG/guest-holder.log")
heard holder "held $((seen + 3))" 20
verdict $? "the page is still there" "$(tail -2 "$LOG/guest-holder.log")"
ok "destroy the holder" xl destroy holder
settled "$before"
done_testing
