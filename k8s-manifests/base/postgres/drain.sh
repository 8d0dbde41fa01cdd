#!/bin/sh
# Runs before the server is stopped (preStop). SIGTERM lets nobody in any more and leaves those who
# are in alone. This session, begun before, then ends the others, each when it has waited a moment
# for its next statement, so that no request is cut off; a shorter moment each time, because a busy
# client leaves none. After eight seconds SIGINT ends them all.
set -eu
# What it says is in the server's log, where the runtime lets others write to that.
if (: > /proc/1/fd/1) 2> /dev/null; then exec > /proc/1/fd/1 2>&1; fi
export PGHOST=/var/run/postgresql PGUSER=titanium PGDATABASE=postgres
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file=- << 'SQL'
SET client_min_messages = warning;
\! kill -TERM 1
DO $$
DECLARE
    moment interval;
BEGIN
    FOR turn IN 1..150 LOOP
        moment := make_interval(secs => (150 - turn) / 1000.0);
        PERFORM pg_stat_clear_snapshot();
        PERFORM CASE WHEN state = 'idle' AND state_change < clock_timestamp() - moment
                     THEN pg_terminate_backend(pid) END
           FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();
        EXIT WHEN NOT FOUND;
        PERFORM pg_sleep(0.05);
    END LOOP;
END $$;
SQL
echo "drain: the clients have been sent away"
