#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Beside the host: the offer that comes late comes when the client waits for it, and the
# mute ones are withdrawn when the client has seen that others go on. What does not come
# about the client misses.

guest_said 'guest: the late offer may come' 150 && vmbhost 'offer late' &
guest_said 'guest: mute offers may go' 150 &&
	for what in open gpadl teardown close; do
		vmbhost "rescind mute-$what"
	done &
wait
