/* SPDX-License-Identifier: GPL-2.0 */
/* A file that user space has open, and the client channel that it is. */
#ifndef VMBKMCL_PIPE_FILE_H
#define VMBKMCL_PIPE_FILE_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/poll.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "pipe.h"

enum kmcl_pipe_state {
	KMCL_PIPE_CONNECTING,	/* the server has not answered */
	KMCL_PIPE_OPEN,
	KMCL_PIPE_CLOSED,	/* by either end, for good */
};

struct kmcl_pipe_file {
	struct kmcl_pipe_device *dev;	/* with a reference */
	VMBCHANNEL channel;
	struct mutex read_lock;	/* one read(2) at a time; held while the user's buffer faults */
	/*
	 * Held to take the first of @held: by a reader or, when the channel is suspended,
	 * by its worker. Taken inside @read_lock. Nothing of user space's is waited for.
	 */
	struct mutex keep_lock;
	struct work_struct hang_up;	/* ends an opening whose offer is gone */
	struct work_struct end;	/* disposes of the channel, and of this */

	/* The device's lock guards these. */
	enum kmcl_pipe_state state;
	int error;		/* why it was never open */
	bool closing;		/* user space has closed it */
	u32 sending;		/* messages that are being sent, not in the ring yet */
	struct list_head held;	/* of kmcl_pipe_held, oldest first */
	struct list_head kept;	/* of kmcl_pipe_kept, all older than those */
};

/* A message in its packet, of which this is the client's context. */
struct kmcl_pipe_held {
	struct list_head node;
	VMBPACKETCOMPLETION packet;
	const void *data;
	u32 len;
};

/* message.c */
VOID kmcl_pipe_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 len,
		       UINT32 flags);
VOID kmcl_pipe_suspend(VMBCHANNEL channel);
void kmcl_pipe_drop_kept(struct kmcl_pipe_file *file);
ssize_t kmcl_pipe_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t kmcl_pipe_write_iter(struct kiocb *iocb, struct iov_iter *from);
__poll_t kmcl_pipe_poll(struct file *filp, poll_table *table);

#endif
