#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Beside the host: the device comes when the guest is ready to load a driver for it, goes,
# and comes again.

guest_said 'guest: the device may come$' 60 && vmbhost 'offer hello' &&
	guest_said 'guest: the device may go' 60 && vmbhost 'rescind hello' &&
	guest_said 'guest: the device may come back' 60 && vmbhost 'offer hello'
