/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of every function that touches the host, for tools/vmbhost. Each job
 * has offers of its own, told apart by their type; what a job finds goes to the
 * log as lines "guest: ok - ..." or "guest: not ok - ...", and what it counted as
 * a line "guest: account ...", which is compared with the host's.
 */
#ifndef VMBKMCL_GUEST_H
#define VMBKMCL_GUEST_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/printk.h>

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../../tools/vmbhost/client.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* A host under emulation, nested, may be slow; one that has died is slower. */
#define PATIENCE	(20 * HZ)

/* The table that all is called through, as a Windows client would. */
extern KMCL_CLIENT_INTERFACE_V5 kmcl;

enum guest_job {
	JOB_ECHO = 1,
	JOB_EXTERNAL,
	JOB_GPADL,
	JOB_SOURCE,
	JOB_TRANSFER,
	JOB_SILENT,
	JOB_RESCINDED,
	JOB_REFUSED,
	JOB_RINGS_REFUSED,
	JOB_GPADL_REFUSED,
	JOB_LATE,
	JOB_SLOW,
	JOB_MMIO,
	JOB_ENDLESS,
	JOB_PIPE,
	JOB_MUTE_GPADL,
	JOB_MUTE_OPEN,
	JOB_MUTE_TEARDOWN,
	JOB_MUTE_CLOSE,
	JOB_PROMPT,
	JOB_SLOW_SUSPEND,
	JOB_SLOW_HOLDER,
	JOB_UNBOUND,
	JOB_FLOOD_A,
	JOB_FLOOD_B,
	JOB_HIBERNATE,
	JOB_SUBS = 0x20,
	JOB_SUBS_BUSY,
	JOB_SUBS_RESCIND,
	JOB_SUBS_OPENING,
	JOB_SUBS_SLOW,
	JOB_SHARE,
	JOB_BOUNCE = 0x30,
	JOB_BOUNCE_LARGE,
	JOB_BOUNCE_RESCINDED,
	JOB_BOUNCE_SILENT,
	JOB_TRICKS = 0x40,	/* as many as the scenario has */
};

/* One end of a channel, ours. */
struct peer {
	VMBCHANNEL channel;
	const char *name;
	struct completion up;		/* PostStarted has run */
	struct completion down;		/* Closed has run */
	struct completion failed;	/* or the PnP failure callback */
	NTSTATUS failure;
	u32 opened;
	u32 closed;
	bool again;			/* enable it anew when it is closed */

	/* Sent with peer_send(), and completed. */
	atomic_t sent;
	atomic_t completed;
	atomic_t removed;		/* of these, with STATUS_DEVICE_REMOVED */
	atomic_t wrong;			/* completions that were not as expected */
	atomic64_t sent_bytes;

	PFN_VMB_CHANNEL_PROCESS_PACKET process;
	void (*suspend)(struct peer *peer);
	void (*after_close)(struct peer *peer);	/* in EvtChannelClosed */
	void *context;
};

int guest_checks_failed(void);
void guest_check(bool ok, const char *job, const char *what);
void guest_stay_loaded(void);
bool guest_eventually(bool (*met)(void *arg), void *arg);
u32 guest_crc32(u32 crc, const u8 *bytes, u32 len);
void guest_fill(u8 *bytes, u32 len, u32 seed);
bool guest_is_filled(const u8 *bytes, u32 len, u32 seed);

/* peer.c */
bool peer_create(struct peer *peer, const char *name, u32 job);
bool peer_create_sub(struct peer *peer, const char *name, struct peer *primary, u16 index);
bool peer_target(struct peer *peer, u32 job, const GUID *instance);
bool peer_enable(struct peer *peer);
bool peer_open(struct peer *peer, const char *name, u32 job);
void peer_close(struct peer *peer);
NTSTATUS peer_send_echo(struct peer *peer, u32 len, u32 seed, u32 flags);
bool peer_all_completed(struct peer *peer);
extern const GUID guest_type;

static inline bool peer_check(struct peer *peer, bool ok, const char *what)
{
	guest_check(ok, peer->name, what);
	return ok;
}

/* slow_client.c */
bool prompt_rescind(struct peer *prompt);

/* The jobs. */
void job_echo(void);
void job_pipe(void);
void job_slow(void);
void job_external(void);
void job_gpadl(void);
void job_mmio(void);
void job_requests(void);
void job_source(void);
void job_transfer(void);
void job_share(void);
void job_rescinded(void);
void job_refused(void);
void job_late(void);
void job_mute_begin(void);
void job_mute_end(void);
void job_slow_clients(void);
void job_unbind(void);
void job_flood(void);
void job_subs(void);
void job_endless_begin(void);
void job_endless_end(void);
void job_pool(void);
void job_bounce(void);
void job_hibernate_begin(void);
void job_hibernate_end(void);
void job_tricks(u32 tricks, u32 seconds);

#endif
