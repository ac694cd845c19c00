#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Beside the host: what it does when the guest has got so far. What does not come about
# the guest misses.

guest_said 'guest: the heartbeat may go' && vmbhost 'rescind heartbeat' &&
	vmbhost 'offer heartbeat' &
guest_said 'guest: there is no hibernation' && vmbhost 'hibernate shutdown' &
guest_said 'guest: it may be restarted' && vmbhost 'restart shutdown' &
guest_said 'guest: it may be shut down' && vmbhost 'shutdown shutdown' &
wait
