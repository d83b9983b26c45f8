#!/bin/sh
### BEGIN INIT INFO
# Provides:          @NAME@
# Required-Start:    $network
# Required-Stop:     $network
# Default-Start:
# Default-Stop:
# Short-Description: small service in the place of @NAME@
### END INIT INFO
# Exit statuses as the LSB has them: status 0 running, 1 dead with a pid file, 3 not running.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
pidfile=/run/@NAME@.pid
program=/usr/local/sbin/sphynx-service

pid() {
    [ -s "$pidfile" ] || return 1
    read -r pid <"$pidfile"
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q "sphynx-service serve @NAME@ "
}
answers() {
    "$program" ask @NAME@ @PROTOCOL@ @PORT@ >/dev/null 2>&1
}
# Until it does, or is given up after 10 s: half the time limit that the cluster has.
wait_for() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || return 1
        sleep 0.05
    done
}
gone() {
    ! pid
}

case $1 in
start)
    if pid && answers; then exit 0; fi
    setsid "$program" serve @NAME@ @PROTOCOL@ @PORT@ </dev/null >/dev/null 2>&1 &
    echo "$!" >"$pidfile"
    wait_for answers || exit 1
    ;;
stop)
    if pid; then
        kill "$pid"
        wait_for gone || exit 1
    fi
    rm -f "$pidfile"
    ;;
status)
    if pid && answers; then exit 0; fi
    [ ! -e "$pidfile" ] || exit 1
    exit 3
    ;;
restart | force-reload)
    "$0" stop && exec "$0" start
    ;;
*)
    echo "usage: $0 start|stop|status|restart|force-reload" >&2
    exit 2
    ;;
esac
