/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What is not there: the operating system's side of a driver, that is I/O queues,
 * requests, I/O targets, files and names for programs, DMA and interrupts. Handles and
 * types of it are declared, so that a source file is read to its end; what would make or
 * use one does not compile, with a message that says so. Part of <wdf.h>.
 */
#ifndef _NT_WDF_MISSING_H
#define _NT_WDF_MISSING_H

#include <wdf_object.h>

typedef struct WDFQUEUE__ *WDFQUEUE;
typedef struct WDFREQUEST__ *WDFREQUEST;
typedef struct WDFFILEOBJECT__ *WDFFILEOBJECT;
typedef struct WDFINTERRUPT__ *WDFINTERRUPT;
typedef struct WDFDMAENABLER__ *WDFDMAENABLER;
typedef struct WDFDMATRANSACTION__ *WDFDMATRANSACTION;
typedef struct WDFCOMMONBUFFER__ *WDFCOMMONBUFFER;

typedef VOID EVT_WDF_IO_QUEUE_IO_DEFAULT(WDFQUEUE Queue, WDFREQUEST Request);
typedef VOID EVT_WDF_IO_QUEUE_IO_READ(WDFQUEUE Queue, WDFREQUEST Request, size_t Length);
typedef VOID EVT_WDF_IO_QUEUE_IO_WRITE(WDFQUEUE Queue, WDFREQUEST Request, size_t Length);
typedef VOID EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL(WDFQUEUE Queue, WDFREQUEST Request,
						size_t OutputBufferLength,
						size_t InputBufferLength,
						ULONG IoControlCode);
typedef VOID EVT_WDF_IO_QUEUE_IO_STOP(WDFQUEUE Queue, WDFREQUEST Request, ULONG ActionFlags);

typedef struct _WDF_IO_QUEUE_CONFIG {
	EVT_WDF_IO_QUEUE_IO_DEFAULT *EvtIoDefault;
	EVT_WDF_IO_QUEUE_IO_READ *EvtIoRead;
	EVT_WDF_IO_QUEUE_IO_WRITE *EvtIoWrite;
	EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL *EvtIoDeviceControl;
	EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL *EvtIoInternalDeviceControl;
	EVT_WDF_IO_QUEUE_IO_STOP *EvtIoStop;
} WDF_IO_QUEUE_CONFIG;

/* An expression that does not compile, and says why. */
#define WDF_MISSING(message)	({ _Static_assert(0, message); 0; })

#define WDF_HAS_NO_QUEUES	\
	WDF_MISSING("KMDF has no I/O queues and requests here: see docs/kmdf.md")
#define WDF_HAS_NO_TARGETS	\
	WDF_MISSING("KMDF has no I/O targets here: see docs/kmdf.md")
#define WDF_HAS_NO_NAMES	\
	WDF_MISSING("KMDF has no names for programs here: see docs/kmdf.md")
#define WDF_HAS_NO_DMA		\
	WDF_MISSING("KMDF has no DMA here: see docs/kmdf.md")
#define WDF_HAS_NO_INTERRUPTS	\
	WDF_MISSING("KMDF has no interrupts here: see docs/kmdf.md")

/* What is filled in for one of the functions below: they say it once. */
#define WDF_IO_QUEUE_CONFIG_INIT(config, type)			((void)(config))
#define WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(config, type)	((void)(config))

#define WdfIoQueueCreate(...)				WDF_HAS_NO_QUEUES
#define WdfDeviceGetDefaultQueue(...)			WDF_HAS_NO_QUEUES
#define WdfDeviceConfigureRequestDispatching(...)	WDF_HAS_NO_QUEUES
#define WdfDeviceInitSetRequestAttributes(...)		WDF_HAS_NO_QUEUES
#define WdfRequestCreate(...)				WDF_HAS_NO_QUEUES
#define WdfRequestComplete(...)				WDF_HAS_NO_QUEUES
#define WdfRequestCompleteWithInformation(...)		WDF_HAS_NO_QUEUES
#define WdfRequestRetrieveInputBuffer(...)		WDF_HAS_NO_QUEUES
#define WdfRequestRetrieveOutputBuffer(...)		WDF_HAS_NO_QUEUES
#define WdfDeviceInitSetFileObjectConfig(...)		WDF_HAS_NO_NAMES
#define WdfDeviceInitAssignName(...)			WDF_HAS_NO_NAMES
#define WdfDeviceCreateDeviceInterface(...)		WDF_HAS_NO_NAMES
#define WdfDeviceCreateSymbolicLink(...)		WDF_HAS_NO_NAMES
#define WdfControlDeviceInitAllocate(...)		WDF_HAS_NO_NAMES
#define WdfDeviceGetIoTarget(...)			WDF_HAS_NO_TARGETS
#define WdfIoTargetCreate(...)				WDF_HAS_NO_TARGETS
#define WdfInterruptCreate(...)				WDF_HAS_NO_INTERRUPTS
#define WdfDmaEnablerCreate(...)			WDF_HAS_NO_DMA
#define WdfCommonBufferCreate(...)			WDF_HAS_NO_DMA

#endif /* _NT_WDF_MISSING_H */
