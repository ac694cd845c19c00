#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Beside the host: the offer that comes late comes when the client waits for it, and
# the mute one is withdrawn when the client has seen that others go on.

guest_said 'guest: the late offer may come' && vmbhost 'offer late'
guest_said 'guest: ok - mute: another device opens' && vmbhost 'rescind mute'
