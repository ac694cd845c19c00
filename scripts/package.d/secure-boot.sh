#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# secure-boot.sh DIR: boots the stock kernel of this tree under Secure Boot, by Debian's
# signed shim and GRUB, with the certificate of this tree's DKMS as a MOK, and loads the
# modules in DIR: vmbkmcl.ko and hello.ko as DKMS has signed them, unsigned.ko without a
# signature. An emulated machine without Hyper-V: the client's channel waits. Prints the
# console; fails if one of them is not treated as it is to be.

set -euo pipefail

modules=$1
work=$(mktemp -d)
cd "$work"

mkdir -p root/bin
cp "$modules"/*.ko root/
cp /usr/bin/busybox root/bin/
cat >root/init <<'INIT'
#!/bin/busybox sh
busybox mount -t proc proc /proc
busybox mkdir /sys && busybox mount -t sysfs sys /sys
busybox mount -t securityfs security /sys/kernel/security
# try MODULE: loaded, or not?
try() {
	if busybox insmod "/$1.ko"; then echo "guest: loaded $1"; else echo "guest: refused $1"; fi
}
busybox grep -F '[integrity]' /sys/kernel/security/lockdown && echo 'guest: locked down'
busybox dmesg | busybox grep 'secureboot: Secure boot enabled' && echo 'guest: Secure Boot'
try vmbkmcl
try unsigned
try hello
busybox rmmod hello vmbkmcl && echo 'guest: unloaded'
busybox poweroff -f
INIT
chmod +x root/init
mkdir root/{proc,dev}
(cd root && find . | busybox cpio -o -H newc) >initrd 2>/dev/null

# The variables of a machine as it is sold, and what mokutil and the firmware's console do.
openssl x509 -inform DER -in /var/lib/dkms/mok.pub -out mok.pem
virt-fw-vars -i /usr/share/OVMF/OVMF_VARS_4M.ms.fd -o vars.fd --sb \
	--add-mok 605dab50-e046-4300-abb6-3dd810dd8b23 mok.pem >/dev/null 2>&1

echo 'linux /vmlinuz console=ttyS0 panic=-1 mitigations=off module.sig_enforce=1
initrd /initrd
boot' >grub.cfg
truncate -s 128M disk
mkfs.vfat -F 32 disk >/dev/null
mmd -i disk ::EFI ::EFI/BOOT ::EFI/debian
mcopy -i disk /usr/lib/shim/shimx64.efi.signed ::EFI/BOOT/BOOTX64.EFI
mcopy -i disk /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed ::EFI/BOOT/grubx64.efi
mcopy -i disk grub.cfg ::EFI/debian/grub.cfg
mcopy -i disk /boot/vmlinuz-* ::vmlinuz
mcopy -i disk initrd ::initrd

timeout 240 qemu-system-x86_64 -accel tcg,thread=multi -machine q35,smm=on \
	-cpu EPYC,-avx,-avx2,-xsave -m 1024 -smp 2 -nodefaults -display none -no-reboot \
	-global driver=cfi.pflash01,property=secure,value=on -global ICH9-LPC.disable_s3=1 \
	-drive if=pflash,format=raw,unit=0,file=/usr/share/OVMF/OVMF_CODE_4M.ms.fd,readonly=on \
	-drive if=pflash,format=raw,unit=1,file=vars.fd \
	-drive if=virtio,format=raw,file=disk,readonly=on -serial file:console 2>/dev/null
tr -d '\r\033' <console
for said in 'Secure Boot' 'locked down' 'loaded vmbkmcl' 'refused unsigned' 'loaded hello' unloaded; do
	grep -q "guest: $said" console || { echo "the guest did not say: $said" && exit 1; }
done
