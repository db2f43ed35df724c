#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# root.sh SUITE FOLDER: a Debian of that release in FOLDER, as systemd-nspawn boots it, with what
# the programs are linked with and what the scenarios need. As root.
set -eu
suite=$1
folder=$2
packages=systemd,systemd-sysv,dbus,polkitd,python3-minimal,libpython3-stdlib
packages=$packages,libmodbus5,libyaml-0-2,libsystemd0,libjansson4,libexpat1,libpcre2-8-0,libseccomp2
case $suite in
bookworm) packages=$packages,libcoap3,libgnutls30,libmicrohttpd12,libcurl3-gnutls,ca-certificates ;;
*) packages=$packages,libcoap3t64,libgnutls30t64,libmicrohttpd12t64,libcurl3t64-gnutls,ca-certificates ;;
esac

rm -rf --one-file-system "$folder"
mkdir -p "$(dirname "$folder")"
# The host's mirror, named for this release.
mmdebstrap --quiet --variant=minbase --include="$packages" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$folder.tar"
mkdir "$folder"
tar -xf "$folder.tar" -C "$folder"
rm "$folder.tar"

echo fieldway-test >"$folder/etc/hostname"
printf '127.0.0.1\tlocalhost fieldway-test\n' >"$folder/etc/hosts"
: >"$folder/etc/machine-id"
mkdir "$folder/source" "$folder/build" "$folder/share" "$folder/packages"
cat >"$folder/etc/systemd/system/share.service" <<'END'
[Unit]
Description=The script of the share
After=dbus.service multi-user.target
Wants=dbus.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'sh /share/guest.sh >/share/output 2>&1; echo $? >/share/status'
ExecStopPost=systemctl poweroff --force --force
StandardInput=null
END
mkdir -p "$folder/etc/systemd/system/graphical.target.wants"
ln -s ../share.service "$folder/etc/systemd/system/graphical.target.wants/share.service"
rm -f "$folder"/etc/systemd/system/*.wants/apt-daily*.timer "$folder"/etc/systemd/system/*.wants/e2scrub*
rm -rf "$folder"/var/cache/apt "$folder"/var/lib/apt/lists
