#!/bin/bash
# Gives every service its database, its two roles, and the passwords that Secrets Manager has for them now;
# and the exporter its role. Again and again: it changes what is different.
# Arguments: FOLDER-OF-SQL REGION CLIENT-SECRET SERVICE=SECRET ...
# Which server, and who is its administrator, says libpq's environment (PGHOST, PGUSER ...). DONE names a file
# that remembers what was done, so that nothing is done twice. Needs aws, jq, psql.
set -euo pipefail
umask 077

sql=$1 region=$2 client=$3
shift 3
PASSWORDS=$(mktemp -d)
export PASSWORDS
trap 'rm -rf "$PASSWORDS"' EXIT

# password SECRET KEY ROLE
password() {
    aws --region "$region" secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text \
        | jq --raw-output --exit-status --arg key "$2" '.[$key] // empty' > "$PASSWORDS/$3" \
        || { echo "$1 has no $2 yet: trying again later" >&2; exit 1; }
}
run() { psql --no-psqlrc --quiet --dbname postgres "$@" > /dev/null; }

password "$client" monitor_password titanium_monitor
for pair in "$@"; do
    password "${pair#*=}" database_password "${pair%%=*}"
    password "${pair#*=}" database_owner_password "${pair%%=*}_owner"
done

now=$(cat "$sql"/*.sql "$PASSWORDS"/* | sha256sum)
if [[ -n ${DONE:-} && -f $DONE && $(< "$DONE") == "$now" ]]; then
    echo "nothing has changed"
    exit 0
fi
for pair in "$@"; do
    service=${pair%%=*}
    OWNER=${service}_owner RUNTIME=$service run --variable "owner=${service}_owner" \
        --variable "runtime=$service" --variable "database=$service" --file "$sql/provision.sql"
    echo "$service: database, roles and passwords are there"
done
run --file "$sql/monitor.sql"
if [[ -n ${DONE:-} ]]; then echo "$now" > "$DONE"; fi
