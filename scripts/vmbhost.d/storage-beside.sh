# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Beside the guest: withdraws a disk when storage.sh says so. It comes back by itself.

guest_said 'withdraw it$' 240 && vmbhost 'rescind leaving' &&
	guest_said 'withdraw it under load' 60 && vmbhost 'rescind leaving' &&
	guest_said 'its disk was withdrawn' 60
