/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pipes that user space can open: a character device for each offer of a server that
 * asks for one. The device's file is a KMCL client like any other.
 */
#ifndef VMBKMCL_PIPE_H
#define VMBKMCL_PIPE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/spinlock.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <ntddk.h>

struct kmcl_pipe_file;

/* What the server has set: bytes of a packet, of external data, and MDLs of that. */
struct kmcl_pipe_limits {
	u32 packet;
	u32 external;
	u32 chain;
};

struct kmcl_pipe_device {
	struct device dev;
	struct cdev cdev;
	GUID type;
	GUID instance;
	struct kmcl_pipe_limits max;
	/*
	 * Guards all below, and of the file its state, lists and counts. Taken inside
	 * no other lock but a file's @keep_lock.
	 */
	spinlock_t lock;
	bool gone;		/* the offer is revoked */
	/* One at a time: from open(2) until its channel is cleaned up. */
	struct kmcl_pipe_file *file;
	wait_queue_head_t wait;	/* woken when anything changes for a file */
};

/* device.c */
int kmcl_pipe_init(void);
void kmcl_pipe_exit(void);
struct kmcl_pipe_device *kmcl_pipe_add(const guid_t *type, const guid_t *instance,
				       const struct kmcl_pipe_limits *max);
void kmcl_pipe_remove(struct kmcl_pipe_device *dev);
extern struct workqueue_struct *kmcl_pipe_wq;

/* file.c */
void kmcl_pipe_file_offer_gone(struct kmcl_pipe_file *file);
extern const struct file_operations kmcl_pipe_fops;

#endif
