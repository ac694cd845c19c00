/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The KMDF driver of the tests, which notes what is called, and its devices: offers of
 * servers on loopback. There is one at a time, as a module has one driver.
 */
#ifndef VMBKMCL_KUNIT_WDF_DRIVER_H
#define VMBKMCL_KUNIT_WDF_DRIVER_H

#include <linux/mod_devicetable.h>

#include <wdf.h>

#include "client.h"
#include "failure.h"
#include "../wdf/framework.h"

#define WDF_CASE_DEVICES	4

struct wdf_case {
	struct kunit *test;
	struct hv_vmbus_device_id ids[2];
	bool loaded;
	int error;			/* what loading has given */

	spinlock_t lock;		/* guards the next */
	char events[1024];		/* words, each followed by a blank */

	/* What the driver is to do. */
	bool creates_no_driver;
	NTSTATUS entry_status;
	NTSTATUS add_status;
	NTSTATUS create_status;		/* what WdfDeviceCreate() has given */
	u32 create_fails;		/* the number of an allocation of WdfDeviceCreate() */
	bool create_failed;		/* there was one */
	NTSTATUS prepare_status;
	NTSTATUS entry_d0_status;
	NTSTATUS init_status;
	bool opens;			/* it has a channel in D0 */
	WDF_EXECUTION_LEVEL level;	/* of devices, as is the next */
	WDF_SYNCHRONIZATION_SCOPE scope;

	/* Its devices, by the number that their instance begins with, while they are there. */
	WDFDEVICE devices[WDF_CASE_DEVICES];
};

/* A device's context. */
typedef struct _WDF_CASE_DEVICE {
	u32 number;
	VMBCHANNEL channel;
	GUID instance;		/* of the channel's offer */
	atomic_t packets;
	u64 first;		/* of the last packet */
} WDF_CASE_DEVICE;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(WDF_CASE_DEVICE, WdfCaseDevice)

struct wdf_case *wdf_case_create(struct kunit *test);
struct client *wdf_case_offer(struct wdf_case *c, u32 number);
void wdf_case_load(struct wdf_case *c);
void wdf_case_unload(struct wdf_case *c);
void wdf_case_note(struct wdf_case *c, const char *format, ...) __printf(2, 3);
void wdf_case_forget(struct wdf_case *c);
bool wdf_case_has(struct wdf_case *c, const char *events);
WDFDEVICE wdf_case_device(struct kunit *test, struct wdf_case **c);

/* Waits for the events of a case; forgets them. */
#define WDF_EVENTS(c, text) do {					\
	EVENTUALLY((c)->test, wdf_case_has(c, text));			\
	KUNIT_EXPECT_STREQ((c)->test, (c)->events, text);		\
	wdf_case_forget(c);						\
} while (0)

/* A device that starts, and one that goes, from D0. */
#define WDF_STARTS(n)	"add" #n " prepare" #n " entry" #n "(5) post" #n "(5) init" #n " "
#define WDF_STOPS(n)	"pre" #n "(5) exit" #n "(5) release" #n " flush" #n " io-cleanup" #n " "
#define WDF_ENDS(n)	"cleaned" #n " destroyed" #n " "
#define WDF_GOES(n)	"suspend" #n " " WDF_STOPS(n) WDF_ENDS(n)
#define WDF_UNLOADS	"unload driver-cleaned "

#endif
