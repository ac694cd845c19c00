/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a guest's driver and vmbhost say to each other in payloads. All numbers
 * are little endian. For a driver under test to include: needs u32 and u64.
 */
#ifndef VMBHOST_CLIENT_H
#define VMBHOST_CLIENT_H

/* The byte at @at of a pattern: buffers written by the host, payloads of the source. */
#define VMBHOST_PATTERN(seed, at)	((unsigned char)((seed) + (at)))

/* Requests to "gpadl", "external", and to a source with transfer pages. */
enum vmbhost_op {
	VMBHOST_READ = 1,	/* read the GPADL's memory, answer its CRC */
	VMBHOST_WRITE = 2,	/* fill it with a pattern */
	VMBHOST_BUFFER = 3,	/* it is the buffer for transfer pages */
	VMBHOST_WINDOW = 4,	/* a struct vmbhost_window, to "external" */
};

struct vmbhost_request {
	u32 op;
	u32 gpadl;
	u32 offset;
	u32 length;
};

/*
 * From now on all that packets on this channel describe has to lie in these pages: those
 * that the guest bounces its memory through. It is answered by itself.
 */
struct vmbhost_window {
	u32 op;
	u32 reserved;
	u64 first;	/* page frame numbers */
	u64 last;
};

/* The completion of these, and of every packet with external data. */
struct vmbhost_answer {
	u32 status;	/* 0, or an NTSTATUS */
	u32 crc;	/* CRC-32 of what was there before */
	u32 seed;	/* of the pattern that was written */
	u32 ranges;
	u64 bytes;
};

/* The source's payload: this number, then a pattern with it as its seed. */
struct vmbhost_source {
	u64 sequence;
};

#endif /* VMBHOST_CLIENT_H */
