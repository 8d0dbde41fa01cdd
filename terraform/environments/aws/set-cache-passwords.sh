#!/usr/bin/env bash
# Gives the cache's users the passwords of Secrets Manager and switches them on. `terraform apply` runs it
# after the first apply and after secrets_version was raised; by hand, in this folder, it does the same
# again and changes nothing else. Needs aws and jq; by hand terraform, too.
set -eu -o pipefail
cd "$(dirname "$0")"
for program in aws jq; do
    if ! command -v "$program" > /dev/null; then
        echo "set-cache-passwords.sh: $program is missing: install it and apply again, or set configure_cache = false" >&2
        exit 1
    fi
done

region=${REGION:-$(terraform output -raw region)}
users=${CACHE_USERS:-$(terraform output -json cache_users)}
for id in $(jq --raw-output 'keys[]' <<< "$users"); do
    name=${id##*-}
    prefix=${id%-*}
    case $name in
        monitor) secret=$prefix-redis key=monitor_password ;;
        *) secret=$prefix-$name key=redis_password ;;
    esac
    # By a file that only we can read: arguments show in the process list.
    aws secretsmanager get-secret-value --region "$region" --secret-id "$secret" --query SecretString --output text \
        | jq --arg id "$id" --arg key "$key" --argjson users "$users" \
            '{UserId: $id, AccessString: $users[$id], AuthenticationMode: {Type: "password", Passwords: [.[$key] // error("no \($key)")]}}' \
        | aws elasticache modify-user --region "$region" --cli-input-json file:///dev/stdin > /dev/null
    # One after the other: users of a group that is being changed are refused.
    for _ in $(seq 60); do
        status=$(aws elasticache describe-users --region "$region" --user-id "$id" --query 'Users[0].Status' --output text)
        if [ "$status" = active ]; then break; fi
        sleep 5
    done
    if [ "$status" != active ]; then
        echo "set-cache-passwords.sh: $id is $status after five minutes; run this again" >&2
        exit 1
    fi
    echo "$id: on, with the password of $secret"
done
