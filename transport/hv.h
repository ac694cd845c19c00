/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the hv_vmbus transport share. */
#ifndef VMBKMCL_HV_H
#define VMBKMCL_HV_H

#include <linux/hyperv.h>
#include <linux/kref.h>
#include <linux/notifier.h>
#include <linux/workqueue.h>

#include "hv_compat.h"
#include "transport.h"
#include "wire.h"

/*
 * A VMBus device that a channel uses, or a sub-channel of one. Referenced by the device
 * while it is bound to a driver of ours (a sub-channel: while it is in hv_sub.c's list),
 * and by the core until it releases the link.
 */
struct kmcl_hv_link {
	struct kmcl_link link;
	struct kref ref;
	struct list_head node;		/* in kmcl_hv_class.released */
	struct hv_device *dev;		/* a reference is held */
	bool bound;			/* guarded by the device's lock */
	struct vmbus_channel *channel;
	struct kmcl_hv_link *primary;	/* of a sub-channel; a reference is held */
	/* The next three are guarded by kmcl_hv_sub_lock. */
	struct list_head sub_node;
	bool orphaned;			/* its primary's device is taken from this driver */
	bool rescinded;			/* and the core has been told */
	struct mutex rings;		/* held while they are opened or closed */
	bool open;			/* guarded by @rings, as are the next two */
	struct kmcl_spare_rings *spare;	/* the channel's, or NULL */
	bool gone;			/* the device is another driver's, or away */
	struct vmbus_channel *stand_in;	/* see kmcl_hv_disconnect() */
	u32 own_cpu;			/* hv_vmbus' choice of a processor */
	/* The reader's, in bytes of the ring: */
	u32 cur;			/* the packet last read, */
	u32 avail;			/* and what is known to be there, from that on */
	/* What a packet describes while it is being mapped; see hv_bounce.c. */
	void *original;
	u32 original_bytes;
	bool hidden;			/* the host sees no packet's memory: set before opening */
	/*
	 * One GPADL, that of the rings included, is made or torn down at a time: a
	 * rescind wakes only one of those that wait for the host. Held while the
	 * host is waited for, so nothing of another device's is taken inside.
	 */
	struct mutex gpadls;
};

/* The suites run this very code on rings whose other end they hold. */
#ifdef VMBKMCL_KUNIT
#define EXPORT_SYMBOL_FOR_KMCL_TESTS(function) EXPORT_SYMBOL_GPL(function)
#else
#define EXPORT_SYMBOL_FOR_KMCL_TESTS(function)
#endif

/*
 * The message that makes a GPADL counts the bytes of its one range, 8 and then 8
 * for each page, in 16 bits.
 */
#define KMCL_HV_GPADL_PAGES	((U16_MAX - sizeof(struct gpa_range)) / sizeof(u64))

/*
 * Bytes of data of a ring that @bytes were asked for. hv_vmbus has rings of the kernel's
 * pages, the control page included, and the host's are of 4 KiB.
 */
static inline u32 kmcl_hv_ring_data(u32 bytes)
{
	return ALIGN(bytes - KMCL_WIRE_PAGE_SIZE, PAGE_SIZE);
}

static inline struct kmcl_hv_link *to_hv_link(struct kmcl_link *link)
{
	return container_of(link, struct kmcl_hv_link, link);
}

extern const struct kmcl_transport kmcl_hv_transport;

/* hv_class.c: the classes that channels wait for */
struct kmcl_hv_class {
	struct list_head node;
	guid_t type;
	struct delayed_work work;
	/* The next six are guarded by kmcl_hv_lock. */
	u32 users;
	u32 watchers;		/* of these, drivers that are told of devices, */
	bool tell_all;		/* one of which is new */
	struct list_head released;	/* of kmcl_hv_link, to be unbound */
	u64 asked;		/* the number of the last request */
	u64 done;		/* requests up to that one are dealt with */
	/* The work's own. */
	bool registered;
	struct list_head devices;	/* of kmcl_hv_told: see hv_devices.c */
	struct notifier_block notifier;
	char name[sizeof("vmbkmcl-") + UUID_STRING_LEN];
	struct hv_driver drv;
	struct hv_driver match;	/* never registered: see kmcl_hv_may_have() */
	struct hv_vmbus_device_id ids[2];
};

extern struct workqueue_struct *kmcl_hv_beside_wq;

int kmcl_hv_watch(const guid_t *type);
void kmcl_hv_rescan(const guid_t *type);
void kmcl_hv_unwatch(const guid_t *type);
void kmcl_hv_settle(const guid_t *type);
int kmcl_hv_watch_devices(const guid_t *type);
void kmcl_hv_unwatch_devices(const guid_t *type);
void kmcl_hv_release(struct kmcl_link *link);
void kmcl_hv_set_asleep(bool asleep);
bool kmcl_hv_is_asleep(void);
int kmcl_hv_classes_init(void);
void kmcl_hv_classes_exit(void);

/* hv_bind.c: devices */
int kmcl_hv_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id);
kmcl_hv_remove_t kmcl_hv_remove(struct hv_device *dev);
struct kmcl_hv_link *kmcl_hv_link_alloc(struct hv_device *dev,
					struct vmbus_channel *channel);
void kmcl_hv_link_put(struct kmcl_hv_link *hv);
void kmcl_hv_unbind(struct kmcl_hv_link *hv);
bool kmcl_hv_bind_wanted(struct kmcl_hv_class *class);
bool kmcl_hv_wait_unlinked(unsigned long timeout);

/* hv_devices.c: what drivers are told */
bool kmcl_hv_devices_tell(struct kmcl_hv_class *class, bool all);
void kmcl_hv_devices_forget(struct kmcl_hv_class *class);

/* hv_sub.c: sub-channels */
void kmcl_hv_sub_listen(struct kmcl_hv_link *primary);
void kmcl_hv_sub_deafen(struct kmcl_hv_link *primary);
void kmcl_hv_sub_lose_all(struct kmcl_hv_link *primary);
bool kmcl_hv_sub_look(const guid_t *type);
void kmcl_hv_sub_released(struct kmcl_hv_link *hv);

/* hv_sleep.c: hibernation */
int kmcl_hv_sleep_init(void);
void kmcl_hv_sleep_exit(void);

/* hv_open.c: the channel and its rings */
int kmcl_hv_open(struct kmcl_link *link, const struct kmcl_link_params *p);
void kmcl_hv_close(struct kmcl_link *link);
void kmcl_hv_shut(struct kmcl_hv_link *hv);

/* hv_ring.c: packets */
int kmcl_hv_send(struct kmcl_link *link, const void *data, u32 len, u64 id, u32 type);
int kmcl_hv_send_request(struct kmcl_link *link, struct kmcl_out *out, const void *data);
u64 kmcl_hv_next_request_id(struct vmbus_channel *channel, u64 request);
void kmcl_hv_want_room(struct kmcl_link *link, u32 bytes);
void kmcl_hv_recv_begin(struct kmcl_link *link);
int kmcl_hv_recv_first(struct kmcl_link *link, struct kmcl_wire *pkt);
int kmcl_hv_recv_next(struct kmcl_link *link, struct kmcl_wire *pkt);
void kmcl_hv_recv_commit(struct kmcl_link *link);
bool kmcl_hv_recv_end(struct kmcl_link *link);
u32 kmcl_hv_packet_buffer_size(const struct kmcl_link_params *p);

/* hv_bounce.c: memory of packets that the host sees a copy of */
int kmcl_hv_map(struct kmcl_link *link, struct kmcl_out *out);
void kmcl_hv_unmap(struct kmcl_link *link, struct kmcl_out *out, bool copy);
int kmcl_hv_bounce_prepare(struct kmcl_hv_link *hv, const struct kmcl_link_params *p);
void kmcl_hv_bounce_free(struct kmcl_hv_link *hv);

/* hv_memory.c: memory shared with the host */
bool kmcl_hv_is_isolated(void);
void kmcl_hv_tell_hidden(const char *what);
int kmcl_hv_gpadl_create(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
int kmcl_hv_gpadl_delete(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
int kmcl_hv_gpadl_alloc(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
void kmcl_hv_gpadl_free(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
int kmcl_hv_gpadl_teardown(struct kmcl_hv_link *hv, struct vmbus_gpadl *gpadl,
			   const char *what);
void kmcl_hv_mmio_claim(struct kmcl_hv_link *hv);
void kmcl_hv_mmio_release(struct kmcl_hv_link *hv);

/* hv_wait.c: what takes a host too long is said in the log, that often */
#ifndef KMCL_HV_PATIENCE_MS
#define KMCL_HV_PATIENCE_MS	30000
#endif

struct kmcl_hv_wait {
	struct delayed_work work;
	struct kmcl_hv_link *hv;
	const char *what;
	u32 ms;
};

void kmcl_hv_wait_begin(struct kmcl_hv_wait *wait, struct kmcl_hv_link *hv,
			const char *what);
void kmcl_hv_wait_end(struct kmcl_hv_wait *wait);

#endif
