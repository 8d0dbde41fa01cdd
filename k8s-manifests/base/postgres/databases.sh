#!/bin/sh
# The services' databases and roles, and everybody's password as the secrets have it. The image runs
# it while nobody else can reach the server of a volume that was empty; later provision.sh does.
(
    set -eu
    export PGHOST=/var/run/postgresql PGUSER=titanium PGDATABASE=postgres
    for database in $DATABASES; do
        OWNER="${database}_owner" RUNTIME=$database psql --no-psqlrc --quiet \
            --variable="owner=${database}_owner" --variable="runtime=$database" \
            --variable="database=$database" --file=/etc/titanium/provision.sql
    done
    psql --no-psqlrc --quiet --file=/etc/titanium/monitor.sql
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file=- << 'SQL'
\set password `cat /run/secrets/postgres/password`
ALTER ROLE titanium PASSWORD :'password';
SQL
)
