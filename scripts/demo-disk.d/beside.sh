# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=busybox
#
# Beside the host: takes the controller away while the guest is writing, and offers it again.

set -e

guest_said 'writing, with the controller there' 100
say 'rescind disks'
vmbhost 'rescind disks'
guest_said 'still writing, without it' 60
say 'offer disks'
vmbhost 'offer disks'
