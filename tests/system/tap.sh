# SPDX-License-Identifier: MIT
# Verdicts for scripts that run in dom0 (source /lab/tap.sh): TAP lines on
# standard output, which the rig reads; "done_testing" at the end says that the
# script got there.
. /lab/lib.sh
N=0 BAD=0

# verdict STATUS NAME [WHY]
LAST=0
verdict() {
	[ $((SECONDS - LAST)) -ge 4 ] && echo "# the next took $((SECONDS - LAST)) s"
	LAST=$SECONDS
	N=$((N + 1))
	if [ "$1" = 0 ]; then
		echo "ok $N - $2"
	else
		BAD=$((BAD + 1))
		echo "not ok $N - $2${3:+: $3}"
	fi
}

# ok NAME COMMAND...: the command succeeds. Its last lines are shown if not.
ok() {
	local name=$1 out rc
	shift
	out=$("$@" 2>&1)
	rc=$?
	[ $rc = 0 ] || sed 's/^/# /' <<<"$out" | tail -8
	verdict $rc "$name" "status $rc"
}

# fails NAME PATTERN COMMAND...: it fails, and says what matches.
fails() {
	local name=$1 pattern=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc != 0 ] && grep -qE -- "$pattern" <<<"$out"; then
		verdict 0 "$name"
	else
		sed 's/^/# /' <<<"$out" | tail -5
		verdict 1 "$name" "status $rc, wanted an error with: $pattern"
	fi
}

# like NAME PATTERN COMMAND...: it succeeds, and prints what matches.
like() {
	local name=$1 pattern=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc = 0 ] && grep -qE -- "$pattern" <<<"$out"; then
		verdict 0 "$name"
	else
		sed 's/^/# /' <<<"$out" | tail -8
		verdict 1 "$name" "status $rc, wanted: $pattern"
	fi
}

# carried LOG SUM [PREFIX]: what a guest says of its disk, whose first 8 MiB have
# that sum, and of its network.
carried() {
	grep -q "GUEST-BLK sum=$2" "$1"
	verdict $? "${3:-}the disk's bytes are right"
	grep -q 'GUEST-NET .*, 0% packet loss' "$1"
	verdict $? "${3:-}ping has no loss"
}

# What the hypervisor holds: pages that are free or dom0's, dom0's ports.
holdings() {
	echo "$(/lab/pages) pages free, $(lsevtchn 0 2>/dev/null | wc -l) ports"
}

# The same when nothing changes it any more: a guest of the script before this
# one may still be on its way out.
at_rest() {
	local i now last=
	for ((i = 0; i < 30; i++)); do
		now=$(holdings)
		[ "$now" = "$last" ] && break
		last=$now
		nap 0.3
	done
	echo "$now"
}

# as_before BEFORE NOW: the same ports, and the same pages but for those that
# the hypervisor's heap and dom0's nested page tables once needed and keep.
KEPT=${KEPT:-256}
as_before() {
	local less=$((${1%% *} - ${2%% *}))
	[ "${1#*, }" = "${2#*, }" ] && [ $less -le "$KEPT" ] &&
		[ $less -ge "-$KEPT" ]
}
# settled BEFORE: waits for what a dead domain held to come back.
settled() {
	local i=0
	while ! as_before "$1" "$(holdings)" && [ $i -lt 30 ]; do
		nap 0.2
		i=$((i + 1))
	done
	# Who holds it: the hypervisor says it on its console.
	as_before "$1" "$(holdings)" || xl debug-keys mqg
	as_before "$1" "$(holdings)"
	verdict $? "everything a dead domain held is free again" \
		"before: $1; now: $(holdings)"
	echo "# before: $1; now: $(holdings)"
}

# counted: our hypervisor counts PV page tables anew (debug key k), all domains'
# at this moment; another, and one without PV domains, has nothing to say.
counted() {
	local out
	xl debug-keys k
	out=$(xl dmesg | grep 'frames with wrong counts' | tail -4)
	[ -n "$out" ] || return 0
	! grep -vq ': 0 frames' <<<"$out"
	verdict $? "all frames' counts are what page tables say" "$out"
}

done_testing() {
	echo "1..$N"
	exit $((BAD > 0))
}
