# Keeps one Envoy running, in the 1.6 MB that a shell takes: starts it, starts it again when it ends, drains it when it
# is to stop. What needs more than a shell is left to short-lived helpers (helper.ts).
#
# Usage: sh supervise.sh SETTINGS
# SETTINGS (shell-settings.ts writes it) has WORK_DIR TEMPORARY OWN_FILES LINE DELAYS HEALTHY_AFTER, TOKEN_FILE (empty:
# there is none) TOKEN_COPY TOKEN_CHECK, and the functions start_envoy, which becomes Envoy in a session of its own so
# that Ctrl-C reaches only this shell, helper, and for access logs ACCESS_LOG_PIPE (empty: there is none) ACCESS_LOG_END
# ENDED and watch_access_logs.
#
# Signals: the first TERM, INT or HUP drains, the second ends at once. A trap may run at any moment between two commands,
# so nothing below relies on a signal interrupting it: the trap starts the drain, the drain ends Envoy, the wait for
# Envoy ends. Exit code: 0 after a clean drain, otherwise Envoy's own, or 128 + the number of the second signal.
. "$1"
# Envoy writes local time without saying so.
TZ=UTC
export TZ

# Whoever reads what this says may be gone; that must not end the shell and leave Envoy alone.
trap '' PIPE

state=running
envoy=
drainer=
watcher=
log_watcher=
failures=0

say() {
  # LINE is a format of ours.
  # shellcheck disable=SC2059
  printf "$LINE" "$(date +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2" >&2
}

begin_drain() {
  [ -z "$drainer" ] || return 0
  # A helper that fails must not leave an Envoy behind that nobody stops. It becomes Node, so it has a shell of its own.
  { (helper drain "$envoy") || { code=$?; kill -TERM "$envoy" 2>/dev/null; exit "$code"; }; } &
  drainer=$!
}

# Reads the first line of a file into $line, without the blanks around it; empty when there is none.
read_line() {
  line=
  { read -r line <"$1"; } 2>/dev/null
}

# Lets the last lines of access logs out: they stand in the pipe before the word that there are no more.
end_access_logs() {
  [ -n "$ACCESS_LOG_PIPE" ] || return 0
  if [ -n "$log_watcher" ] && kill -0 "$log_watcher" 2>/dev/null; then
    # In a process of its own: a pipe that nobody empties would hold it up.
    printf '%s\n' "$ACCESS_LOG_END" >"$ACCESS_LOG_PIPE" &
    wait "$log_watcher" 2>/dev/null
  fi
  rm -f -- "$ACCESS_LOG_PIPE"
}

# Gives Envoy a renewed token (token-files.ts says why it has a copy). Ends with the shell that started it.
watch_token() {
  trap 'kill "$nap" 2>/dev/null; exit 0' TERM
  umask 077
  read_line "$TOKEN_COPY"
  known=$line
  while kill -0 $$ 2>/dev/null; do
    sleep "$TOKEN_CHECK" &
    nap=$!
    wait "$nap"
    read_line "$TOKEN_FILE"
    [ -n "$line" ] && [ "$line" != "$known" ] || continue
    printf %s "$line" >"$TOKEN_COPY.new" && mv -f "$TOKEN_COPY.new" "$TOKEN_COPY" && known=$line
  done
}

clean_up() {
  cd /
  end_access_logs
  [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
  if [ "$TEMPORARY" = yes ]; then
    rm -rf -- "$WORK_DIR"
  else
    for file in $OWN_FILES; do rm -f -- "$WORK_DIR/$file"; done
    # Envoy leaves the sockets that MeshMetric had it make.
    rm -f -- "$WORK_DIR"/kuma-mm-*.sock
  fi
}

on_signal() {
  if [ "$state" = running ]; then
    state=draining
    [ -z "$envoy" ] || begin_drain
  else
    say warning 'Asked to stop again: ending at once'
    [ -z "$drainer" ] || kill -KILL "$drainer" 2>/dev/null
    [ -z "$envoy" ] || kill -KILL "$envoy" 2>/dev/null
    [ -z "$envoy" ] || wait "$envoy" 2>/dev/null
    # Its helper ends by itself once nobody can write into the pipe any more.
    [ -z "$log_watcher" ] || kill -KILL "$log_watcher" 2>/dev/null
    log_watcher=
    clean_up
    exit "$1"
  fi
}
trap 'on_signal 143' TERM
trap 'on_signal 130' INT
trap 'on_signal 129' HUP

# Waits for a child to the end, however often a signal interrupts; leaves its exit code in $status.
await() {
  while :; do
    # Shells print a word of their own when a child was killed.
    wait "$1" 2>/dev/null
    status=$?
    kill -0 "$1" 2>/dev/null || return 0
  done
}

# In steps of a second, because a trap waits for the running command.
pause() {
  left=$1
  while [ "$left" -gt 0 ] && [ "$state" = running ]; do
    sleep 1
    left=$((left - 1))
  done
}

# The delay for so many failures in a row: the last one of the list when there are more.
next_delay() {
  skip=$failures
  # The list is split into words.
  # shellcheck disable=SC2086
  set -- $DELAYS
  while [ "$skip" -gt 0 ] && [ $# -gt 1 ]; do
    shift
    skip=$((skip - 1))
  done
  delay=$1
}

if [ -n "$TOKEN_FILE" ]; then
  # It must not keep the terminal's or a pipe's end open when everything else is gone.
  watch_token </dev/null >/dev/null 2>&1 &
  watcher=$!
fi

if [ -n "$ACCESS_LOG_PIPE" ]; then
  watch_access_logs "$1" </dev/null >/dev/null &
  log_watcher=$!
fi

status=0
lived=0
while [ "$state" = running ]; do
  start_envoy &
  envoy=$!
  # A signal may have come before there was an Envoy to drain.
  [ "$state" = running ] || begin_drain
  if [ "$status" -eq 0 ]; then
    helper report "$envoy" &
  else
    helper restarted "$envoy" "$status" "$lived" &
  fi
  started=$(date +%s)
  await "$envoy"
  envoy=
  # Envoy ends with 0 only when somebody asked it to (its /quitquitquit): then the proxy's work is done.
  [ "$state" = running ] && [ "$status" -ne 0 ] || break

  lived=$(($(date +%s) - started))
  [ "$lived" -lt "$HEALTHY_AFTER" ] || failures=0
  next_delay
  failures=$((failures + 1))
  say warning "Envoy ended with status $status after $lived s; starting it again in $delay s"
  # One that ran and was killed is back at once, and looked into meanwhile. One that does not come up is looked into
  # first: it may lack nothing but a newer bootstrap.
  [ "$delay" -gt 0 ] || [ "$status" -le 128 ] || continue
  pause "$delay"
  [ "$state" = running ] && (helper crashed "$status" "$lived")
  status=0
done

if [ -n "$drainer" ]; then
  ended=$status
  await "$drainer"
  # A drain that cut something off is no success, even if Envoy's end was a good one.
  [ "$ended" -ne 0 ] || [ "$status" -eq 0 ] || ended=1
  status=$ended
elif [ "$state" = draining ]; then
  # Between two Envoys there is nothing to cut off.
  status=0
fi
clean_up
exit "$status"
