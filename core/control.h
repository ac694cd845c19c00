/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What opens, closes, offers, saves and restores channels.
 */
#ifndef VMBKMCL_CONTROL_H
#define VMBKMCL_CONTROL_H

#include "data.h"

/* control.c */
void kmcl_control_init(struct kmcl_channel *chan);
void kmcl_control_disable(struct kmcl_channel *chan);
u64 kmcl_control_ask_disable(struct kmcl_channel *chan);

/* state.c: the steps of control.c's worker, which alone calls them */
void kmcl_state_set(struct kmcl_channel *chan, enum kmcl_state to, enum kmcl_why why);
NTSTATUS kmcl_state_open(struct kmcl_channel *chan);
void kmcl_state_start(struct kmcl_channel *chan);
void kmcl_state_suspend(struct kmcl_channel *chan, bool closes);
void kmcl_state_close(struct kmcl_channel *chan);

/* watchdog.c */
void kmcl_watchdog_init(struct kmcl_channel *chan);
void kmcl_watchdog_end(struct kmcl_channel *chan);
void kmcl_step(struct kmcl_channel *chan, enum kmcl_step step);
const char *kmcl_step_text(enum kmcl_step step);

/* link.c */
void kmcl_link_set_gone(struct kmcl_channel *chan);

/* offer.c */
#define KMCL_TRANSPORTS	3

void kmcl_offer_list_add(struct kmcl_channel *chan);
void kmcl_offer_list_del(struct kmcl_channel *chan);
bool kmcl_offer_watch(struct kmcl_channel *chan);
void kmcl_offer_unwatch(struct kmcl_channel *chan);
bool kmcl_offer_unwatched(const struct kmcl_channel *chan);
void kmcl_offer_settle(struct kmcl_channel *chan);
int kmcl_offer_make(struct kmcl_channel *chan);
void kmcl_offer_revoke(struct kmcl_channel *chan);
void kmcl_link_broke(struct work_struct *work);
const struct kmcl_transport *kmcl_transport_hold(int i);

/* device.c */
void kmcl_devices_transport_added(void);

/* subchannel.c */
extern spinlock_t kmcl_subs_lock;
void kmcl_subs_init(struct kmcl_channel *chan);
void kmcl_subs_open(struct kmcl_channel *chan);
void kmcl_subs_close(struct kmcl_channel *chan);
void kmcl_subs_start(struct kmcl_channel *chan);
void kmcl_subs_pause(struct kmcl_channel *chan);
void kmcl_subs_ask_close(struct kmcl_channel *chan);
void kmcl_subs_end(struct kmcl_channel *chan);
bool kmcl_subs_in_callback(struct kmcl_channel *chan, const char *function);
NTSTATUS kmcl_sub_enable(struct kmcl_channel *chan);
void kmcl_sub_disabled(struct kmcl_channel *chan);
void kmcl_sub_wake_primary(struct kmcl_channel *chan);
bool kmcl_sub_takes(const struct kmcl_channel *chan, const struct kmcl_link *primary,
		    u16 index);
void kmcl_sub_name_offer(struct kmcl_channel *chan);

/* server.c; claims under the control lock */
void kmcl_server_init(struct kmcl_channel *chan);
bool kmcl_server_claim(struct kmcl_channel *chan);
void kmcl_server_unclaim(struct kmcl_channel *chan);
void kmcl_server_publish(struct kmcl_channel *chan);
void kmcl_server_unpublish(struct kmcl_channel *chan);

/* save.c, restore.c */
u64 kmcl_save_parks(struct kmcl_channel *chan);
bool kmcl_save_opens(struct kmcl_channel *chan);
void kmcl_save_over(struct kmcl_channel *chan);
void kmcl_save_end(struct kmcl_channel *chan);
u64 kmcl_restore_id(struct kmcl_channel *chan);
int kmcl_restore_open(struct kmcl_channel *chan);
void kmcl_restore_drop(struct kmcl_channel *chan);
void kmcl_restore_abandon(struct kmcl_channel *chan);

#endif
