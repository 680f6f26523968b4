# SPDX-License-Identifier: MIT
# Sourced by tests/run and try, in the source tree: packages and the build.
# Nothing here asks a question; every step has a bound.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

wanted_packages() {
	sed 's/#.*//' tests/packages
}

missing_packages() {
	local p
	for p in $(wanted_packages); do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null |
			grep -q '^install ok installed' || echo "$p"
	done
}

# Installs what is missing, saying which; root only. Fails if some remain.
install_packages() {
	local missing
	missing=$(missing_packages | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "# these packages are missing, and only root can install them:"
		echo "#   apt-get install $missing"
		return 1
	fi
	echo "# installing: $missing"
	timeout 300 apt-get update -qq -o Acquire::Retries=3 || return 1
	# No service of a package is to start here.
	timeout 600 apt-get install -y -qq --no-install-recommends \
		-o Acquire::Retries=3 -o Dpkg::Use-Pty=0 $missing >/dev/null
}

# build_tree DIR CONFIGURE-WORDS...: configures if needed, and makes.
build_tree() {
	local dir=$1
	shift
	if [ ! -x configure ] || [ configure.ac -nt configure ]; then
		timeout 300 ./autogen.sh || return 1
	fi
	mkdir -p "$dir"
	(
		cd "$dir" || exit 1
		if [ ! -f config.status ] || [ ../configure -nt config.status ]; then
			timeout 300 ../configure "$@" || exit 1
		fi
		timeout 900 make -j"$(nproc)"
	)
}
