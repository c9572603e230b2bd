# Waits for the first line that Envoy writes into the pipe for access logs, and then lets a helper send it and what follows
# (send-access-logs.ts). Most proxies never have such a line, and a helper takes 50 MB: so it goes again when there has
# been none for a while. Usage: sh watch-access-logs.sh SETTINGS (see supervise.sh)
. "$1"
# Ctrl-C in a terminal reaches all of its processes, and the last lines are still to come.
trap '' INT HUP

# Both ends: nobody who opens one has to wait for the other, and no line is lost between two helpers.
exec 3<>"$ACCESS_LOG_PIPE"
while IFS= read -r first <&3; do
  [ "$first" != "$ACCESS_LOG_END" ] || exit 0
  # By standard input, because everybody may see the arguments of a process.
  printf '%s\n' "$first" | helper access-logs 3<&-
  # That helper saw the end.
  [ $? -ne "$ENDED" ] || exit 0
done
