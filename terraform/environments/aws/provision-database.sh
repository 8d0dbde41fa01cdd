#!/usr/bin/env bash
# With RDS: writes the secret titanium-postgres (authorities of RDS, the exporter's password) and gives the
# services their databases, roles and passwords. Run it in this folder, through a tunnel, after the first
# apply and after raising secrets_version; doing it twice changes nothing. Patroni's nodes do this themselves.
# Needs aws, curl, jq, openssl, psql, terraform.
set -eu -o pipefail
cd "$(dirname "$0")"

outputs=$(terraform output -json)
get() { jq --raw-output "$1" <<< "$outputs"; }
if [ "$(get .database.value.mode)" != rds ]; then
    echo "Patroni's nodes make roles and passwords themselves, within five minutes: nothing to do"
    exit 0
fi
region=$(get .region.value)
client=$(get .database.value.secrets.client)
secret() { aws --region "$region" secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
umask 077

# Amazon's own place for its authorities, which change with the region.
curl --fail --silent --show-error --output "$work/ca.crt" \
    "https://truststore.pki.rds.amazonaws.com/$region/$region-bundle.pem"
openssl x509 -in "$work/ca.crt" -noout
# The exporter's password is made once: only where there is no value yet, not where it could not be read.
if ! known=$(secret "$client" 2> "$work/said"); then
    grep -q ResourceNotFoundException "$work/said" || { cat "$work/said" >&2; exit 1; }
    known='{}'
fi
# By a file: arguments show in the process list.
jq --arg new "$(openssl rand -hex 24)" --rawfile ca "$work/ca.crt" \
    '{monitor_password: (.monitor_password // $new), ca_certificate: $ca}' <<< "$known" > "$work/client.json"
aws --region "$region" secretsmanager put-secret-value --secret-id "$client" \
    --secret-string "file://$work/client.json" > /dev/null

administrator=$(secret "$(get .database.value.secrets.administrator)")
PGHOST=$(get .database.value.writer | cut -d : -f 1)
PGUSER=$(jq --raw-output .username <<< "$administrator")
PGPASSWORD=$(jq --raw-output .password <<< "$administrator")
export PGHOST PGUSER PGPASSWORD PGPORT="${PGPORT:-5432}" PGSSLMODE=verify-full PGSSLROOTCERT="$work/ca.crt"
mapfile -t pairs < <(get '.database.value.services | to_entries[] | "\(.key)=\(.value)"')
# What the nodes of Patroni run, too.
node=../../modules/database/modules/node
"$node/files/provision.sh" "$node/sql" "$region" "$client" "${pairs[@]}"
