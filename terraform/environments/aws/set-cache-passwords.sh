#!/usr/bin/env bash
# Gives the cache's users the passwords of Secrets Manager and switches them on. Run it in this folder
# after the first apply and after raising secrets_version. Needs aws, jq, terraform.
set -eu -o pipefail
cd "$(dirname "$0")"

region=$(terraform output -raw region)
users=$(terraform output -json cache_users)
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
            '{UserId: $id, AccessString: $users[$id], AuthenticationMode: {Type: "password", Passwords: [.[$key]]}}' \
        | aws elasticache modify-user --region "$region" --cli-input-json file:///dev/stdin > /dev/null
    echo "$id: on, with the password of $secret"
done
