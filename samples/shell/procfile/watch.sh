# Writes a line of the ship's log every INTERVAL seconds (10), or as many lines as the first argument says.
set -euo pipefail

lines=${1:-}
interval=${INTERVAL:-10}
finish() {
  echo "The watch ends; lines written: $count."
  exit 0
}

count=0
trap finish TERM INT
echo "${SHIP:-The ship} is on watch, on $(. /etc/os-release && echo "$PRETTY_NAME")."
while [ -z "$lines" ] || [ "$count" -lt "$lines" ]; do
  count=$((count + 1))
  read -r load _ </proc/loadavg
  echo "Line $count: load $load, all well."
  [ "$count" = "$lines" ] && break
  # Waiting for a job, unlike sleep itself, ends at once when a signal comes.
  sleep "$interval" &
  wait $!
done
finish
