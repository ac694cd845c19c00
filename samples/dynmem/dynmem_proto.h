/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Dynamic Memory protocol on the wire, versions 0.3, 1.0 and 2.0.
 *
 * The guest asks for a version until the host accepts one, then it reports
 * what it can do. From then on it sends a status report every second, and the
 * host asks it to give pages away (balloon) or to take some back (unballoon).
 * A page is 4 KiB, whatever the guest's own page size is. All numbers are
 * little-endian. Fields are naturally aligned, so nothing here is packed; bits
 * are taken with masks, as C leaves the layout of bit fields to the compiler.
 */
#ifndef DYNMEM_PROTO_H
#define DYNMEM_PROTO_H

/* No message is longer than this, in either direction. */
#define DYNMEM_MESSAGE_MAXIMUM		4096

#define DYNMEM_VERSION(major, minor)	((UINT32)(major) << 16 | (minor))
#define DYNMEM_VERSION_MAJOR(version)	((version) >> 16)
#define DYNMEM_VERSION_MINOR(version)	((version) & 0xffff)

#define DYNMEM_VERSION_1		DYNMEM_VERSION(0, 3)
#define DYNMEM_VERSION_2		DYNMEM_VERSION(1, 0)
#define DYNMEM_VERSION_3		DYNMEM_VERSION(2, 0)

enum {
	DYNMEM_TYPE_VERSION_REQUEST = 1,
	DYNMEM_TYPE_VERSION_RESPONSE = 2,
	DYNMEM_TYPE_CAPABILITIES_REPORT = 3,
	DYNMEM_TYPE_CAPABILITIES_RESPONSE = 4,
	DYNMEM_TYPE_STATUS_REPORT = 5,
	DYNMEM_TYPE_BALLOON_REQUEST = 6,
	DYNMEM_TYPE_BALLOON_RESPONSE = 7,
	DYNMEM_TYPE_UNBALLOON_REQUEST = 8,
	DYNMEM_TYPE_UNBALLOON_RESPONSE = 9,
	DYNMEM_TYPE_HOT_ADD_REQUEST = 10,
	DYNMEM_TYPE_HOT_ADD_RESPONSE = 11,
	DYNMEM_TYPE_INFORMATION = 12,
};

/* Size counts the whole message, this header included. */
typedef struct _DYNMEM_HEADER {
	UINT16 Type;
	UINT16 Size;
	UINT32 TransactionId;
} DYNMEM_HEADER, *PDYNMEM_HEADER;

C_ASSERT(sizeof(DYNMEM_HEADER) == 8);

/* Guest to host */
typedef struct _DYNMEM_VERSION_REQUEST {
	DYNMEM_HEADER Header;
	UINT32 Version;
	UINT32 LastAttempt;
} DYNMEM_VERSION_REQUEST, *PDYNMEM_VERSION_REQUEST;

C_ASSERT(sizeof(DYNMEM_VERSION_REQUEST) == 16);

/* Host to guest: the answer to a version and to the capabilities alike */
typedef struct _DYNMEM_ACCEPTANCE {
	DYNMEM_HEADER Header;
	UINT64 Flags;
} DYNMEM_ACCEPTANCE, *PDYNMEM_ACCEPTANCE;

#define DYNMEM_ACCEPTED				0x1
/* The latter in a capabilities response only: the host wants no reports. */
#define DYNMEM_SUPPRESS_STATUS_REPORTS		0x4

C_ASSERT(sizeof(DYNMEM_ACCEPTANCE) == 16);

/* Guest to host */
typedef struct _DYNMEM_CAPABILITIES_REPORT {
	DYNMEM_HEADER Header;
	UINT64 Capabilities;
	UINT64 MinimumPages;
	UINT64 MaximumPageNumber;
} DYNMEM_CAPABILITIES_REPORT, *PDYNMEM_CAPABILITIES_REPORT;

#define DYNMEM_CAPABILITY_BALLOON		0x1
#define DYNMEM_CAPABILITY_HOT_ADD		0x2
#define DYNMEM_NO_MAXIMUM_PAGE_NUMBER		(~(UINT64)0)

C_ASSERT(sizeof(DYNMEM_CAPABILITIES_REPORT) == 32);

/* Guest to host, all in pages. It is not answered. */
typedef struct _DYNMEM_STATUS_REPORT {
	DYNMEM_HEADER Header;
	UINT64 Available;
	UINT64 Committed;
	UINT64 PageFileSize;
	UINT64 ZeroedOrFree;
	UINT32 PageFileWrites;
	UINT32 IoDifference;
} DYNMEM_STATUS_REPORT, *PDYNMEM_STATUS_REPORT;

C_ASSERT(sizeof(DYNMEM_STATUS_REPORT) == 48);

/* The number of the first page in 40 bits, the number of pages in 24 */
#define DYNMEM_RANGE_FIRST_BITS		40
#define DYNMEM_RANGE(first, pages)	\
	((UINT64)(first) | (UINT64)(pages) << DYNMEM_RANGE_FIRST_BITS)
#define DYNMEM_RANGE_FIRST(range)	\
	((range) & (((UINT64)1 << DYNMEM_RANGE_FIRST_BITS) - 1))
#define DYNMEM_RANGE_PAGES(range)	((range) >> DYNMEM_RANGE_FIRST_BITS)

/* Host to guest: give that many pages away, or as many as can be spared */
typedef struct _DYNMEM_BALLOON_REQUEST {
	DYNMEM_HEADER Header;
	UINT32 Pages;
	UINT32 Reserved;
} DYNMEM_BALLOON_REQUEST, *PDYNMEM_BALLOON_REQUEST;

C_ASSERT(sizeof(DYNMEM_BALLOON_REQUEST) == 16);

/*
 * Guest to host: the pages given away. The lowest bit of MoreAndCount says that
 * another response to the same request follows, the others count the ranges.
 */
typedef struct _DYNMEM_BALLOON_RESPONSE {
	DYNMEM_HEADER Header;
	UINT32 Reserved;
	UINT32 MoreAndCount;
	UINT64 Ranges[];
} DYNMEM_BALLOON_RESPONSE, *PDYNMEM_BALLOON_RESPONSE;

#define DYNMEM_BALLOON_MORE			0x1
#define DYNMEM_BALLOON_COUNT_SHIFT		1
#define DYNMEM_BALLOON_RESPONSE_RANGES				\
	((DYNMEM_MESSAGE_MAXIMUM - sizeof(DYNMEM_BALLOON_RESPONSE)) / \
	 sizeof(UINT64))

C_ASSERT(sizeof(DYNMEM_BALLOON_RESPONSE) == 16);

/*
 * Host to guest: take these pages back. They may be any part of what was given
 * away. Only a request without the flag is answered.
 */
typedef struct _DYNMEM_UNBALLOON_REQUEST {
	DYNMEM_HEADER Header;
	UINT32 Flags;
	UINT32 RangeCount;
	UINT64 Ranges[];
} DYNMEM_UNBALLOON_REQUEST, *PDYNMEM_UNBALLOON_REQUEST;

#define DYNMEM_UNBALLOON_MORE			0x1

C_ASSERT(sizeof(DYNMEM_UNBALLOON_REQUEST) == 16);

/* Guest to host: nothing but the header */
typedef struct _DYNMEM_UNBALLOON_RESPONSE {
	DYNMEM_HEADER Header;
} DYNMEM_UNBALLOON_RESPONSE, *PDYNMEM_UNBALLOON_RESPONSE;

C_ASSERT(sizeof(DYNMEM_UNBALLOON_RESPONSE) == 8);

/* Guest to host: how many pages were added, and 1 for success */
typedef struct _DYNMEM_HOT_ADD_RESPONSE {
	DYNMEM_HEADER Header;
	UINT32 Pages;
	UINT32 Result;
} DYNMEM_HOT_ADD_RESPONSE, *PDYNMEM_HOT_ADD_RESPONSE;

C_ASSERT(sizeof(DYNMEM_HOT_ADD_RESPONSE) == 16);

#endif /* DYNMEM_PROTO_H */
