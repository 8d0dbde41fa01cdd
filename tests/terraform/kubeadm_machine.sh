#!/usr/bin/env bash
# kubeadm_machine.sh FOLDER SCRIPT: runs the user data SCRIPT as root of a machine that is this one's files with an
# empty layer above, thrown away afterwards. FOLDER/programs comes first on PATH and FOLDER is /machine; what
# the script changed under /etc, /usr and /root is copied to FOLDER/changed. In namespaces of its own: nothing
# outside FOLDER changes.
set -eu -o pipefail
folder=$1 script=$2
mount -t tmpfs tmpfs "$folder/layer"
mkdir "$folder"/layer/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layer/upper,workdir=$folder/layer/work" "$folder/layer/root"
root=$folder/layer/root
mkdir "$root/machine"
mount --bind "$folder" "$root/machine"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir "$root/etc/kubernetes"
[ -e "$folder/joined" ] && touch "$root/etc/kubernetes/kubelet.conf" "$root/etc/kubernetes/admin.conf"
status=0
env -i PATH=/machine/programs:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" bash -c "umask 022; bash /machine/$script" \
    || status=$?
mkdir -p "$folder/changed"
for part in etc usr root; do
    if [ -d "$folder/layer/upper/$part" ]; then cp --archive "$folder/layer/upper/$part" "$folder/changed/"; fi
done
exit "$status"
