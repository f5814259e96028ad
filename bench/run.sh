#!/usr/bin/env bash
# A two-phase load test: publish, then look for every acknowledged message at the receiver. See README.md.
#
#   bench/run.sh [OPTION VALUE...]                       builds, starts and measures FuncStash.Server
#   bench/run.sh url BASE TOKEN [PID] [OPTION VALUE...]  measures a server that is already running
#   bench/run.sh ceiling [OPTION VALUE...]               measures the yardstick as if it were the server
#   bench/run.sh kills [--kills 1000] [--seed N] [--longest MS] [--settled MS] [--report NAME]
#                                                        kills the server again and again, and checks that nothing is lost
#   bench/run.sh workflows [--runs 2000] [--sleeping 100000] [--rounds 3] [--connections 32] [--report NAME]
#                                                        runs of five steps beside plain messages, and runs that sleep
#
# --n 20000         messages in the load phase      --rounds 3            rounds; the report has their medians
# --connections 32  of the publisher                --phases load,idle,delayed,retry
# --warmup 10000    messages before it counts       --report NAME         also writes bench/reports/NAME.md
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
bench=$here/load/bin/Release/net10.0/FuncStash.Bench.dll
server=$root/src/FuncStash.Server/bin/Release/net10.0/FuncStash.Server.dll
data='' server_pid='' bench_pid=''

die() { echo "run.sh: $*" >&2; exit 2; }

end() { # PID, started here
  local n
  kill "$1" 2>/dev/null || return 0
  for ((n = 0; n < 100; n++)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

cleanup() {
  [[ -z $bench_pid ]] || end "$bench_pid"
  [[ -z $server_pid ]] || end "$server_pid"
  exec {feed}>&- || true
  [[ -z $data ]] || rm -rf "$data"
}
exec {feed}>/dev/null
trap cleanup EXIT
trap 'exit 130' INT TERM

build() { nice dotnet build -c Release -v q --nologo "$1" >&2 || die "$1 does not build"; }

# Starts a server that prints QSTASH_URL= and QSTASH_TOKEN= once it is ready; sets url, token and server_pid.
start() { # COMMAND...
  local n
  "$@" <"$input" >"$data/server.out" 2>"$data/server.err" &
  server_pid=$!
  for ((n = 0; n < 300; n++)); do
    url=$(sed -n 's/^QSTASH_URL=//p' "$data/server.out" | head -n 1)
    token=$(sed -n 's/^QSTASH_TOKEN=//p' "$data/server.out" | head -n 1)
    [[ -z $url || -z $token ]] || return 0
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$data/server.out" "$data/server.err" >&2
  die "the server was not ready within 30 s"
}

mode=server
case ${1:-} in
  -h | --help) sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  ceiling) mode=ceiling; shift ;;
  kills | workflows) mode=$1; shift ;;
  url)
    (($# >= 3)) || die "usage: run.sh url BASE TOKEN [PID] [OPTION VALUE...]"
    mode=url url=$2 token=$3
    shift 3
    if [[ ${1:-} =~ ^[0-9]+$ ]]; then server_of_others=$1; shift; fi ;;
esac

options=() report=''
while (($#)); do
  (($# >= 2)) || die "$1 needs a value"
  case $mode:$1 in
    *:--report) report=$(basename "$2" .md) ;;
    kills:--kills | kills:--seed | kills:--longest | kills:--settled) options+=("$1" "$2") ;;
    workflows:--runs | workflows:--sleeping | workflows:--rounds | workflows:--connections) options+=("$1" "$2") ;;
    kills:* | workflows:*) die "unknown option $1" ;;
    *:--n | *:--connections | *:--rounds | *:--phases | *:--warmup) options+=("$1" "$2") ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
if [[ -n $report ]]; then
  mkdir -p "$here/reports"
  title='Load test'
  [[ $mode != kills ]] || title='Kill run'
  [[ $mode != workflows ]] || title='Workflows'
  options+=(--report "$here/reports/$report.md" --title "$title: $report")
fi

data=$(mktemp -d "${TMPDIR:-/tmp}/funcstash-bench.XXXXXX")
build "$here/load"
case $mode in
  server)
    build "$root/src/FuncStash.Server"
    mkdir "$data/store"
    input=/dev/null
    start dotnet "$server" --port 0 --data "$data/store"
    what='FuncStash.Server, embedded store, synced before each acknowledgement' pid=$server_pid ;;
  ceiling)
    mkfifo "$data/stdin" # The ceiling ends when its standard input does.
    input=$data/stdin
    exec {feed}<>"$data/stdin"
    start dotnet "$bench" ceiling
    what='the ceiling itself' pid=$server_pid ;;
  kills | workflows) build "$root/src/FuncStash.Server" ;;
  url) what="the server at $url" pid=${server_of_others:-} ;;
esac

commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
[[ -z $(git -C "$root" status --porcelain 2>/dev/null) ]] || commit+=' with changes'

if [[ $mode == kills || $mode == workflows ]]; then
  run=("$mode" --server "$server")
else
  run=(run --url "$url" --token "$token" ${pid:+--pid "$pid"} --server "$what")
fi
# In the background, so that a signal is acted upon at once.
dotnet "$bench" "${run[@]}" --data "$data" --commit "$commit" "${options[@]}" &
bench_pid=$!
status=0
wait "$bench_pid" || status=$?
bench_pid=''
if ((status != 0)) && [[ -s $data/server.err ]]; then tail -n 20 "$data/server.err" >&2; fi
exit "$status"
