#!/usr/bin/env bash
# Tests a DHCP server's configuration before anybody depends on it: the server in a network namespace of its own,
# this script at the other end of a veth pair. Ends with 1 where anything is not as it should be.
#
#   samples/ci/job.sh ADDRESS/BITS TESTS.star SERVER COMMAND…
#   samples/ci/job.sh 10.0.0.1/24 samples/ci/office.star dnsmasq --keep-in-foreground --conf-file=dnsmasq.conf
#
# The server's interface is srv0. Reports and captures go to $OUT (default: the current directory). As a plain user:
#
#   unshare --user --map-root-user --net samples/ci/job.sh …
set -euo pipefail
address=$1 tests=$2
shift 2
out=${OUT:-.}
dhcpcraft=${DHCPCRAFT:-dhcpcraft}

# The server's namespace, kept by a process that says a line as soon as it is in it.
exec 3< <(exec unshare --net sh -c 'echo; exec sleep infinity')
far=$!
server=
trap 'kill $far $server 2>/dev/null' EXIT
read -r -u 3
there() { nsenter --net --target $far "$@"; }

ip link add cli0 type veth peer name srv0 netns $far
ip link set cli0 up
there ip address add "$address" dev srv0
there ip link set lo up
there ip link set srv0 up
# Some servers leave an interface aside that is not running yet.
until there ip link show dev srv0 | grep -q 'state UP'; do sleep 0.05; done
# Not by there(), or the shell around the server would be ended at the end, and not the server.
nsenter --net --target $far "$@" >"$out/server.log" 2>&1 &
server=$!

for _ in {1..40}; do
    if "$dhcpcraft" discover -i cli0 --timeout 500ms --quiet >/dev/null 2>&1; then break; fi
    sleep 0.25
done

failed=0
step() {
    echo "== $*"
    "$dhcpcraft" "$@" || failed=1
}
# Nobody else answers here; the server does what the tests say; its replies go where RFC 2131 wants them.
step servers -i cli0 --allow "${address%/*}"
step test "$tests" -i cli0 --junit "$out/tests.xml" --captures "$out"
step conform -i cli0 --only S-DLV --junit "$out/conform.xml" -w "$out/conform.pcapng" --quiet
[[ $failed == 0 ]] || cat "$out/server.log"
exit $failed
