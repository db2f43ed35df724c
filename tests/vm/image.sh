#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image.sh FOLDER: a machine of this Debian release for qemu in FOLDER: disk.img, vmlinuz, initrd.img.
# It starts guest.sh of what is mounted as the share, and powers off.
set -eu
folder=$1
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
packages=systemd,systemd-sysv,dbus,udev,kmod,linux-image-amd64,bluez,bluez-test-tools
packages=$packages,python3,python3-dbus,python3-gi
# What the programs of the build are linked with.
packages=$packages,libcoap3,libgnutls30,libmodbus5,libyaml-0-2,libsystemd0,libjansson4,libexpat1,libpcre2-8-0,libseccomp2,libmicrohttpd12,libcurl3-gnutls,ca-certificates
[ $# -eq 1 ] || packages=$packages,$2

root=$folder/root
rm -rf "$root"
mmdebstrap --quiet --variant=minbase --include="$packages" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$folder/root.tar"
mkdir "$root"
tar -xf "$folder/root.tar" -C "$root"
rm "$folder/root.tar"

echo 'fieldway-vm' >"$root/etc/hostname"
printf '127.0.0.1\tlocalhost fieldway-vm\n' >"$root/etc/hosts"
cat >"$root/etc/systemd/system/share.service" <<'END'
[Unit]
Description=The script of the share
After=dbus.service systemd-udevd.service
Wants=dbus.service

[Service]
Type=oneshot
ExecStartPre=modprobe 9pnet_virtio
ExecStartPre=mkdir -p /mnt/share
ExecStartPre=mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /mnt/share
ExecStart=/bin/sh -c 'sh /mnt/share/guest.sh >/mnt/share/output 2>&1; echo $? >/mnt/share/status'
ExecStopPost=systemctl poweroff --force --force

[Install]
WantedBy=multi-user.target
END
ln -s ../share.service "$root/etc/systemd/system/multi-user.target.wants/share.service"
rm -f "$root"/etc/systemd/system/*.wants/apt-daily*.timer "$root"/etc/systemd/system/*.wants/e2scrub*

cp -L "$root"/boot/vmlinuz-* "$folder/vmlinuz"
cp -L "$root"/boot/initrd.img-* "$folder/initrd.img"
rm -rf "$root"/boot/* "$root"/var/cache/apt "$root"/var/lib/apt/lists
mke2fs -q -F -t ext4 -d "$root" "$folder/disk.img" 2G
rm -rf "$root"
