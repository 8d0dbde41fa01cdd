#!/bin/sh
# Runs after every start of the server (postStart): a database that a new service needs appears
# with the next roll-out, and a changed password is taken up. What it says is in the server's log.
set -eu
exec > /proc/1/fd/1 2>&1
export PGHOST=127.0.0.1 PGUSER=titanium PGCONNECT_TIMEOUT=2
PGPASSWORD=$(cat /run/secrets/postgres/password)
export PGPASSWORD
# Over TCP: while the image prepares an empty volume, its server listens on a socket only.
tries=0
until psql --no-psqlrc --dbname=postgres --quiet --command='SELECT 1' > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ]; then
        echo "provision: the server did not answer within two minutes"
        exit 1
    fi
    sleep 1
done
for database in $DATABASES; do
    OWNER="${database}_owner" RUNTIME=$database psql --no-psqlrc --dbname=postgres --quiet \
        --variable="owner=${database}_owner" --variable="runtime=$database" \
        --variable="database=$database" --file=/etc/titanium/provision.sql
done
psql --no-psqlrc --dbname=postgres --quiet --file=/etc/titanium/monitor.sql
echo "provision: $DATABASES are there"
