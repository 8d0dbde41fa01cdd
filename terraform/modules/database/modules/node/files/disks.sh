#!/bin/bash
# Waits for the EBS volumes that Terraform attaches after the instance has started, formats those that
# are blank, and mounts them. Arguments: VOLUME-ID=FOLDER ... A volume with a file system is never formatted.
set -euo pipefail

# First of all: with their lines here, units that need the folders (RequiresMountsFor) stay off when a volume does
# not come, instead of writing to the machine's own disk.
for pair in "$@"; do
    volume=${pair%%=*}
    grep -q " ${pair#*=} " /etc/fstab \
        || echo "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/} ${pair#*=} ext4 defaults,noatime,nofail 0 2" >> /etc/fstab
done

for pair in "$@"; do
    volume=${pair%%=*}
    folder=${pair#*=}
    # Nitro instances show EBS volumes as NVMe disks; the link is named after the volume, without hyphen.
    device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}
    for ((tries = 0; tries < 300; tries++)); do
        [[ -b $device ]] && break
        sleep 2
    done
    [[ -b $device ]] || { echo "$volume was not attached within ten minutes" >&2; exit 1; }
    if [[ -z $(blkid --probe --output value --match-tag TYPE "$device" || true) ]]; then
        mkfs.ext4 -q -L "$(basename "$folder" | cut -c 1-16)" "$device"
    fi
    install -d -m 0755 "$folder"
    mountpoint -q "$folder" || mount "$folder"
    # A volume that was made larger: its file system follows.
    resize2fs "$device" > /dev/null 2>&1 || true
done
