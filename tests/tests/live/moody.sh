#!/bin/sh
# An OCF agent that does what its knobs say: /run/moody/RESOURCE.ACTION holds the exit status of that
# action, or "wait": the action goes on until the file says something else or is gone. The state of each instance is a file.
name=$OCF_RESOURCE_INSTANCE
folder=/run/moody
state=$folder/$name.state
knob=$folder/${name%%:*}.$1
mkdir -p "$folder"

if [ "$1" = meta-data ]; then
    cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="moody" version="1">
  <version>1.1</version>
  <longdesc lang="en">Does what its knobs say.</longdesc>
  <shortdesc lang="en">A moody resource</shortdesc>
  <parameters><parameter name="mood"><longdesc lang="en">Any word</longdesc>
    <shortdesc lang="en">Mood</shortdesc><content type="string" default="calm"/></parameter></parameters>
  <actions>
    <action name="start" timeout="60s"/><action name="stop" timeout="60s"/>
    <action name="promote" timeout="60s"/><action name="demote" timeout="60s"/>
    <action name="migrate_to" timeout="60s"/><action name="migrate_from" timeout="60s"/>
    <action name="monitor" timeout="60s" interval="10s"/><action name="meta-data" timeout="5s"/>
  </actions>
</resource-agent>
XML
    exit 0
fi

while word=$(cat "$knob" 2>/dev/null); do
    [ "$word" = wait ] || exit "$word"
    sleep 0.1
done

case $1 in
start | migrate_from)
    echo running >"$state"
    # Only a promotable clone has a use for it.
    case $name in twin*) crm_attribute --promotion --update "$([ "$(uname -n)" = maitre ] && echo 10 || echo 5)" ;; esac
    ;;
notify) ;;
stop | migrate_to) rm -f "$state" ;;
promote) echo promoted >"$state" ;;
demote) echo running >"$state" ;;
monitor)
    case $(cat "$state" 2>/dev/null) in
    running) exit 0 ;;
    promoted) exit 8 ;;
    *) exit 7 ;;
    esac
    ;;
*) exit 3 ;;
esac
