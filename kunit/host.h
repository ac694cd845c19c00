/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host made by hand, for what a real one cannot be made to do: it offers and
 * rescinds on demand, stops reading, lies about lengths, forges ids.
 *
 * Only the host is a fake. The rings are those of a struct vmbus_channel; the
 * code under test writes them with the real vmbus_sendpacket() and reads them
 * itself. The host's own reading and writing of the rings
 * shares no code with either.
 */
#ifndef VMBKMCL_KUNIT_HOST_H
#define VMBKMCL_KUNIT_HOST_H

#include <kunit/test.h>

#include "kunit_compat.h"
#include "../transport/hv.h"
#include "frame.h"

struct host {
	struct list_head node;
	struct kunit *test;
	struct kmcl_hv_link hv;
	struct vmbus_channel channel;
	struct hv_device dev;	/* for the DMA API */
	struct kmcl_link_params params;	/* as asked for by the client */
	struct mutex rings;	/* held while the rings are made, freed or served */
	struct page **send_pages;
	struct page **recv_pages;
	u32 room;		/* of the outgoing ring, while the host has read all */
	guid_t type;
	guid_t instance;
	struct mutex lock;	/* guards the next two, and the making of an offer */
	bool offered;		/* a channel that watches finds the offer */
	bool accepted;		/* a channel has taken the last offer */
	bool held;		/* another driver has the device */
	int open_error;		/* what opening gives */
	bool unclosed;		/* it was not told of a close */
	u32 fail_nth;		/* the worker's allocation that is to fail next */
	bool fail_hit;		/* ... and whether there was one by the opening */
	bool open;		/* guarded by @rings */
	u32 opens;
	u32 closes;
	u32 watches;
	u32 reads;		/* how often the guest began to read */
	u64 mmio_start;
	u64 mmio_size;
	struct device *device;	/* of the offer */
	bool no_external;	/* takes no packets that describe memory */
	bool no_room;		/* as if the outgoing ring were full */
	bool bounces;		/* must not see the memory of packets itself */
	/* Takes packets in place of the ring; as the transport's operation. */
	int (*on_send)(struct host *host, const void *data, u32 len);
	/* One that wants a completion is in the ring; the guest does not know yet. */
	void (*on_sent)(struct host *host);
	void *private;		/* a case's own */
	struct completion released;

	/* GPADLs: what the host was told of, and has not been told to forget. */
	struct kmcl_gpadl *gpadls[8];
	atomic_t last_gpadl;
	u32 gpadls_created;
	int gpadl_error;	/* what creating one gives */
	int gpadl_delete_error;	/* what deleting one gives */
	struct completion *gpadl_mapped;	/* a deletion waits for this */
	bool gpadl_deleting;
};

struct host_packet {
	u16 type;
	u16 flags;
	u64 id;
	u32 head_len;		/* of all headers */
	u8 head[1024];		/* their beginning */
	u32 len;		/* of the payload, with padding */
	u8 payload[2048];	/* its beginning */
};

struct page **host_ring_alloc(struct hv_ring_buffer_info *ring, u32 bytes);
void host_ring_free(struct hv_ring_buffer_info *ring, struct page **pages);
struct host *host_create(struct kunit *test);
void host_offer(struct host *host);
void host_rescind(struct host *host);
void host_withdraw(struct host *host);
void host_sleep(struct host *host);

bool host_read(struct host *host, struct host_packet *pkt);
u32 host_skip_all(struct host *host);
void host_serve(struct host *host);
void host_write(struct host *host, u16 type, u16 flags, u64 id,
		const void *payload, u32 len);
void host_write_bytes(struct host *host, const void *bytes, u32 len);
void host_write_head(struct host *host, u16 type, u16 flags, u64 id,
		     const void *head, u32 head_len, const void *payload, u32 len);
void host_signal(struct host *host);
struct kmcl_gpadl *host_gpadl(struct host *host, u32 handle);
u32 host_gpadls(struct host *host);
u32 host_gpadl_frames(struct host *host, const struct kmcl_gpadl *gpadl);
u64 host_gpadl_frame(const struct kmcl_gpadl *gpadl, u32 i);

/* How many bytes of room the guest wants to be told of; 0 if it does not. */
static inline u32 host_wanted_room(struct host *host)
{
	return READ_ONCE(host->channel.outbound.ring_buffer->pending_send_sz);
}

/* Does the guest want a signal for the next packet? */
static inline bool host_may_signal(struct host *host)
{
	return !READ_ONCE(host->channel.inbound.ring_buffer->interrupt_mask);
}

static inline void host_complete(struct host *host, u64 id, const void *payload,
				 u32 len)
{
	host_write(host, KMCL_WIRE_COMPLETION, 0, id, payload, len);
	host_signal(host);
}

#endif
