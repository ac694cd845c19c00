/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the driver framework share. */
#ifndef VMBKMCL_WDF_FRAMEWORK_H
#define VMBKMCL_WDF_FRAMEWORK_H

#include <linux/atomic.h>
#include <linux/instruction_pointer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <wdf.h>

#include "../core/device.h"

#define WDF_POOL_TAG	0x6664774b	/* "Kwdf" */
#define WDF_OBJECT_TAG	0x4a424f57
#define WDF_DEAD_TAG	0x44414544

/**
 * struct wdf_kind - what all objects of a kind have in common
 * @name: for log lines
 * @size: bytes of the kind's own, behind the object: its body, to which handles point
 * @stop: NULL, or: nothing of the object's is called any more when this returns. Waits,
 *	so such an object is deleted at PASSIVE_LEVEL.
 * @free: NULL, or: gives back what the body has
 * @release: NULL, or: instead of freeing the memory of the object
 * @is_own: the framework deletes it, not the driver
 */
struct wdf_kind {
	const char *name;
	size_t size;
	void (*stop)(void *body);
	void (*free)(void *body);
	void (*release)(void *body);
	bool is_own;
};

struct wdf_device;
struct wdf_driver;
struct wdf_pnp;

/* A context of the driver's, or the callbacks of an object that has none. */
struct wdf_context {
	struct wdf_context *next;	/* set once, before all of it can be seen */
	struct wdf_object *object;
	PCWDF_OBJECT_CONTEXT_TYPE_INFO info;	/* NULL: there is no context */
	PFN_WDF_OBJECT_CONTEXT_CLEANUP cleanup;
	PFN_WDF_OBJECT_CONTEXT_DESTROY destroy;
	u8 data[] __aligned(MEMORY_ALLOCATION_ALIGNMENT);
};

struct wdf_object {
	u32 tag;
	const struct wdf_kind *kind;
	refcount_t refs;
	struct wdf_driver *driver;
	struct wdf_device *device;	/* among the parents, or NULL */
	bool passive;			/* its callbacks are for PASSIVE_LEVEL only */
	bool scope_device;		/* and take turns with others of the device */
	/* The next four are guarded by wdf_tree_lock. */
	struct wdf_object *parent;	/* there as long as its children are not deleted */
	struct list_head children;
	struct list_head node;		/* in @children of the parent, or in a tree of @dead */
	bool deleted;
	struct wdf_context *contexts;	/* appended under the lock, read without */
	struct task_struct *runs;	/* is in its callback at PASSIVE_LEVEL */
	struct list_head dead;		/* the objects that are deleted with it, parents first */
	struct work_struct work;	/* which deletes them where that was put off */
} __aligned(MEMORY_ALLOCATION_ALIGNMENT);

static inline void *wdf_body(struct wdf_object *obj)
{
	return obj + 1;
}

static inline struct wdf_object *wdf_object_of(const void *body)
{
	return (struct wdf_object *)body - 1;
}

/* The body of its parent. */
static inline void *wdf_object_parent(const void *body)
{
	return wdf_body(wdf_object_of(body)->parent);
}

/* object.c */
extern struct workqueue_struct *wdf_wq;		/* of drivers' callbacks */
struct wdf_object *wdf_object_from_handle(WDFOBJECT handle, unsigned long caller);
void *wdf_body_from_handle(void *handle, const struct wdf_kind *kind, unsigned long caller);
NTSTATUS wdf_object_make(const struct wdf_kind *kind, struct linux_kmdf_driver *driver,
			 PWDF_OBJECT_ATTRIBUTES attributes, void **body);
NTSTATUS wdf_object_add(void *body);
void wdf_object_discard(void *body);
void wdf_object_delete(struct wdf_object *obj);
void wdf_objects_flush(void);
int wdf_objects_init(void);
void wdf_objects_exit(void);

/* The object of a handle, by its body; NULL, and a line in the log, if it is none. */
#define wdf_get(handle, kind)	wdf_body_from_handle(handle, kind, _RET_IP_)

/* context.c */
NTSTATUS wdf_context_make(struct wdf_object *obj, PWDF_OBJECT_ATTRIBUTES attributes,
			  struct wdf_context **context);
void wdf_contexts_cleanup(struct wdf_object *obj);
void wdf_contexts_destroy(struct wdf_object *obj);
void wdf_contexts_free(struct wdf_object *obj);

/* What of an object's is called at PASSIVE_LEVEL: it may delete the object meanwhile. */
static inline void wdf_object_runs(void *body, bool runs)
{
	WRITE_ONCE(wdf_object_of(body)->runs, runs ? current : NULL);
}

/* What is deleted is not started any more. */
static inline bool wdf_object_is_deleted(const void *body)
{
	return READ_ONCE(wdf_object_of(body)->deleted);
}

static inline bool wdf_object_is_self(const void *body)
{
	return READ_ONCE(wdf_object_of(body)->runs) == current;
}

/* Whose turn it is among the callbacks of a device that are serialized; serial.c's. */
struct wdf_serial {
	bool is_mutex;
	spinlock_t lock;	/* held while a function of the driver's runs, or this: */
	struct mutex mutex;	/* at PASSIVE_LEVEL */
};

NTSTATUS wdf_serial_add(void *body, BOOLEAN wanted, bool passive, struct wdf_serial **serial);
void wdf_serial_init(struct wdf_serial *serial, bool passive);
void wdf_serial_enter(struct wdf_serial *serial);
void wdf_serial_leave(struct wdf_serial *serial);

/* One class of a driver's devices. */
struct wdf_watch {
	struct kmcl_device_watch watch;
	struct wdf_driver *driver;
};

/* A driver that is registered. */
struct wdf_driver {
	struct linux_kmdf_driver *kmdf;
	WDF_DRIVER_CONFIG config;
	struct wdf_object *object;	/* NULL before WdfDriverCreate() */
	atomic_t objects;		/* how many there are of the driver's */
	struct list_head node;		/* in pnp.c's list */
	struct list_head devices;	/* of wdf_pnp; guarded by wdf_pnp_lock */
	UNICODE_STRING path;
	WCHAR path_buffer[128];
	u32 n_watches;
	struct wdf_watch watches[];
};

/* driver.c */
extern const struct wdf_kind wdf_driver_kind;

/* As a driver's EvtDriverDeviceAdd gets it. */
struct WDFDEVICE_INIT {
	struct wdf_pnp *pnp;
	WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
};

/* How far self-managed I/O has got. */
enum wdf_self_managed {
	WDF_SELF_NONE,
	WDF_SELF_RUNS,
	WDF_SELF_SUSPENDED,
};

struct wdf_device {
	struct kmcl_device kmcl;	/* begins with the Linux device, so: first */
	struct wdf_pnp *pnp;		/* until it is deleted; guarded by wdf_pnp_lock */
	WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
	struct wdf_serial serial;
	/* power.c's, for the work of the device alone: */
	bool prepared;
	bool in_d0;
	enum wdf_self_managed self_managed;
};

/* device.c */
extern const struct wdf_kind wdf_device_kind;

/* pnp.c: a device that is offered */
struct wdf_pnp {
	struct list_head node;		/* in wdf_driver.devices, as long as it is offered */
	struct wdf_driver *driver;
	guid_t type;
	guid_t instance;
	struct work_struct work;
	/* The next four are guarded by wdf_pnp_lock. */
	bool gone;			/* not offered any more, */
	bool unloads;			/* or its driver goes */
	bool failed;			/* its driver says so */
	bool rests;			/* it is asleep, or there is nothing to be put to sleep */
	/* The work's own. */
	struct WDFDEVICE_INIT init;
	struct wdf_device *device;	/* what EvtDriverDeviceAdd has made */
	bool added;
};

void wdf_pnp_fail(struct wdf_device *device);
void wdf_pnp_start(struct wdf_driver *driver);
void wdf_pnp_stop(struct wdf_driver *driver);
int wdf_pnp_init(void);
void wdf_pnp_exit(void);

/* power.c */
bool wdf_power_start(struct wdf_device *device);
void wdf_power_remove(struct wdf_device *device, bool surprise);
void wdf_power_down(struct wdf_device *device, WDF_POWER_DEVICE_STATE target);
bool wdf_power_up(struct wdf_device *device);

#endif
