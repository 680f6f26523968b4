# SPDX-License-Identifier: MIT
# Kernels that are no kernels: each create fails with a reason and leaves
# nothing behind.
. /lab/tap.sh
before=$(at_rest)
cd /run || exit 1
printf 'not a kernel' >k.text
: >k.empty
head -c 100000 /lab/guest-kernel >k.short
head -c 64 /lab/guest/hello >k.header
for k in text empty short header; do
	config bad pvh "/run/k.$k" 'memory=64'
	fails "a kernel that is $k" . xl create -q /run/bad.cfg
done
config bad pvh /run/nothing 'memory=64'
fails "a kernel that is not there" 'nothing' xl create -q /run/bad.cfg
config bad pvh /lab/guest/hello 'memory=1000000'
fails "more memory than the machine has" . xl create -q /run/bad.cfg
config bad pvh /lab/guest/hello 'memory=64' 'ramdisk="/run/nothing"'
fails "an initrd that is not there" 'nothing' xl create -q /run/bad.cfg
fails "no domain is left" 'invalid domain|not exist' xl domid bad
settled "$before"
done_testing
