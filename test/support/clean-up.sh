#!/bin/sh
# Waits until standard input closes, which happens however the process at its other end has ended. Then kills every process
# whose environment or arguments name the directory given in the first line, unmounts what is mounted there and removes it.
trap '' HUP INT TERM
read -r directory || exit 0
cat >/dev/null

# Not by an argument of grep: it would find itself.
processes() {
  printf %s "$directory" | grep -lsaF -f - /proc/[0-9]*/environ /proc/[0-9]*/cmdline | cut -d/ -f3 | sort -u
}

# Again and again: a process that is about to be killed may start another one.
for _ in $(seq 100); do
  pids=$(processes)
  [ -n "$pids" ] || break
  # shellcheck disable=SC2086
  kill -KILL $pids 2>/dev/null
  sleep 0.02
done
cut -d' ' -f2 /proc/self/mounts 2>/dev/null | while read -r mounted; do
  case $mounted in "$directory"/*) umount -l "$mounted" ;; esac
done
rm -rf -- "$directory"
