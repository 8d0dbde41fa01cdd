#!/bin/sh
# Runs after every start of the server (postStart): a database that a new service needs appears
# with the next roll-out, and a changed password is taken up, the superuser's too.
set -eu
# What it says is in the server's log, where the runtime lets others write to that.
if (: > /proc/1/fd/1) 2> /dev/null; then exec > /proc/1/fd/1 2>&1; fi
# Over TCP: while the image prepares an empty volume, its server listens on a socket only.
# Ten minutes: what a recovery after a crash may take.
tries=0
until pg_isready --host=127.0.0.1 --timeout=2 --quiet; do
    tries=$((tries + 1))
    if [ "$tries" -ge 3000 ]; then
        echo "provision: the server did not answer within ten minutes"
        exit 1
    fi
    sleep 0.2
done
sh /etc/titanium/databases.sh
echo "provision: $DATABASES are there"
