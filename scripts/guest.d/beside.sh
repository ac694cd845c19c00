#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Beside the host: the offer that comes late comes when the client waits for it.

guest_said 'guest: ok - open refused' && vmbhost 'offer late'
