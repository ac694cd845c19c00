// SPDX-License-Identifier: GPL-2.0
/*
 * The services: what each of them does when the host asks.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "ic.h"
#include "ic_proto.h"
#include "ic_system.h"

/* A time that the host has sent longer ago than that, in 100 ns, is none. */
#define IC_TIME_STALE		(600 * (INT64)10000000)

static IC_HANDLER IcHeartbeat;
static IC_HANDLER IcShutdown;
static IC_HANDLER IcTimesync;

const IC_KIND IcKinds[IC_KINDS] = {
	{ L"heartbeat", &IC_HEARTBEAT_CLASS, IC_TYPE_HEARTBEAT, IcHeartbeat,
	  { { 3, 0 }, { 1, 0 } } },
	{ L"shutdown", &IC_SHUTDOWN_CLASS, IC_TYPE_SHUTDOWN, IcShutdown,
	  { { 3, 2 }, { 3, 1 }, { 3, 0 }, { 1, 0 } } },
	{ L"timesync", &IC_TIMESYNC_CLASS, IC_TYPE_TIMESYNC, IcTimesync,
	  { { 4, 0 }, { 3, 0 }, { 1, 0 } } },
};

static VOID IcHeartbeat(PIC_SERVICE Service, PUINT8 Body, UINT32 Length)
{
	UINT32 length = Length < sizeof(IC_HEARTBEAT) ? Length : sizeof(IC_HEARTBEAT);
	IC_HEARTBEAT heartbeat;

	if (Length < IC_HEARTBEAT_MINIMUM) {
		IcRefuse(Service, "a message is too short");
		return;
	}
	RtlCopyMemory(&heartbeat, Body, length);
	heartbeat.Sequence++;
	heartbeat.ApplicationState = IC_APPLICATIONS_UNKNOWN;
	RtlCopyMemory(Body, &heartbeat, length);
	IcAnswer(Service, IC_STATUS_OK);
}

static VOID IcShutdown(PIC_SERVICE Service, PUINT8 Body, UINT32 Length)
{
	IC_SHUTDOWN shutdown;

	if (Length < sizeof(shutdown)) {
		IcRefuse(Service, "a message is too short");
		return;
	}
	RtlCopyMemory(&shutdown, Body, sizeof(shutdown));

	/* Force or not, programs are given their time: the host can still switch off. */
	if (shutdown.Flags & ~(IC_SHUTDOWN_FORCE | IC_SHUTDOWN_RESTART)) {
		IcRefuse(Service, "the host asks for neither shutdown nor restart");
		return;
	}

	/* The answer first: there may soon be nothing that could send it. */
	IcAnswer(Service, IC_STATUS_OK);
	IcLog(Service, "the host wants the guest to %s\n",
	      shutdown.Flags & IC_SHUTDOWN_RESTART ? "restart" : "shut down");
	IcSystemShutDown(!!(shutdown.Flags & IC_SHUTDOWN_RESTART));
}

/* What the host's message says that the time is by now. */
static BOOLEAN IcTimeNow(PIC_SERVICE Service, const UINT8 *Body, UINT32 Length, PUINT64 Time,
			 PBOOLEAN Sync)
{
	IC_TIME_REFERENCE reference;
	INT64 age;
	IC_TIME time;

	if (Service->Version.Major < 4) {
		if (Length < IC_TIME_MINIMUM)
			return FALSE;
		RtlCopyMemory(&time, Body, IC_TIME_MINIMUM);
		*Time = time.HostTime;
		*Sync = !!(time.Flags & IC_TIME_SYNC);
		return TRUE;
	}
	if (Length < IC_TIME_REFERENCE_MINIMUM)
		return FALSE;
	RtlCopyMemory(&reference, Body, IC_TIME_REFERENCE_MINIMUM);

	/* The host's counter may be a little ahead of the guest's. */
	age = (INT64)(IcSystemReferenceTime() - reference.ReferenceTime);
	if (age > IC_TIME_STALE || age < -IC_TIME_STALE)
		return FALSE;
	*Time = reference.HostTime + age;
	*Sync = !!(reference.Flags & IC_TIME_SYNC);
	return TRUE;
}

static VOID IcTimesync(PIC_SERVICE Service, PUINT8 Body, UINT32 Length)
{
	BOOLEAN sync;
	UINT64 time;

	if (!IcTimeNow(Service, Body, Length, &time, &sync) || !IcSystemHostTime(time, sync)) {
		IcRefuse(Service, "a time is too short, too old, or none at all");
		return;
	}
	IcAnswer(Service, IC_STATUS_OK);
}
