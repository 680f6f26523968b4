# SPDX-License-Identifier: MIT
# Sourced by tests/run and try, in the source tree: packages and the build.
# Nothing here asks a question; every step has a bound.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

# wanted_packages [SECTION...]: of tests/packages; all of it unless said.
wanted_packages() {
	awk -v want=" $* " '/^# [a-z-]+:/ { in_it = want == "  " ||
		index(want, " " substr($2, 1, length($2) - 1) " ") }
		!/^#/ && in_it' tests/packages
}

missing_packages() {
	local p
	for p in $(wanted_packages "$@"); do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null |
			grep -q '^install ok installed' || echo "$p"
	done
}

# install_packages [SECTION...]: what is missing, saying which; root only.
# Fails if some remain.
install_packages() {
	local missing
	missing=$(missing_packages "$@" | sort -u | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "# these packages are missing, and only root can install them:"
		echo "#   apt-get install $missing"
		return 1
	fi
	echo "# installing: $missing"
	# In the foreground's group, so that Ctrl-C reaches them.
	timeout --foreground 300 apt-get update -qq -o Acquire::Retries=3 ||
		return 1
	timeout --foreground 600 apt-get install -y -qq \
		--no-install-recommends -o Acquire::Retries=3 \
		-o Dpkg::Use-Pty=0 $missing
}

# generated: configure and what it needs are there.
generated() {
	if [ ! -x configure ] || [ configure.ac -nt configure ]; then
		timeout --foreground 300 ./autogen.sh
	fi
}

# configured DIR CONFIGURE-WORDS...: a tree to build in.
configured() {
	local dir=$1
	shift
	mkdir -p "$dir"
	(
		cd "$dir" || exit 1
		[ -f config.status ] && [ ! ../configure -nt config.status ] ||
			timeout --foreground 300 ../configure "$@"
	)
}

# build_tree DIR CONFIGURE-WORDS...: configures if needed, and makes.
build_tree() {
	generated && configured "$@" &&
		timeout --foreground 900 make -j"$(nproc)" -C "$1"
}

# shown WHAT LOG COMMAND...: the output goes to LOG; what it is at is seen all
# the time, on one line of a terminal, else every ten seconds. If it fails, the
# log's end is shown.
shown() {
	local what=$1 log=$2 from=$SECONDS ticker status
	shift 2
	: >"$log"
	ticker "$what" "$log" $$ &
	ticker=$!
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	kill $ticker 2>/dev/null
	wait $ticker 2>/dev/null
	[ ! -t 1 ] || printf '\r\033[K'
	if [ $status -gt 128 ]; then
		return $status # stopped
	elif [ $status != 0 ]; then
		tail -n 30 "$log"
		echo "# $what: failed; the whole log is $log"
	elif [ $((SECONDS - from)) -gt 2 ]; then
		echo "# $what: $((SECONDS - from)) s"
	fi
	return $status
}

# ticker WHAT LOG PID: as long as PID, who started it, is there.
ticker() {
	local from=$SECONDS last
	while sleep 1 && kill -0 "$3" 2>/dev/null; do
		last=$(tail -n 1 "$2" | tr -d '\r' | cut -c 1-50)
		if [ -t 1 ]; then
			printf '\r\033[K# %s: %d s: %s' "$1" \
				$((SECONDS - from)) "$last"
		elif [ $(((SECONDS - from) % 10)) = 0 ]; then
			echo "# $1: $((SECONDS - from)) s: $last"
		fi
	done
}
